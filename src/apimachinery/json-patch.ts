import { JsonNumber } from "#wire/json-token.ts";
import { deepEqual } from "./deep-equal.ts";
import { goQuote } from "./field-error.ts";
import { copyJson, type JsonList, type JsonMap, isJsonMap, sortedCopy } from "./json-value.ts";
import { setOwn } from "./maps.ts";

/**
 * JSON Patch as kube-apiserver understands it, which is evanphx/json-patch v4 rather than RFC 6902:
 * negative indices count from the end, `replace` of an absent member adds it, an absent member
 * equals null in `test`, and what stands before the first slash of a path is dropped.
 */
export interface JsonPatchOperation {
  /** Anything but the six verbs fails when it is applied, an absent one too. */
  readonly op?: string;
  readonly path?: string;
  readonly from?: string;
  /** Absent and null differ only for `test`. */
  readonly value?: unknown;
}

/** More operations are 413. Source: apiserver pkg/endpoints/handlers/patch.go. */
export const jsonPatchOperationsMax = 10_000;
/** What all `copy` operations of a patch may copy. Source: apiserver server.Config. */
export const jsonPatchCopyBytesMax = 3 * 1024 * 1024;

/** The patch does not apply: 422 with a generic text. The message is for logs. */
export class JsonPatchError extends Error {
  override readonly name = "JsonPatchError";
}

/** The document is no patch: 400 with this message. */
export class PatchDocumentError extends Error {
  override readonly name = "PatchDocumentError";
}

/**
 * Checks the shape of a parsed patch. Null is an empty patch, a null operation one without verb.
 * `strict`: field validation is on (Warn or Strict), which changes the texts of errors.
 * Throws `PatchDocumentError`.
 */
export function decodeJsonPatch(document: unknown, strict: boolean): JsonPatchOperation[] {
  if (document === null) return [];
  if (!Array.isArray(document)) {
    throw unmarshalError(document, strict, ["[]handlers.jsonPatchOp", "jsonpatch.Patch"]);
  }
  return document.map((operation: unknown) => {
    if (operation === null) return {};
    if (!isJsonMap(operation)) {
      throw unmarshalError(operation, strict, ["handlers.jsonPatchOp", "jsonpatch.Operation"]);
    }
    return decodeOperation(operation, strict);
  });
}

function decodeOperation(operation: JsonMap, strict: boolean): JsonPatchOperation {
  const decoded: { -readonly [K in keyof JsonPatchOperation]: JsonPatchOperation[K] } = {};
  for (const [member, value] of Object.entries(operation)) {
    if (member === "value") decoded.value = value;
    else if (member === "op" || member === "path" || member === "from") {
      if (typeof value === "string") decoded[member] = value;
      else if (strict && value !== null) {
        const what = `${goKind(value)} into Go struct field jsonPatchOp.${member} of type string`;
        throw new PatchDocumentError(`error decoding patch: json: cannot unmarshal ${what}`);
      }
    }
  }
  return decoded;
}

function unmarshalError(value: unknown, strict: boolean, types: [string, string]): Error {
  const text = `json: cannot unmarshal ${goKind(value)} into Go value of type `;
  return new PatchDocumentError(
    strict ? `error decoding patch: ${text}${types[0]}` : `${text}${types[1]}`,
  );
}

/** The JSON kind of a value as Go's decoder calls it. */
export function goKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "bigint" || value instanceof JsonNumber ? "number" : typeof value;
}

const members = new Set(["op", "path", "from", "value"]);

/** Strict findings on the members of operations: `json patch unknown field "[0].extra"`. */
export function jsonPatchUnknownFields(document: unknown): string[] {
  if (!Array.isArray(document)) return [];
  return document.flatMap((operation: unknown, index) =>
    isJsonMap(operation)
      ? Object.keys(operation)
          .filter((member) => !members.has(member))
          .map((member) => `json patch unknown field ${goQuote(`[${index}].${member}`)}`)
      : [],
  );
}

/**
 * The patched document. `document` stays as it is; what the patch leaves alone is shared. Objects
 * that the patch went through have their members sorted, as upstream prints them in errors.
 * Throws `JsonPatchError`.
 */
export function applyJsonPatch(document: unknown, patch: readonly JsonPatchOperation[]): unknown {
  const state: PatchState = {
    root: document,
    owned: new Set(),
    grown: new Set(),
    copiedBytes: 0,
  };
  openRoot(state);
  for (const operation of patch) applyOperation(state, operation);
  for (const container of state.grown) sortMembers(container);
  return state.root;
}

interface PatchState {
  root: unknown;
  /** Containers that this patch made and may therefore change. */
  readonly owned: Set<unknown>;
  /** Those among them that got new members. */
  readonly grown: Set<JsonMap>;
  copiedBytes: number;
}

type Container = JsonList | JsonMap;

interface Target {
  readonly container: Container;
  readonly key: string;
}

