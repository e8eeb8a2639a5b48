import assert from "node:assert/strict";
import { test } from "node:test";
import { ageText, humanDuration } from "./columns.ts";

test("humanDuration drops units as Go does", () => {
  const minuteMs = 60_000;
  const hourMs = 60 * minuteMs;
  const dayMs = 24 * hourMs;
  const rows: [spanMs: number, text: string][] = [
    [-5000, "<invalid>"],
    [-500, "0s"],
    [119_999, "119s"],
    [2 * minuteMs, "2m"],
    [9 * minuteMs + 59_000, "9m59s"],
    [10 * minuteMs + 59_000, "10m"],
    [179 * minuteMs, "179m"],
    [3 * hourMs, "3h"],
    [7 * hourMs + 59 * minuteMs, "7h59m"],
    [8 * hourMs + 59 * minuteMs, "8h"],
    [47 * hourMs, "47h"],
    [50 * hourMs, "2d2h"],
    [8 * dayMs + 5 * hourMs, "8d"],
    [729 * dayMs, "729d"],
    [731 * dayMs, "2y1d"],
    [8 * 365 * dayMs + dayMs, "8y"],
  ];
  for (const [spanMs, text] of rows) assert.equal(humanDuration(spanMs), text);
});

test("ageText of an absent time is unknown", () => {
  assert.equal(ageText(undefined, 0), "<unknown>");
  assert.equal(ageText("1970-01-01T00:00:00Z", 5000), "5s");
});
