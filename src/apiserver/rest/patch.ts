import { invalid } from "#apimachinery/field-error.ts";
import { canonical, DecodeError, decodeJson } from "#apimachinery/json-codec.ts";
import {
  applyJsonPatch,
  decodeJsonPatch,
  JsonPatchError,
  jsonPatchOperationsMax,
  jsonPatchUnknownFields,
  PatchDocumentError,
} from "#apimachinery/json-patch.ts";
import { isJsonMap, type JsonMap } from "#apimachinery/json-value.ts";
import {
  conversionText,
  fromUnstructured,
  UnstructuredError,
} from "#apimachinery/from-unstructured.ts";
import { goText } from "#apimachinery/go-format.ts";
import { applyMergePatch, decodeMergePatch } from "#apimachinery/merge-patch.ts";
import { type KubeObject, parseApiVersion } from "#apimachinery/object.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";
import {
  badRequest,
  conflict,
  failure,
  invalidStatus,
  isStatusError,
  requestEntityTooLarge,
} from "#apimachinery/status.ts";
import { sortedJson } from "#apimachinery/sorted-json.ts";
import { applyStrategicMergePatch } from "#apimachinery/strategic-merge.ts";
import { StrategicMergeError } from "#apimachinery/strategic-merge-lists.ts";
import { assert } from "#base/assert.ts";
import { JsonError, parseJsonStrict, typedJson, untypedJson, writeJsonText } from "#wire/json.ts";
import type { Call, Endpoint } from "../call.ts";
import { codecOf } from "../storage/codec.ts";
import type { KindLookup } from "./decode.ts";
import { applyConfiguration, trackUpdate } from "./managed-fields.ts";
import { dedupOwners, dropSelfLink, ensureName, ensureNamespace, metaOf } from "./metadata.ts";
import { applyDefaults, type RestDeps, type Written } from "./rest.ts";
import { updateWith } from "./update.ts";

/** PATCH of one object or subresource, in any of the four forms. */
export async function patch(endpoint: Endpoint, call: Call, deps: RestDeps): Promise<Written> {
  const isApply = call.patchType === "apply";
  const document = isApply ? undefined : readDocument(call);
  return updateWith(endpoint, call, {
    deps,
    uid: "",
    allowCreate: isApply && call.subresource === "",
    transform(current) {
      const wanted = isApply
        ? applyConfiguration({ endpoint, call, ...(current && { live: current }) })
        : patched(endpoint, call, { live: current, document: document as Document, kinds: deps.kinds });
      const meta = metaOf(wanted);
      if (current === undefined && meta.uid) {
        const { group, plural } = endpoint.definition;
        throw conflict(
          { group, resource: plural },
          call.name,
          `uid mismatch: the provided object specified uid ${meta.uid}, and no existing object was found`,
        );
      }
      ensureNamespace(call, meta);
      ensureName(call, meta);
      dropSelfLink(meta);
      dedupOwners(call, meta, true);
      return Promise.resolve(wanted);
    },
  });
}

/** A patch that was parsed once, whatever number of tries follow. */
interface Document {
  readonly value: unknown;
  readonly findings: readonly string[];
}

function strict(call: Call): boolean {
  return call.options.fieldValidation !== "Ignore";
}

