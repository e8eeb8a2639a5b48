import type { Schema } from "../schema.ts";
import { unifiedDiff } from "../text-diff.ts";
import { internalValue } from "./go-value.ts";

/** What changed, as upstream shows it: its internal types' JSON, compared line by line. */
export function internalDiff(schema: Schema, old: unknown, now: unknown): string {
  const lines = (value: unknown): string[] =>
    JSON.stringify(internalValue(schema, value), undefined, 1).split("\n");
  return unifiedDiff(lines(old), lines(now));
}
