/** What a kube-apiserver stored: protobuf for built-in kinds. Here it is read as the JSON that is stored instead. */
import { decodeProto, unwrapUnknown } from "#apimachinery/proto-codec.ts";
import { apiVersionOf, type KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { codecOf } from "./codec.ts";

const openingBrace = 0x7b;

/** Whether bytes are JSON, as all are that this server wrote. */
export function isStoredJson(bytes: Uint8Array): boolean {
  return bytes[0] === openingBrace;
}

/** JSON of bytes that are protobuf; other bytes as they are. Errors: a version other than the one that is stored here. */
export function jsonOfStored(definition: ResourceDefinition, bytes: Uint8Array): Uint8Array {
  const envelope = unwrapUnknown(bytes);
  if (envelope === undefined) return bytes;
  const { kind, apiVersion, raw } = envelope;
  const expected = apiVersionOf(definition.group, definition.version);
  if (kind !== definition.kind || apiVersion !== expected) {
    throw new Error(`stored as ${kind} of ${apiVersion}, which cannot be read as ${definition.kind} of ${expected}`);
  }
  const object = decodeProto<KubeObject>(definition.schema, raw);
  return codecOf(definition).encode({ kind, apiVersion, ...object });
}
