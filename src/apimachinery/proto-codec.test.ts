import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { customResourceDefinitions } from "#api/apiextensions/v1/custom-resource-definition.ts";
import { pods } from "#api/core/v1/pod.ts";
import { configMaps } from "#api/core/v1/config-map.ts";
import { WatchEvent } from "./meta/watch-event.ts";
import { ListMeta } from "./meta/list-meta.ts";
import { listSchemaOf } from "./meta/list.ts";
import {
  createFrameReader,
  decodeProto,
  encodeProto,
  frameProto,
  joinProtoList,
  ProtoError,
  unwrapUnknown,
  wrapUnknown,
} from "./proto-codec.ts";
import { int32, int64, listOf, opt, ptr, req, string, struct } from "./schema.ts";

test("encodeProto writes fields that are no pointers even when zero", () => {
  const Sample = struct("test.v1.Sample", {
    b: opt(2, string),
    a: opt(1, int32),
    c: ptr(3, int64),
    list: opt(4, listOf(int32)),
  });
  assert.equal(Buffer.from(encodeProto(Sample, {})).toString("hex"), "08001200");
  assert.equal(
    Buffer.from(encodeProto(Sample, { a: -1, b: "é", c: 300, list: [1, 2] })).toString("hex"),
    "08ffffffffffffffffff011202c3a918ac0220012002",
  );
  const packed = Buffer.from("2202010228ff01", "hex");
  assert.deepEqual(decodeProto(Sample, packed), { list: [1, 2] });
  assert.deepEqual(decodeProto(Sample, Buffer.from("18ffffffffffffffff7f", "hex")), {
    c: 9223372036854775807n,
  });
  assert.throws(() => decodeProto(Sample, Buffer.from("1205", "hex")), {
    message: "unexpected EOF",
  });
  assert.throws(() => decodeProto(Sample, Buffer.from("0801" + "0d00000000", "hex")), {
    message: "proto: wrong wireType = 5 for field A",
  });
});

test("a message longer than the writer's buffer is written whole", () => {
  const Sample = struct("test.v1.Long", { text: req(1, string) });
  const value = { text: "é".repeat(100_000) };
  assert.deepEqual(decodeProto(Sample, encodeProto(Sample, value)), value);
});

test("watch frames hold an event that holds an enveloped object", () => {
  const object = { metadata: { name: "a" }, data: { k: "v" } };
  const raw = encodeProto(configMaps.schema, object);
  const enveloped = wrapUnknown({ apiVersion: "v1", kind: "ConfigMap", raw });
  const event = encodeProto(WatchEvent, { type: "ADDED", object: { raw: enveloped } });
  const stream = Buffer.concat([frameProto(event), frameProto(event)]);
  const messages: Uint8Array[] = [];
  const reader = createFrameReader((message) => messages.push(Buffer.from(message)));
  for (const byte of stream) reader.push(Uint8Array.of(byte));
  assert.equal(messages.length, 2);
  for (const message of messages) {
    assert.equal(Buffer.compare(message, event), 0);
    const at = Buffer.from(message).indexOf("k8s\0");
    const envelope = unwrapUnknown(message.subarray(at));
    assert.equal(envelope?.kind, "ConfigMap");
    assert.deepEqual(decodeProto(configMaps.schema, envelope.raw), object);
  }
});

test("joinProtoList gives the bytes of the list", () => {
  const list = {
    metadata: { resourceVersion: "9" },
    items: [{ metadata: { name: "a" } }, { metadata: { name: "b" }, data: { k: "v" } }],
  };
  const joined = joinProtoList(
    encodeProto(ListMeta, list.metadata),
    list.items.map((item) => encodeProto(configMaps.schema, item)),
  );
  assert.equal(
    Buffer.compare(Buffer.concat(joined), encodeProto(listSchemaOf(configMaps.schema), list)),
    0,
  );
});

test("bytes that are no message are refused, whatever they are", () => {
  const whole = encodeProto(pods.schema, {
    metadata: { name: "a", labels: { k: "v" } },
    spec: { containers: [{ name: "c", resources: { limits: { cpu: "1" } } }] },
  });
  const damaged = fc.tuple(
    fc.nat(whole.length - 1),
    fc.integer({ min: 0, max: 255 }),
    fc.nat(whole.length),
  );
  const attempt = (bytes: Uint8Array): void => {
    try {
      decodeProto(pods.schema, bytes);
    } catch (error) {
      assert.ok(error instanceof ProtoError, String(error));
    }
  };
  fc.assert(
    fc.property(damaged, ([at, byte, length]) => {
      const bytes = Uint8Array.from(whole);
      bytes[at] = byte;
      attempt(bytes.subarray(0, length));
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt));
});

test("messages may not nest without end", () => {
  let schema: object = {};
  for (let depth = 0; depth < 400; depth++) schema = { properties: { a: schema } };
  const crd = { spec: { versions: [{ name: "v1", schema: { openAPIV3Schema: schema } }] } };
  const bytes = encodeProto(customResourceDefinitions.schema, crd);
  decodeProto(customResourceDefinitions.schema, bytes);
  for (let depth = 0; depth < 500; depth++) schema = { properties: { a: schema } };
  const deeper = { spec: { versions: [{ name: "v1", schema: { openAPIV3Schema: schema } }] } };
  assert.throws(
    () =>
      decodeProto(
        customResourceDefinitions.schema,
        encodeProto(customResourceDefinitions.schema, deeper),
      ),
    { message: "exceeded max depth" },
  );
});