function readDocument(call: Call): Document {
  const { body } = call;
  assert(body !== undefined, "patch without a body");
  if (body.form === "object") return { value: body.value, findings: [] };
  try {
    // Of repeated members the last counts: the patch has no type. Of numbers the text does: its result has one.
    const { fractions } = call.definition.custom === undefined ? typedJson : untypedJson;
    const { value, duplicates } = parseJsonStrict(body.bytes, { ...untypedJson, fractions });
    return { value, findings: strict(call) ? duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`) : [] };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const prefix = strict(call) && call.patchType !== "strategic" ? "error decoding patch: " : "";
    throw badRequest(prefix + error.message);
  }
}

function patched(
  endpoint: Endpoint,
  call: Call,
  spec: { live: KubeObject | undefined; document: Document; kinds: KindLookup },
): KubeObject {
  const { live: current, document, kinds } = spec;
  assert(current !== undefined, "patch of an absent object");
  const { definition } = endpoint;
  // Patches of JSON see what Go prints, nulls included; the third kind works on the object.
  const printed = definition.custom === undefined && call.patchType !== "strategic";
  const live = printed ? canonical(definition.schema, current) : current;
  const value = applyDocument(call, document, { live, schema: definition.schema });
  if (printed) refuseOtherKind(kinds, value, current);
  const object = decodePatched(call, definition.custom === undefined ? value : sortedJson(value), {
    findings: findingsOf(call, document),
    decode: (plain, collect) => codecOf(definition).decode(plain, collect, current),
    ...(call.patchType === "strategic" && { goSchema: definition.schema, shown: document.value }),
  });
  keepKind(call, object, { live: current, value });
  applyDefaults(definition, object);
  return trackUpdate({ endpoint, call, updated: object, live: current });
}

/** A patch of an object that is no stored kind (Scale): just the patched value, decoded. */
export function applyToPlain(
  call: Call,
  spec: { readonly live: object; readonly schema: StructSchema<Fields> },
): KubeObject {
  if (call.patchType === "apply") return applyPlainConfiguration(call, spec);
  const document = readDocument(call);
  const value = applyDocument(call, document, spec);
  return decodePatched(call, value, {
    findings: findingsOf(call, document),
    decode: (plain, collectFindings) => {
      const { object, findings } = decodeJson(spec.schema, plain, { collectFindings });
      return { object: object as KubeObject, findings: [...findings] };
    },
  });
}

/** Apply to a view such as Scale: its fields win over the live ones. */
function applyPlainConfiguration(
  call: Call,
  { live: current, schema }: { readonly live: object; readonly schema: StructSchema<Fields> },
): KubeObject {
  const document = readDocument({ ...call, patchType: "merge" });
  const merged = applyMergePatch(current as JsonMap, decodeMergePatch(document.value, true));
  return decodeJson(schema, merged, { collectFindings: false }).object as KubeObject;
}

function findingsOf(call: Call, document: Document): string[] {
  if (call.patchType !== "json") return [...document.findings];
  const duplicates = document.findings.map((finding) => `json patch ${finding}`);
  return strict(call) ? [...duplicates, ...jsonPatchUnknownFields(document.value)] : [];
}

function applyDocument(
  call: Call,
  { value }: Document,
  { live: current, schema }: { readonly live: object; readonly schema: StructSchema<Fields> },
): unknown {
  try {
    switch (call.patchType) {
      case "json": {
        const operations = decodeJsonPatch(value, strict(call));
        if (operations.length > jsonPatchOperationsMax) {
          throw requestEntityTooLarge(
            `The allowed maximum operations in a JSON patch is ${jsonPatchOperationsMax}, got ${operations.length}`,
          );
        }
        return applyJsonPatch(current, operations);
      }
      case "merge":
        return applyMergePatch(current as JsonMap, decodeMergePatch(value, strict(call)));
      default:
        // To Go a null document is a nil map, which patches nothing.
        if (value === null) return current;
        if (!isJsonMap(value)) throw badRequest(notAnObject(value));
        return applyStrategicMergePatch(current as JsonMap, value, schema);
    }
  } catch (error) {
    throw patchFailure(error);
  }
}

function notAnObject(value: unknown): string {
  const what = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${what} into Go value of type map[string]interface {}`;
}

function patchFailure(error: unknown): unknown {
  if (isStatusError(error)) return error;
  if (error instanceof PatchDocumentError) return badRequest(error.message);
  if (error instanceof JsonPatchError) {
    return failure("Invalid", {
      message: "the server rejected our request due to an error in our request",
      details: {},
    });
  }
  if (error instanceof StrategicMergeError) {
    if (error.code === 500) return failure("", { message: error.message });
    const reason = error.code === 400 ? "BadRequest" : "Invalid";
    return failure(reason, { message: error.message });
  }
  return error;
}

/** Where a patch makes it another kind, the object is decoded as that first. */
function refuseOtherKind(kinds: KindLookup, value: unknown, { kind: own, apiVersion: ownVersion }: KubeObject): void {
  if (!isJsonMap(value)) return;
  const { kind, apiVersion = ownVersion } = value as { kind?: string; apiVersion?: string };
  if (!kind || (kind === own && apiVersion === ownVersion)) return;
  const schema = kinds.schemaOf?.({ ...parseApiVersion(apiVersion ?? ""), kind });
  if (schema === undefined) return;
  try {
    decodeJson(schema, value, { collectFindings: false });
  } catch (error) {
    if (error instanceof DecodeError) throw patchInvalid(value, error.message);
    throw error;
  }
}

/** A strategic merge patch leaves kind and version alone; the others may only leave them out. */
function keepKind(
  call: Call,
  object: KubeObject,
  { live: current, value }: { readonly live: KubeObject; readonly value: unknown },
): void {
  const { kind, apiVersion } = object;
  object.kind = current.kind;
  object.apiVersion = current.apiVersion;
  const same = (!kind || kind === current.kind) && (!apiVersion || apiVersion === current.apiVersion);
  if (same || call.patchType === "strategic") return;
  const scheme = "pkg/api/legacyscheme/scheme.go:30";
  const named = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`;
  throw patchInvalid(value, `${named} in scheme ${JSON.stringify(scheme)}`);
}

interface Decoder {
  readonly findings: readonly string[];
  /** The value is decoded as Go decodes maps into structs, without JSON between. */
  readonly goSchema?: StructSchema<Fields>;
  /** What errors show, as Go prints maps, instead of the value. */
  readonly shown?: unknown;
  decode(value: unknown, collect: boolean): { object: KubeObject; findings: string[] };
}

function decodePatched(call: Call, value: unknown, decoder: Decoder): KubeObject {
  const { goSchema } = decoder;
  const shown = goSchema === undefined ? value : goText(decoder.shown);
  let decoded: { object: KubeObject; findings: string[] };
  try {
    const plain = goSchema === undefined ? value : fromUnstructured(goSchema, value);
    decoded = decoder.decode(plain, strict(call));
  } catch (error) {
    if (!(error instanceof DecodeError || error instanceof UnstructuredError)) throw error;
    const isGo = goSchema !== undefined;
    throw patchInvalid(shown, isGo ? conversionText(error.message) : error.message);
  }
  // Go's conversion of maps reports by the text.
  const unknown = goSchema === undefined ? decoded.findings : decoded.findings.toSorted();
  const findings = [...decoder.findings, ...unknown];
  if (findings.length > 0 && call.options.fieldValidation === "Strict") {
    throw patchInvalid(shown, `strict decoding error: ${findings.join(", ")}`);
  }
  if (call.options.fieldValidation !== "Ignore") for (const finding of findings) call.warn(finding);
  return decoded.object;
}

function patchInvalid(value: unknown, detail: string): Error {
  const shown = typeof value === "object" ? writeJsonText(value) : value;
  return invalidStatus({ group: "", kind: "" }, "", [invalid("patch", shown, detail)]);
}
