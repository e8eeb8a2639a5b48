import assert from "node:assert/strict";
import { test } from "node:test";
import { unifiedDiff } from "./text-diff.ts";

test("equal texts have no diff", () => {
  assert.equal(unifiedDiff(["a", "b"], ["a", "b"]), "");
  assert.equal(unifiedDiff([], []), "");
});

test("a changed line stands between three lines of context", () => {
  const before = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
  const after = before.map((line) => (line === "5" ? "five" : line));
  assert.equal(unifiedDiff(before, after), "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
});

test("changes near each other share a hunk, far ones do not", () => {
  const before = Array.from({ length: 20 }, (_, i) => String(i));
  const near = before.filter((line) => line !== "4" && line !== "8");
  assert.equal(unifiedDiff(before, near).match(/^@@/gm)?.length, 1);
  const far = before.filter((line) => line !== "2" && line !== "17");
  assert.equal(unifiedDiff(before, far).match(/^@@/gm)?.length, 2);
});

test("ranges of one line and of none are written as difflib does", () => {
  assert.equal(unifiedDiff(["a"], ["b"]), "@@ -1 +1 @@\n-a\n+b\n");
  assert.equal(unifiedDiff([], ["a", "b"]), "@@ -0,0 +1,2 @@\n+a\n+b\n");
});

test("an item that is added first stands before the brace of the next, as difflib finds it", () => {
  const item = (name: string): string[] => [" {", `  "${name}"`, "  null", " },"];
  const before = ["[", ...item("b"), "]"];
  assert.equal(unifiedDiff(before, ["[", ...item("a"), ...item("b"), "]"]), '@@ -1,4 +1,8 @@\n [\n+ {\n+  "a"\n+  null\n+ },\n  {\n   "b"\n   null\n');
});

test("in long texts frequent lines begin no block", () => {
  const before = Array.from({ length: 250 }, (_, i) => (i % 2 === 0 ? "null" : `line ${i}`));
  const after = ["null", "new", ...before];
  assert.equal(unifiedDiff(before, after), "@@ -1,3 +1,5 @@\n+null\n+new\n null\n line 1\n null\n");
});
