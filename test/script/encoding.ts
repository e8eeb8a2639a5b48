import assert from "node:assert/strict";
import { otherKinds, resources } from "#api/registry.ts";
import { decodeJson, encodeJson } from "#apimachinery/json-codec.ts";
import { ListMeta } from "#apimachinery/meta/list-meta.ts";
import { createFrameReader, decodeProto, encodeProto, isProto, unwrapUnknown, wrapUnknown } from "#apimachinery/proto-codec.ts";
import { ProtoReader } from "#apimachinery/proto-reader.ts";
import { type Fields, kind, listOf, req, type StructSchema } from "#apimachinery/schema.ts";

/** What a client sends and asks for. */
export type EncodingName = "json" | "protobuf";

/** An object as scripts see it, whatever the encoding: its JSON. */
export interface Thing {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface Event {
  readonly type: string;
  readonly object: Thing;
}

export interface Encoding {
  readonly name: EncodingName;
  readonly contentType: string;
  /** As the suite's clients: protobuf, or JSON where there is none. */
  readonly accept: string;
  readonly acceptWatch: string;
  encode(object: object, type: { readonly apiVersion: string; readonly kind: string }): Uint8Array;
  /** Splits the body of a watch: call it with chunks. */
  reader(onEvent: (event: Event) => void): (chunk: Uint8Array) => void;
}

const protobuf = "application/vnd.kubernetes.protobuf";

const schemas = new Map<string, StructSchema<Fields>>();
for (const { group, version, kind: name, schema } of [...resources, ...otherKinds]) {
  const apiVersion = group === "" ? version : `${group}/${version}`;
  schemas.set(`${apiVersion} ${name}`, schema);
  schemas.set(`${apiVersion} ${name}List`, kind(`${name}List`, { metadata: req(1, ListMeta), items: req(2, listOf(schema)) }));
}

function schemaOf(apiVersion: string, name: string): StructSchema<Fields> {
  const schema = schemas.get(`${apiVersion} ${name}`);
  if (schema === undefined) throw new Error(`no schema of ${apiVersion} ${name}`);
  return schema;
}

/** The object of an answer, JSON or protobuf; text that is neither comes as it is. */
export function decodeAnswer(bytes: Uint8Array): unknown {
  if (!isProto(bytes)) {
    const text = Buffer.from(bytes).toString("utf8");
    return text.startsWith("{") || text.startsWith("[") ? (JSON.parse(text) as unknown) : text;
  }
  const unknown = unwrapUnknown(bytes);
  if (unknown === undefined) throw new Error("no envelope");
  const { apiVersion, kind: name } = unknown;
  const schema = schemaOf(apiVersion, name);
  const object = decodeProto<object>(schema, unknown.raw);
  const text = Buffer.from(encodeJson(schema, object)).toString("utf8");
  return { ...(JSON.parse(text) as object), kind: name, apiVersion };
}

const jsonEncoding: Encoding = {
  name: "json",
  contentType: "application/json",
  accept: "application/json",
  acceptWatch: "application/json",
  encode: (object) => Buffer.from(JSON.stringify(object)),
  reader(onEvent) {
    let pending = "";
    const decoder = new TextDecoder();
    return (chunk) => {
      const lines = (pending + decoder.decode(chunk, { stream: true })).split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) onEvent(JSON.parse(line) as Event);
    };
  },
};

const protobufEncoding: Encoding = {
  name: "protobuf",
  contentType: protobuf,
  accept: `${protobuf},application/json`,
  acceptWatch: `${protobuf};stream=watch,application/json`,
  encode(object, { apiVersion, kind: name }) {
    const schema = schemaOf(apiVersion, name);
    const { object: decoded } = decodeJson<object>(schema, JSON.parse(JSON.stringify(object)));
    return wrapUnknown({ apiVersion, kind: name, raw: encodeProto(schema, decoded) });
  },
  reader(onEvent) {
    const frames = createFrameReader((message) => {
      const { type, object } = watchEventOf(message);
      onEvent({ type, object: decodeAnswer(object) as Thing });
    });
    return (chunk) => frames.push(chunk);
  },
};

/** `meta.v1.WatchEvent`: the type, and a RawExtension whose bytes are an object of its own. */
function watchEventOf(message: Uint8Array): { type: string; object: Uint8Array } {
  const from = new ProtoReader(message);
  let type = "";
  let object = new Uint8Array() as Uint8Array;
  while (from.more) {
    const key = from.varint();
    if (key === 0x0a) type = from.string();
    else if (key === 0x12) {
      const outer = from.enter();
      assert.equal(from.varint(), 0x0a);
      object = from.bytes();
      from.leave(outer);
    } else from.skip(key & 7);
  }
  return { type, object };
}

export const encodings: Readonly<Record<EncodingName, Encoding>> = { json: jsonEncoding, protobuf: protobufEncoding };
