import assert from "node:assert/strict";
import { test } from "node:test";
import { createUsageRates } from "./usage-rates.ts";

test("rates are what was used between two looks", () => {
  const rates = createUsageRates();
  const look = (timeMs: number, counters: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      rates.look(
        new Map(Object.entries(counters).map(([key, usageCoreNanoSeconds]) => [key, { timeMs, usageCoreNanoSeconds }])),
      ),
    );
  const cases: [string, number, Record<string, number>, Record<string, number>][] = [
    ["nothing at first", 0, { a: 5e9 }, {}],
    ["half a core for two seconds; b is new", 2_000, { a: 6e9, b: 1e9 }, { a: 5e8 }],
    ["too soon for a new rate", 2_500, { a: 7e9, b: 2e9 }, { a: 5e8 }],
    ["since the last look that counted", 4_000, { a: 7e9, b: 2e9 }, { a: 5e8, b: 5e8 }],
    ["a counter that went back, and one that has gone", 6_000, { a: 1 }, {}],
    ["from there on", 8_000, { a: 2e9 + 1, b: 9e9 }, { a: 1e9 }],
  ];
  for (const [name, timeMs, counters, expected] of cases) assert.deepEqual(look(timeMs, counters), expected, name);
});
