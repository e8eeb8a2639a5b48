import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalDuration } from "./go-duration.ts";
import {
  canonicalMicroTimeText,
  canonicalTimeText,
  microTimeOfMs,
  msOfTime,
  timeOfMs,
} from "./go-time.ts";

test("canonicalTimeText reads RFC 3339 as Go does", () => {
  const rows: [text: string, canonical: string | undefined][] = [
    ["2020-02-29T01:02:03Z", "2020-02-29T01:02:03Z"],
    ["2020-02-29T01:02:03.999Z", "2020-02-29T01:02:03Z"],
    ["2020-02-29T01:02:03,5Z", "2020-02-29T01:02:03Z"],
    ["2020-02-29T01:02:03+05:30", "2020-02-28T19:32:03Z"],
    ["2020-02-29T1:02:03Z", "2020-02-29T01:02:03Z"],
    ["0099-01-01T00:00:00Z", "0099-01-01T00:00:00Z"],
    ["0001-01-01T00:00:00Z", undefined],
  ];
  for (const [text, canonical] of rows) assert.equal(canonicalTimeText(text), canonical, text);
});

test("canonicalTimeText refuses with Go's texts", () => {
  const layout = '"2006-01-02T15:04:05Z07:00"';
  const rows: [text: string, rest: string][] = [
    ["", `"" as ${layout}: cannot parse "" as "2006"`],
    ["now", `"now" as ${layout}: cannot parse "now" as "2006"`],
    ["2020-01-01", `"2020-01-01" as ${layout}: cannot parse "" as "T"`],
    [
      "2020-01-01 00:00:00Z",
      `"2020-01-01 00:00:00Z" as ${layout}: cannot parse " 00:00:00Z" as "T"`,
    ],
    ["2020-01-01T00:00:00", `"2020-01-01T00:00:00" as ${layout}: cannot parse "" as "Z07:00"`],
    ["2020-13-01T00:00:00Z", '"2020-13-01T00:00:00Z": month out of range'],
    ["2020-02-30T00:00:00Z", '"2020-02-30T00:00:00Z": day out of range'],
    ["2020-01-01T24:00:00Z", '"2020-01-01T24:00:00Z": hour out of range'],
    ["2020-01-01T00:00:00Zx", '"2020-01-01T00:00:00Zx": extra text: "x"'],
    ["é", String.raw`"\xc3\xa9" as ${layout}: cannot parse "\xc3\xa9" as "2006"`],
  ];
  for (const [text, rest] of rows) {
    assert.throws(() => canonicalTimeText(text), { message: `parsing time ${rest}` }, text);
  }
});

test("canonicalMicroTimeText wants six decimals", () => {
  assert.equal(
    canonicalMicroTimeText("2020-01-01T00:00:00.123456Z"),
    "2020-01-01T00:00:00.123456Z",
  );
  assert.equal(
    canonicalMicroTimeText("2020-01-01T01:00:00.123456+01:00"),
    "2020-01-01T00:00:00.123456Z",
  );
  assert.throws(() => canonicalMicroTimeText("2020-01-01T00:00:00.123Z"), {
    message:
      'parsing time "2020-01-01T00:00:00.123Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse ".123Z" as ".000000"',
  });
});

test("clock milliseconds become texts and back", () => {
  assert.equal(timeOfMs(1_600_000_000_999), "2020-09-13T12:26:40Z");
  assert.equal(microTimeOfMs(1_600_000_000_999), "2020-09-13T12:26:40.999000Z");
  assert.equal(msOfTime("2020-09-13T12:26:40.999000Z"), 1_600_000_000_999);
});

test("canonicalDuration prints as Go does", () => {
  const rows: [text: string, canonical: string][] = [
    ["0", "0s"],
    ["1h", "1h0m0s"],
    ["90m", "1h30m0s"],
    ["-1.5s", "-1.5s"],
    ["1500us", "1.5ms"],
    ["10ns", "10ns"],
    [".5m", "30s"],
    ["1h2m3.004s", "1h2m3.004s"],
  ];
  for (const [text, canonical] of rows) assert.equal(canonicalDuration(text), canonical, text);
  const refused: [text: string, message: string][] = [
    ["", 'time: invalid duration ""'],
    ["3", 'time: missing unit in duration "3"'],
    ["3x", 'time: unknown unit "x" in duration "3x"'],
    ["s", 'time: invalid duration "s"'],
    ["99999999999h", 'time: invalid duration "99999999999h"'],
  ];
  for (const [text, message] of refused) assert.throws(() => canonicalDuration(text), { message });
});
