import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSchedule } from "./schedule.ts";
import { isTimeZone, rfc3339InZone } from "./time-zone.ts";

/** The next `count` moments after `from`, in the zone. */
function upcoming(text: string, from: string, { zone = "UTC", count = 1 } = {}): string[] {
  const schedule = parseSchedule(text, zone);
  const moments: string[] = [];
  for (let at: number | undefined = Date.parse(from), i = 0; i < count && at !== undefined; i++) {
    at = schedule.next(at);
    if (at !== undefined) moments.push(rfc3339InZone(zone, at));
  }
  return moments;
}

test("the next moment of a schedule", () => {
  const rows: [schedule: string, from: string, next: string][] = [
    ["* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"],
    ["* * * * *", "2026-01-01T00:00:59Z", "2026-01-01T00:01:00Z"],
    ["*/15 * * * *", "2026-01-01T00:46:00Z", "2026-01-01T01:00:00Z"],
    ["5/20 * * * *", "2026-01-01T00:06:00Z", "2026-01-01T00:25:00Z"],
    ["0 9-17/4 * * MON-FRI", "2026-01-02T18:00:00Z", "2026-01-05T09:00:00Z"],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"],
    ["0 0 31 feb *", "2026-01-01T00:00:00Z", ""],
    ["0 0 13 * fri", "2026-02-01T00:00:00Z", "2026-02-06T00:00:00Z"],
    ["0 0 13 * *", "2026-02-01T00:00:00Z", "2026-02-13T00:00:00Z"],
    ["0 0 */1 * fri", "2026-02-01T00:00:00Z", "2026-02-06T00:00:00Z"],
    ["59 23 31 12 ?", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"],
    ["@hourly", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"],
    ["@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"],
    ["@every 1h30m", "2026-01-01T00:00:00Z", "2026-01-01T01:30:00Z"],
    ["@every 1ms", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"],
    ["TZ=Asia/Tokyo 0 9 * * *", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"],
  ];
  for (const [schedule, from, next] of rows)
    assert.equal(upcoming(schedule, from)[0] ?? "", next, schedule);
});

test("a time of day that is skipped does not fire, one that repeats fires twice", () => {
  const zone = "America/New_York";
  assert.deepEqual(upcoming("30 2 * * *", "2026-03-07T12:00:00Z", { zone, count: 2 }), [
    "2026-03-09T02:30:00-04:00",
    "2026-03-10T02:30:00-04:00",
  ]);
  assert.deepEqual(upcoming("30 1 * * *", "2026-11-01T00:00:00Z", { zone, count: 3 }), [
    "2026-11-01T01:30:00-04:00",
    "2026-11-01T01:30:00-05:00",
    "2026-11-02T01:30:00-05:00",
  ]);
  assert.deepEqual(upcoming("0 0 * * *", "2026-10-31T12:00:00Z", { zone, count: 3 }), [
    "2026-11-01T00:00:00-04:00",
    "2026-11-02T00:00:00-05:00",
    "2026-11-03T00:00:00-05:00",
  ]);
});

test("days that begin at one o'clock are found", () => {
  const zone = "America/Asuncion";
  assert.deepEqual(upcoming("15 * 6 10 *", "2024-10-05T12:00:00Z", { zone }), [
    "2024-10-06T01:15:00-03:00",
  ]);
});

test("what is no schedule is refused", () => {
  for (const text of [
    "",
    "* * * *",
    "60 * * * *",
    "* * 0 * *",
    "*/0 * * * *",
    "5-1 * * * *",
    "@often",
    "@every x",
    "a * * * *",
    "1/2/3 * * * *",
  ]) {
    assert.throws(() => parseSchedule(text), { name: "ScheduleError" }, text);
  }
  assert.deepEqual(["UTC", "Europe/Paris", "Nowhere/City", "", "+01:00", "Local"].map(isTimeZone), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
