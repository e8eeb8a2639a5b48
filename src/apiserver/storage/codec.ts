import {
  applySchemaDefaults,
  decodeJson,
  encodeJson,
  encodeJsonValue,
} from "#apimachinery/json-codec.ts";
import { decodeTrusted, trustedValue } from "#apimachinery/json-trusted.ts";
import type { MemberOrder } from "#apimachinery/encoded-object.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";

/**
 * How objects of one resource version become values, defaults and bytes. Built-in kinds get theirs
 * from the schema; custom resources bring their own, so the pipeline has no second path.
 */
export interface ObjectCodec {
  /**
   * A fresh object in wire order from a parsed body; `base` is what it was made of by a patch.
   * `findings` are `unknown field "spec.x"`. Errors: `DecodeError` with Go's text.
   */
  decode(value: unknown, collectFindings: boolean, base?: object): { object: KubeObject; findings: string[] };
  applyDefaults(object: KubeObject): void;
  /** JSON bytes with exactly the fields that the wire shows, in wire order, Go's escaping. */
  encode(object: KubeObject): Uint8Array;
  /** As `encode`, for the store: `decodeStored` of these very bytes soon after needs not read them. */
  encodeStored?(object: KubeObject): Uint8Array;
  /** The object in the version that is stored, where that is another. */
  toStored?(object: KubeObject): KubeObject;
  /** The object that bytes of `encode` hold. */
  decodeStored(bytes: Uint8Array): KubeObject;
  /** Order of members in the bytes. */
  readonly order: MemberOrder;
  /** Present where somebody else (a webhook) knows how versions differ. */
  readonly converter?: StoredConverter;
}

/** Between the version of a codec and the versions that objects are stored in. */
export interface StoredConverter {
  /** Whether what `decodeStored` gave is in another version. */
  isForeign(object: KubeObject): boolean;
  fromStored(objects: readonly KubeObject[]): Promise<readonly KubeObject[]>;
  toStored(object: KubeObject): Promise<KubeObject>;
}

const codecs = new WeakMap<ResourceDefinition, ObjectCodec>();

/** The codec of a definition; custom resources register theirs with `setCodec`. */
export function codecOf(definition: ResourceDefinition): ObjectCodec {
  let codec = codecs.get(definition);
  if (codec === undefined) {
    codec = schemaCodec(definition);
    codecs.set(definition, codec);
  }
  return codec;
}

export function setCodec(definition: ResourceDefinition, codec: ObjectCodec): void {
  codecs.set(definition, codec);
}

/** Objects just encoded that nobody asked for yet; the oldest are forgotten, and read when asked for. */
export const encodedObjectsMax = 1024;

function schemaCodec({ schema }: ResourceDefinition): ObjectCodec {
  const encoded = new Map<Uint8Array, KubeObject>();
  return {
    order: "struct",
    decode: (value, collectFindings, base) => {
      const { object, findings } = decodeJson(schema, value, { collectFindings, ...(base && { base }) });
      keepReset(object as KubeObject, value);
      return { object: object as KubeObject, findings: [...findings] };
    },
    applyDefaults: (object) => applySchemaDefaults(schema, object),
    encode: (object) => encodeJson(schema, object),
    encodeStored(object) {
      const written = encodeJsonValue(schema, object);
      const value = trustedValue<KubeObject>(schema, written);
      if (value !== undefined) encoded.set(written.bytes, value);
      if (encoded.size > encodedObjectsMax) encoded.delete(encoded.keys().next().value as Uint8Array);
      return written.bytes;
    },
    decodeStored(bytes) {
      const known = encoded.get(bytes);
      encoded.delete(bytes);
      return known ?? decodeTrusted<KubeObject>(schema, bytes);
    },
  };
}

/**
 * Decoding makes no difference between an empty list and none, but an empty list of managed fields
 * asks to forget the managers.
 */
function keepReset(object: KubeObject, value: unknown): void {
  const metadata = isJsonMap(value) ? value["metadata"] : undefined;
  const entries = isJsonMap(metadata) ? metadata["managedFields"] : undefined;
  if (!Array.isArray(entries) || entries.length > 0) return;
  object.metadata ??= {};
  object.metadata.managedFields = [];
}