function applyOperation(state: PatchState, operation: JsonPatchOperation): void {
  switch (operation.op) {
    case "add":
      return add(state, locate(state, operation.path), operation.value ?? null);
    case "remove":
      return remove(locate(state, operation.path));
    case "replace":
      return replace(state, operation);
    case "move": {
      const from = locate(state, operation.from);
      const value = get(from);
      remove(from);
      return add(state, locate(state, operation.path), value ?? null);
    }
    case "copy": {
      const value = get(locate(state, operation.from));
      const target = locate(state, operation.path);
      return add(state, target, copyOf(state, value ?? null));
    }
    case "test":
      return test(state, operation);
    default:
      throw new JsonPatchError(`Unexpected kind: ${operation.op ?? "unknown"}`);
  }
}

function openRoot(state: PatchState): void {
  const { root } = state;
  if (!Array.isArray(root) && !isJsonMap(root)) throw new JsonPatchError("document is no object");
  state.root = own(state, root);
}

function own(state: PatchState, container: Container): Container {
  if (state.owned.has(container)) return container;
  const copy = Array.isArray(container) ? [...container] : sortedCopy(container);
  state.owned.add(copy);
  return copy;
}

/** Makes every container on the way to the last segment this patch's own. */
function locate(state: PatchState, path: string | undefined): Target {
  if (path === undefined) throw new JsonPatchError("missing value");
  const segments = path.split("/").slice(1).map(decodeSegment);
  const key = segments.pop();
  if (key === undefined) throw missing(path);
  let container = state.root as Container;
  for (const segment of segments) {
    const next = get({ container, key: segment });
    if (!Array.isArray(next) && !isJsonMap(next)) throw missing(path);
    const opened = own(state, next);
    if (opened !== next) put({ container, key: segment }, opened);
    container = opened;
  }
  return { container, key };
}

function decodeSegment(segment: string): string {
  return segment.replace(/~[01]/g, (escape) => (escape === "~1" ? "/" : "~"));
}

function missing(path: string): JsonPatchError {
  return new JsonPatchError(`operation does not apply: doc is missing path: ${path}`);
}

function get({ container, key }: Target): unknown {
  if (!Array.isArray(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  const index = indexOf(key, container.length);
  if (index >= container.length) throw badIndex(key);
  return container[index];
}

function put({ container, key }: Target, value: unknown): void {
  if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
  else setOwn(container, key, value);
}

function add(state: PatchState, { container, key }: Target, value: unknown): void {
  if (!Array.isArray(container)) setMember(state, { container, key }, value);
  else if (key === "-") container.push(value);
  else {
    const index = indexOf(key, container.length + 1);
    if (index > container.length) throw badIndex(key);
    container.splice(index, 0, value);
  }
}

function remove({ container, key }: Target): void {
  if (Array.isArray(container)) {
    const index = indexOf(key, container.length);
    if (index >= container.length) throw badIndex(key);
    container.splice(index, 1);
  } else {
    if (!Object.hasOwn(container, key)) {
      throw new JsonPatchError(`Unable to remove nonexistent key: ${key}`);
    }
    delete container[key];
  }
}

function replace(state: PatchState, { path, value = null }: JsonPatchOperation): void {
  if (path === "") {
    state.root = value;
    return openRoot(state);
  }
  const target = locate(state, path);
  get(target);
  if (Array.isArray(target.container)) put(target, value);
  else setMember(state, { container: target.container, key: target.key }, value);
}

function setMember(
  state: PatchState,
  { container, key }: { container: JsonMap; key: string },
  value: unknown,
): void {
  if (!Object.hasOwn(container, key)) state.grown.add(container);
  setOwn(container, key, value);
}

function test(state: PatchState, { path, value }: JsonPatchOperation): void {
  const found = path === "" ? state.root : (get(locate(state, path)) ?? null);
  const wanted = value ?? (found === null ? null : undefined);
  if (!deepEqual(found, wanted)) throw new JsonPatchError(`testing value ${path ?? ""} failed`);
}

/** Puts members that were added, in the order of `sortedCopy`. */
function sortMembers(container: JsonMap): void {
  const sorted = sortedCopy(container);
  for (const member of Object.keys(sorted)) {
    delete container[member];
    setOwn(container, member, sorted[member]);
  }
}

/** Go's `Atoi`; negative numbers count from `length`. */
function indexOf(key: string, length: number): number {
  if (!/^[-+]?\d+$/.test(key)) throw badIndex(key);
  const index = Number(key);
  if (index < -length) throw badIndex(key);
  return index < 0 ? index + length : index;
}

function badIndex(key: string): JsonPatchError {
  return new JsonPatchError(`Unable to access invalid index: ${key}`);
}

/** A copy of its own, since the original may belong to this patch and change later. */
function copyOf(state: PatchState, value: unknown): unknown {
  state.copiedBytes += Buffer.byteLength(JSON.stringify(value, printBigint));
  if (state.copiedBytes > jsonPatchCopyBytesMax) {
    const limits = `limit: ${jsonPatchCopyBytesMax}, accumulated: ${state.copiedBytes}`;
    throw new JsonPatchError(
      `Unable to complete the copy, the size increase is too large, ${limits}`,
    );
  }
  return copyJson(value);
}

function printBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
