import { deepEqual } from "./deep-equal.ts";
import { goKind, PatchDocumentError } from "./json-patch.ts";
import { isJsonMap, type JsonMap, sortedCopy } from "./json-value.ts";
import { setOwn } from "./maps.ts";

/**
 * JSON Merge Patch (RFC 7386) as kube-apiserver applies it: null deletes a member and never stays
 * in a new object, not even inside a new list, whose null items however do.
 * Source: evanphx/json-patch v4 merge.go.
 */

/**
 * Checks the shape of a parsed patch. `strict`: field validation is on (Warn or Strict), which
 * changes the texts of errors. Throws `PatchDocumentError`.
 */
export function decodeMergePatch(document: unknown, strict: boolean): JsonMap {
  if (isJsonMap(document)) return document;
  if (document === null || !strict) throw new PatchDocumentError("Invalid JSON Patch");
  const type = "map[string]interface {}";
  const text = `json: cannot unmarshal ${goKind(document)} into Go value of type ${type}`;
  throw new PatchDocumentError(`error decoding patch: ${text}`);
}

/**
 * The merged document. `document` and `patch` stay as they are; what the patch leaves alone is
 * shared. Objects that were merged have their members sorted, as upstream prints them in errors.
 */
export function applyMergePatch(document: Readonly<JsonMap>, patch: Readonly<JsonMap>): JsonMap {
  const merged: JsonMap = { ...document };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else setOwn(merged, key, mergeMember(Object.hasOwn(merged, key) ? merged[key] : null, value));
  }
  return sortedCopy(merged);
}

function mergeMember(current: unknown, patch: unknown): unknown {
  if (!isJsonMap(current)) return withoutNulls(patch);
  return isJsonMap(patch) ? applyMergePatch(current, patch) : patch;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isJsonMap(value) ? applyMergePatch({}, value) : value;
}

/**
 * A patch that turns `from` into `to` (nulls in `to` cannot be expressed and are left out).
 * Undefined when they are equal.
 */
export function createMergePatch(
  from: Readonly<JsonMap>,
  to: Readonly<JsonMap>,
): JsonMap | undefined {
  const patch: JsonMap = {};
  for (const key of Object.keys(from)) {
    const gone = !Object.hasOwn(to, key) || (to[key] ?? null) === null;
    if (gone && (from[key] ?? null) !== null) setOwn<unknown>(patch, key, null);
  }
  for (const [key, value] of Object.entries(to)) {
    const old = Object.hasOwn(from, key) ? from[key] : undefined;
    if (value === undefined || value === null || deepEqual(old, value)) continue;
    const nested = isJsonMap(old) && isJsonMap(value) ? createMergePatch(old, value) : value;
    if (nested !== undefined) setOwn<unknown>(patch, key, nested);
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}
