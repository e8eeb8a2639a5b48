import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ObjectMeta } from "./meta/object-meta.ts";
import {
  firstItemHead,
  listHead,
  listTail,
  nextItemHead,
  spliceResourceVersion,
  stripTypeMeta,
  withResourceVersion,
} from "./encoded-object.ts";
import { encodeJson } from "./json-codec.ts";
import { kind, req } from "./schema.ts";
import { arbitraryOf } from "./testing/arbitrary.ts";

const Thing = kind("test.v1.Thing", { metadata: req(1, ObjectMeta) });

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

test("spliceResourceVersion finds the place whatever strings contain", () => {
  const rows: [before: string, after: string][] = [
    [
      '{"kind":"A","apiVersion":"v1","metadata":{}}',
      '{"kind":"A","apiVersion":"v1","metadata":{"resourceVersion":"7"}}',
    ],
    [
      String.raw`{"kind":"\"metadata\":{","apiVersion":"v1","metadata":{"name":"a\\\"}","uid":"}","generation":1}}`,
      String.raw`{"kind":"\"metadata\":{","apiVersion":"v1","metadata":{"name":"a\\\"}","uid":"}","resourceVersion":"7","generation":1}}`,
    ],
    [
      '{"metadata":{"labels":{"name":"x"}},"data":null}',
      '{"metadata":{"resourceVersion":"7","labels":{"name":"x"}},"data":null}',
    ],
    [
      '{"a":[1,{"b":"]}"}],"metadata":{"name":"x"}}',
      '{"a":[1,{"b":"]}"}],"metadata":{"name":"x","resourceVersion":"7"}}',
    ],
    ['{"a":1}', '{"a":1}'],
  ];
  for (const [before, after] of rows) {
    assert.equal(text(spliceResourceVersion(Buffer.from(before), 7)), after);
  }
  const sorted =
    '{"apiVersion":"v1","kind":"A","metadata":{"annotations":{"z":"}"},"name":"x","uid":"u"}}';
  assert.equal(
    text(spliceResourceVersion(Buffer.from(sorted), 7n, "sorted")),
    sorted.replace(',"uid"', ',"resourceVersion":"7","uid"'),
  );
});

test("bytes and objects get the same resourceVersion at the same place", () => {
  fc.assert(
    fc.property(arbitraryOf(Thing), (value) => {
      const thing = { ...(value as { metadata?: object }) };
      thing.metadata = { ...thing.metadata, resourceVersion: undefined };
      const spliced = spliceResourceVersion(encodeJson(Thing, thing), 42);
      assert.equal(text(spliced), text(encodeJson(Thing, withResourceVersion(thing, 42))));
    }),
  );
  const { metadata } = withResourceVersion({ metadata: { uid: "u", generation: 1 } }, 5);
  assert.deepEqual(Object.keys(metadata), ["uid", "resourceVersion", "generation"]);
});

test("a list is joined from the bytes of its items", () => {
  const items = ["a", "b"].map((name) =>
    Buffer.from(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"${name}"}}`),
  );
  const chunks = items.flatMap((item, i) => [
    i === 0 ? firstItemHead : nextItemHead,
    stripTypeMeta(item) ?? item,
  ]);
  const joined = [listHead("PodList", "v1", { resourceVersion: "9" }), ...chunks, listTail];
  assert.deepEqual(JSON.parse(text(Buffer.concat(joined))), {
    kind: "PodList",
    apiVersion: "v1",
    metadata: { resourceVersion: "9" },
    items: [{ metadata: { name: "a" } }, { metadata: { name: "b" } }],
  });
  assert.equal(stripTypeMeta(Buffer.from('{"apiVersion":"v1","kind":"X"}')), undefined);
  assert.equal(
    text(stripTypeMeta(Buffer.from('{"kind":"X","apiVersion":"v1"}')) ?? new Uint8Array()),
    "}",
  );
});
