import assert from "node:assert/strict";
import { test } from "node:test";
import { expand } from "./expand.ts";

const rows = [
  ["$(A)", "a"],
  ["x$(A)y$(B)", "xaybb"],
  ["$(UNKNOWN)", "$(UNKNOWN)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$a"],
  ["$", "$"],
  ["a$", "a$"],
  ["$A", "$A"],
  ["$(A", "$(A"],
  ["$(A) $$ $(", "a $ $("],
  ["$(LOOP)", "$(A)"],
] as const;

test("expand replaces known references only, once", () => {
  const known: Record<string, string> = { A: "a", B: "bb", LOOP: "$(A)" };
  for (const [text, expected] of rows)
    assert.equal(
      expand(text, (name) => known[name]),
      expected,
    );
});
