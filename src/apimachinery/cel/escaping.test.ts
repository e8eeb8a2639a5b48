import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeFieldName } from "./escaping.ts";

const names: readonly (readonly [name: string, escaped: string | undefined])[] = [
  ["replicas", "replicas"],
  ["if", "__if__"],
  ["namespace", "__namespace__"],
  ["self", "self"],
  ["a.b", "a__dot__b"],
  ["a-b", "a__dash__b"],
  ["a/b", "a__slash__b"],
  ["a__b", "a__underscores__b"],
  ["_a_b_", "_a_b_"],
  ["___", "__underscores___"],
  ["./-", "__dot____slash____dash__"],
  ["1a", undefined],
  ["a@b", undefined],
  ["a b", undefined],
  ["\u00e9", undefined],
  ["", undefined],
];

for (const [name, escaped] of names) {
  test(`${JSON.stringify(name)} in CEL`, () => assert.equal(escapeFieldName(name), escaped));
}
