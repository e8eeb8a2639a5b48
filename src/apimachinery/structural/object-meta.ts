import { decodeJson, encodeJson } from "../json-codec.ts";
import { DecodeError } from "../decode-error.ts";
import { type FieldError, invalid, required } from "../field-error.ts";
import { isJsonMap, type JsonMap, sortedCopy } from "../json-value.ts";
import { ObjectMeta as ObjectMetaSchema } from "../meta/object-meta.ts";
import type { ObjectMeta } from "../object.ts";
import { checkDns1035Label, checkPathSegment } from "../validation/names.ts";
import { validateObjectMeta } from "../validation/object-meta.ts";
import { childPath, isEmbedded, itemsOf, propertyOf, type Structural, valuesOf } from "./structural.ts";

/** What to do with members of metadata whose type is wrong: refuse the object, or drop them. */
export type Malformed = "refuse" | "drop";

export interface CoercedMeta {
  readonly metadata: ObjectMeta | undefined;
  readonly findings: readonly string[];
}

/**
 * Metadata as ObjectMeta would hold it: unknown members go, with findings; null is absent.
 * Throws a DecodeError. Source: pkg/apiserver/schema/objectmeta.
 */
export function coerceMetadata(value: unknown, malformed: Malformed, path = "metadata"): CoercedMeta {
  if (value === undefined) return { metadata: undefined, findings: [] };
  try {
    const { object, findings } = decodeJson<ObjectMeta>(ObjectMetaSchema, value, { path, ...asStored(value) });
    return { metadata: object, findings };
  } catch (error) {
    if (!(error instanceof DecodeError) || malformed === "refuse") throw error;
    return { metadata: decodeMembers(value), findings: [] };
  }
}

/** Metadata of unstructured content is written as it is decoded: without empty lists. */
function asStored(value: unknown): { readonly base?: object } {
  return isJsonMap(value) ? { base: value } : {};
}

/** Each member that fits by itself. */
function decodeMembers(value: unknown): ObjectMeta {
  const fitting: JsonMap = {};
  for (const [name, member] of Object.entries(isJsonMap(value) ? value : {})) {
    try {
      decodeJson(ObjectMetaSchema, { [name]: member }, { collectFindings: false });
      fitting[name] = member;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  return decodeJson<ObjectMeta>(ObjectMetaSchema, fitting, { collectFindings: false, base: fitting }).object;
}

/** A coercion that failed inside of an object. */
export class EmbeddedError extends Error {
  override readonly name = "EmbeddedError";
  readonly finding: FieldError;

  constructor(finding: FieldError) {
    super(finding.detail);
    this.finding = finding;
  }
}

/**
 * Brings kind, apiVersion and metadata of embedded resources into form, in place; returns findings.
 * Throws EmbeddedError.
 */
export function coerceEmbedded(value: unknown, schema: Structural, malformed: Malformed): string[] {
  if (!hasEmbedded(schema)) return [];
  const findings: string[] = [];
  visitEmbedded(value, { schema, path: "" }, (object, path) => {
    findings.push(...coerceResource(object, path, malformed));
  });
  return findings.sort();
}

function coerceResource(object: JsonMap, path: string, malformed: Malformed): readonly string[] {
  for (const name of ["apiVersion", "kind"]) {
    if (!Object.hasOwn(object, name) || typeof object[name] === "string") continue;
    if (malformed === "refuse") {
      throw new EmbeddedError(invalid(childPath(path, name), object[name], "must be a string"));
    }
    delete object[name];
  }
  if (!Object.hasOwn(object, "metadata")) return [];
  const at = childPath(path, "metadata");
  try {
    const { metadata, findings } = coerceMetadata(object["metadata"], malformed, at);
    object["metadata"] = plainMetadata(metadata);
    return findings;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new EmbeddedError(invalid(at, object["metadata"], error.message));
  }
}

/** Metadata as plain JSON with sorted members, as inside of custom resources. */
export function plainMetadata(metadata: ObjectMeta | undefined): JsonMap {
  const text = Buffer.from(encodeJson(ObjectMetaSchema, metadata ?? {})).toString();
  return sortedCopy(JSON.parse(text) as JsonMap);
}

/** Checks embedded resources as objects of their own. */
export function validateEmbedded(value: unknown, schema: Structural): FieldError[] {
  if (!hasEmbedded(schema)) return [];
  const errors: FieldError[] = [];
  visitEmbedded(value, { schema, path: "" }, (object, path) => {
    errors.push(...validateResource(object, path));
  });
  return errors;
}

function validateResource(object: JsonMap, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ["apiVersion", "kind"]) {
    if (!Object.hasOwn(object, name)) errors.push(required(childPath(path, name), ""));
  }
  for (const [name, member] of Object.entries(object)) {
    const at = childPath(path, name);
    if (name === "apiVersion") errors.push(...validateApiVersion(member, at));
    else if (name === "kind") errors.push(...validateKind(member, at));
    else if (name === "metadata") errors.push(...validateMetadata(member, at));
  }
  return errors;
}

function validateApiVersion(value: unknown, at: string): FieldError[] {
  if (typeof value !== "string") return [invalid(at, value, "must be a string")];
  if (value === "") return [invalid(at, value, "must not be empty")];
  if (value.split("/").length <= 2) return [];
  return [invalid(at, value, `unexpected GroupVersion string: ${value}`)];
}

function validateKind(value: unknown, at: string): FieldError[] {
  if (typeof value !== "string") return [invalid(at, value, "must be a string")];
  if (value === "") return [invalid(at, value, "must not be empty")];
  const texts = checkDns1035Label(value.toLowerCase());
  if (texts.length === 0) return [];
  return [invalid(at, value, `may have mixed case, but should otherwise match: ${texts.join(",")}`)];
}

function validateMetadata(value: unknown, at: string): FieldError[] {
  try {
    const { metadata = {} } = coerceMetadata(value, "refuse");
    const named = { ...metadata, name: metadata.name || "fakename" };
    return validateObjectMeta(named, { namespaced: Boolean(metadata.namespace), nameRule: checkPathSegment }, at);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return [invalid(at, value, error.message)];
  }
}

interface Place {
  readonly schema: Structural;
  readonly path: string;
}

/** Calls `visit` for every embedded resource, the outer ones first. */
function visitEmbedded(value: unknown, { schema, path }: Place, visit: (object: JsonMap, path: string) => void): void {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items === undefined) return;
    for (const [i, item] of value.entries()) visitEmbedded(item, { schema: items, path: `${path}[${i}]` }, visit);
    return;
  }
  if (!isJsonMap(value)) return;
  if (isEmbedded(schema)) visit(value, path);
  const values = valuesOf(schema);
  for (const name of Object.keys(value)) {
    const property = propertyOf(schema, name);
    if (property !== undefined) {
      visitEmbedded(value[name], { schema: property, path: childPath(path, name) }, visit);
    } else if (values !== undefined) {
      visitEmbedded(value[name], { schema: values, path: `${path}[${name}]` }, visit);
    }
  }
}

const embedding = new WeakMap<Structural, boolean>();

function hasEmbedded(schema: Structural): boolean {
  let known = embedding.get(schema);
  if (known === undefined) {
    known = findEmbedded(schema);
    if (schema.properties !== undefined) embedding.set(schema, known);
  }
  return known;
}

function findEmbedded(schema: Structural): boolean {
  if (isEmbedded(schema)) return true;
  const inner = [itemsOf(schema), valuesOf(schema), ...Object.values(schema.properties ?? {})];
  return inner.some((one) => one !== undefined && findEmbedded(one));
}
