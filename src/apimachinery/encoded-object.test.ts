import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ObjectMeta } from "./meta/object-meta.ts";
import { spliceResourceVersion, withResourceVersion, writeListItem } from "./encoded-object.ts";
import { JsonChunks } from "./json-chunks.ts";
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

test("writeListItem leaves out the type and adds the resourceVersion", () => {
  const written = (encoded: string, revision?: number): string => {
    const out = new JsonChunks(10);
    writeListItem(out, Buffer.from(encoded), revision);
    return text(Buffer.concat(out.finish()));
  };
  const rows: [encoded: string, revision: number | undefined, item: string][] = [
    ['{"kind":"A","apiVersion":"v1","metadata":{"name":"a"}}', 7, '{"metadata":{"name":"a","resourceVersion":"7"}}'],
    ['{"kind":"A","apiVersion":"v1","metadata":{"name":"\u00e4"}}', undefined, '{"metadata":{"name":"\u00e4"}}'],
    ['{"kind":"A","apiVersion":"v1"}', 7, "{}"],
    ['{"metadata":{},"data":null}', 7, '{"metadata":{"resourceVersion":"7"},"data":null}'],
    ['{"apiVersion":"v1","kind":"A"}', undefined, '{"apiVersion":"v1","kind":"A"}'],
  ];
  for (const [encoded, revision, item] of rows) assert.equal(written(encoded, revision), item);
});

test("JsonChunks holds what was written, whatever the sizes", () => {
  const out = new JsonChunks(100);
  const pieces = Array.from({ length: 40 }, (_, i) => `${i}\u00e9`.repeat(i * 2000));
  for (const [i, piece] of pieces.entries()) {
    if (i % 2 === 0) out.writeText(piece);
    else out.write(Buffer.from(`[${piece}]`), 1, Buffer.byteLength(piece) + 1);
  }
  const chunks = out.finish();
  assert.ok(text(Buffer.concat(chunks)) === pieces.join(""));
  assert.ok(chunks.length < 10);
});
