import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIndexes, parseIndexes } from "./indexes.ts";

test("index sets are written as upstream writes them, and read back", () => {
  const rows: [number[], string][] = [
    [[], ""],
    [[3], "3"],
    [[1, 0], "0,1"],
    [[0, 1, 2], "0-2"],
    [[7, 2, 3, 4, 0], "0,2-4,7"],
  ];
  for (const [indexes, text] of rows) {
    assert.equal(formatIndexes(new Set(indexes)), text);
    assert.deepEqual(
      [...parseIndexes(text, 100)],
      indexes.toSorted((a, b) => a - b),
    );
  }
  assert.deepEqual([...parseIndexes("0-9", 3)], [0, 1, 2]);
});
