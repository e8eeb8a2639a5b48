import assert from "node:assert/strict";
import { test } from "node:test";
import { revisionOf } from "./annotations.ts";

test("a revision is what Go reads as an int64, else 0", () => {
  const rows: readonly (readonly [text: string, revision: bigint])[] = [
    ["7", 7n],
    ["+7", 7n],
    ["-7", -7n],
    ["007", 7n],
    ["9223372036854775807", 9223372036854775807n],
    ["9223372036854775808", 0n],
    ["99999999999999999999", 0n],
    ["-9223372036854775808", -9223372036854775808n],
    ["1e2", 0n],
    ["", 0n],
    ["x", 0n],
  ];
  for (const [text, revision] of rows) {
    const annotations = { "deployment.kubernetes.io/revision": text };
    assert.equal(revisionOf({ metadata: { annotations } }), revision, text);
  }
  assert.equal(revisionOf({}), 0n);
});
