import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJsonStrict, typedJson } from "#wire/json.ts";
import { mergeRepeated } from "./repeated-members.ts";
import { bool, int32, kind, listOf, mapOf, opt, ptr, rawObject, ref, req, type StructSchema, string, struct, type Fields } from "./schema.ts";

const Item: StructSchema<Fields> = struct("io.k8s.test.v1.Item", {
  name: req(1, string),
  count: ptr(2, int32),
  labels: opt(3, mapOf(string)),
  flag: opt(4, bool),
  items: opt(5, listOf(ref(() => Item))),
  byName: opt(6, mapOf(ref(() => Item))),
  next: ptr(7, ref(() => Item)),
  raw: opt(8, rawObject),
});

const Root = kind("io.k8s.test.v1.Root", { spec: opt(1, Item) });

const cases: readonly [what: string, text: string, expected: unknown][] = [
  ["scalars: the last", '{"name":"a","name":"b"}', { name: "b" }],
  ["null leaves a value alone", '{"name":"a","name":null,"flag":true,"flag":null}', { name: "a", flag: true }],
  ["null unsets a pointer", '{"count":1,"count":null}', { count: null }],
  ["structs are merged", '{"next":{"name":"a","count":1},"next":{"name":"b"}}', { next: { name: "b", count: 1 } }],
  ["a pointer begins anew after null", '{"next":{"count":1},"next":null,"next":{"name":"b"}}', { next: { name: "b" } }],
  ["keys of maps are merged", '{"labels":{"a":"1","b":"2"},"labels":{"b":"3","c":null}}', { labels: { a: "1", b: "3", c: null } }],
  ["values of maps are not", '{"byName":{"a":{"name":"a","count":1},"a":{"name":"b"}}}', { byName: { a: { name: "b" } } }],
  [
    "items of lists are merged by index",
    '{"items":[{"name":"a","count":1},{"name":"b"}],"items":[{"name":"c"}]}',
    { items: [{ name: "c", count: 1 }] },
  ],
  ["repeated members within repeated members", '{"next":{"count":1,"count":2},"next":{"name":"a","name":"b"}}', { next: { name: "b", count: 2 } }],
  ["raw objects: the last, and null is nothing", '{"raw":{"a":1},"raw":{"b":1},"raw":null}', { raw: { b: 1 } }],
  ["wrong types stay for the decoder to refuse", '{"next":{"name":"a"},"next":[1]}', { next: [1] }],
];

for (const [what, text, spec] of cases) {
  test(`mergeRepeated: ${what}`, () => {
    const { value } = parseJsonStrict(`{"kind":"A","spec":${text},"kind":"B"}`, typedJson);
    assert.deepEqual(mergeRepeated(Root, value), { kind: "B", spec });
  });
}
