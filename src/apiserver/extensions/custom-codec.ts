import { DecodeError } from "#apimachinery/json-codec.ts";
import { copyJson, isJsonMap, type JsonMap } from "#apimachinery/json-value.ts";
import { apiVersionOf, type KubeObject, parseApiVersion } from "#apimachinery/object.ts";
import { applyStructuralDefaults, dropNulls } from "#apimachinery/structural/defaulting.ts";
import { coerceEmbedded, coerceMetadata, EmbeddedError, type Malformed } from "#apimachinery/structural/object-meta.ts";
import { sortedJson } from "#apimachinery/sorted-json.ts";
import { prune } from "#apimachinery/structural/pruning.ts";
import type { Structural } from "#apimachinery/structural/structural.ts";
import { fieldErrorText } from "#apimachinery/field-error.ts";
import { parseJson, writeJson } from "#wire/json.ts";
import type { ObjectCodec, StoredConverter } from "../storage/codec.ts";
import type { ObjectConverter } from "./webhook-conversion.ts";

/** The schemas that the codec of one version reads. */
export interface CustomSchemas {
  readonly group: string;
  readonly kind: string;
  /** Served by this codec. */
  readonly version: string;
  /** Objects are stored in it. */
  readonly storageVersion: string;
  readonly preserveUnknownFields: boolean;
  /** By version; undefined for one that the definition does not have. */
  readonly schemaOf: (version: string) => Structural | undefined;
  /** Present where other versions differ by more than their name. */
  readonly converter: ObjectConverter | undefined;
}

const anything: Structural = { "x-kubernetes-preserve-unknown-fields": true };

/** How objects of one version of a custom resource are read and written. */
export function createCustomCodec(schemas: CustomSchemas): ObjectCodec {
  const own = apiVersionOf(schemas.group, schemas.version);
  const storedVersion = apiVersionOf(schemas.group, schemas.storageVersion);
  return {
    order: "sorted",
    decode(value, collectFindings) {
      const { object, findings } = coerce(schemas, value, "refuse");
      return { object, findings: collectFindings ? findings : [] };
    },
    applyDefaults(object) {
      if (namesKind(schemas, object)) applyStructuralDefaults(object, schemas.schemaOf(schemas.version));
    },
    encode(object) {
      return writeJson(sortedJson(object));
    },
    toStored(object) {
      return schemas.version === schemas.storageVersion ? object : renamed(schemas, object, storedVersion);
    },
    ...(schemas.converter && { converter: storedConverter(schemas, schemas.converter) }),
    decodeStored(bytes) {
      const { object } = coerce(schemas, parseJson(bytes), "drop");
      applyStructuralDefaults(object, schemaFor(schemas, object));
      if (schemas.converter !== undefined || object.apiVersion === own) return object;
      return renamed(schemas, object, own);
    },
  };
}

function storedConverter(schemas: CustomSchemas, { convert }: ObjectConverter): StoredConverter {
  const own = apiVersionOf(schemas.group, schemas.version);
  const stored = apiVersionOf(schemas.group, schemas.storageVersion);
  /** What the webhook answers is pruned as if a client had sent it. */
  const tidy = (object: KubeObject): KubeObject => coerce(schemas, object, "drop").object;
  return {
    isForeign: (object) => object.apiVersion !== own,
    fromStored: async (objects) => (await convert(objects, own)).map(tidy),
    async toStored(object) {
      if (object.apiVersion === stored) return object;
      const [converted] = await convert([object], stored);
      return converted === undefined ? object : tidy(converted);
    },
  };
}

/** The object under another version's name, without what that version does not have. */
export function renamed(schemas: CustomSchemas, object: KubeObject, apiVersion: string): KubeObject {
  const { value } = pruneAs(schemas, { ...object, apiVersion });
  return value;
}

function namesKind({ group, kind }: CustomSchemas, object: KubeObject): boolean {
  return object.kind === kind && parseApiVersion(object.apiVersion ?? "").group === group;
}

function schemaFor(schemas: CustomSchemas, object: KubeObject): Structural | undefined {
  return schemas.schemaOf(parseApiVersion(object.apiVersion ?? "").version);
}

function pruneAs(schemas: CustomSchemas, object: KubeObject): { value: KubeObject; unknown: string[] } {
  if (schemas.preserveUnknownFields) return { value: copyJson(object), unknown: [] };
  return prune(object, schemaFor(schemas, object) ?? {}, true);
}

/** Everything that upstream's decoder does to unstructured content. Throws a DecodeError. */
function coerce(
  schemas: CustomSchemas,
  value: unknown,
  malformed: Malformed,
): { object: KubeObject; findings: string[] } {
  if (!isJsonMap(value))
    throw new DecodeError("json: cannot unmarshal value into Go value of type map[string]interface {}");
  const { metadata, findings } = coerceMetadata(value["metadata"], malformed);
  const found = [...findings];
  const named = value as KubeObject;
  if (!namesKind(schemas, named)) return { object: withMetadata(copyJson(value), metadata), findings: found };
  const { value: object, unknown } = pruneAs(schemas, named);
  found.push(...unknown.map((path) => `unknown field ${JSON.stringify(path)}`));
  const schema = schemaFor(schemas, named) ?? anything;
  if (!schemas.preserveUnknownFields) dropNulls(object, schema);
  try {
    found.push(...coerceEmbedded(object, schema, malformed));
  } catch (error) {
    if (!(error instanceof EmbeddedError)) throw error;
    throw new DecodeError(fieldErrorText(error.finding));
  }
  return { object: withMetadata(object as JsonMap, metadata), findings: found };
}

function withMetadata(object: JsonMap, metadata: KubeObject["metadata"]): KubeObject {
  if (metadata === undefined) delete object["metadata"];
  else object["metadata"] = metadata;
  return object as KubeObject;
}
