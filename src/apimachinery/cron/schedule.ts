/**
 * Cron schedules as robfig/cron/v3 reads them (`ParseStandard`): five fields, names of months and
 * weekdays, `@hourly` and the like, `@every 1h30m`, and an optional `TZ=` in front. When both day
 * fields are restricted, either matching is enough.
 */
import { inZone, type LocalTime } from "./time-zone.ts";

export interface Schedule {
  /** The first moment after `afterMs`; undefined when there is none in the next five years. */
  next(afterMs: number): number | undefined;
}

/** A text that is no schedule; the message is upstream's where users see it often. */
export class ScheduleError extends Error {
  override readonly name = "ScheduleError";
}

const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

interface FieldSpec {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const fieldSpecs: readonly FieldSpec[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  {
    min: 1,
    max: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

interface FieldSet {
  readonly values: ReadonlySet<number>;
  /** Written as `*` or `?`: matters for how the two day fields combine. */
  readonly any: boolean;
}

interface Fields {
  readonly minute: FieldSet;
  readonly hour: FieldSet;
  readonly day: FieldSet;
  readonly month: FieldSet;
  readonly weekday: FieldSet;
}

const minuteMs = 60_000;
const hourMs = 3_600_000;
const yearsMax = 5;

/** `zone` is an IANA name; a `TZ=` of the text itself comes first. */
export function parseSchedule(text: string, zone = "UTC"): Schedule {
  const prefixed = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(text);
  const local = prefixed?.[1] ?? zone;
  const spec = (prefixed?.[2] ?? text).trim();
  if (spec === "") throw new ScheduleError("empty spec string");
  const every = /^@every (.+)$/.exec(spec)?.[1];
  if (every !== undefined) return everySchedule(every);
  const plain = spec.startsWith("@") ? descriptors[spec] : spec;
  if (plain === undefined) throw new ScheduleError(`unrecognized descriptor: ${spec}`);
  const fields = parseFields(plain);
  return { next: (afterMs) => nextMatch(fields, local, afterMs) };
}

function parseFields(text: string): Fields {
  const parts = text.split(/\s+/).filter(Boolean);
  if (parts.length !== 5) {
    throw new ScheduleError(
      `expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`,
    );
  }
  const [minute, hour, day, month, weekday] = parts.map((part, i) =>
    parseField(part, fieldSpecs[i] as FieldSpec),
  );
  return { minute, hour, day, month, weekday } as Fields;
}

function parseField(text: string, spec: FieldSpec): FieldSet {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(",")) {
    const range = parseRange(part, spec);
    for (let value = range.first; value <= range.last; value += range.step) values.add(value);
    any ||= range.any;
  }
  return { values, any };
}

function parseRange(
  text: string,
  spec: FieldSpec,
): { first: number; last: number; step: number; any: boolean } {
  const [range = "", stepText, ...more] = text.split("/");
  const [low = "", high, ...others] = range.split("-");
  if (more.length > 0) throw new ScheduleError(`too many slashes: ${text}`);
  if (others.length > 0) throw new ScheduleError(`too many hyphens: ${text}`);
  const wild = low === "*" || low === "?";
  const first = wild ? spec.min : parseValue(low, spec);
  const single = high === undefined ? first : parseValue(high, spec);
  const last = wild || (stepText !== undefined && high === undefined) ? spec.max : single;
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  if (first < spec.min)
    throw new ScheduleError(`beginning of range (${first}) below minimum (${spec.min}): ${text}`);
  if (last > spec.max)
    throw new ScheduleError(`end of range (${last}) above maximum (${spec.max}): ${text}`);
  if (first > last)
    throw new ScheduleError(`beginning of range (${first}) beyond end of range (${last}): ${text}`);
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${text}`);
  return { first, last, step, any: wild && step === 1 };
}

function parseValue(text: string, { names, min }: FieldSpec): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + min : parseNumber(text);
}

function parseNumber(text: string): number {
  if (!/^\d+$/.test(text))
    throw new ScheduleError(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

const unitMs: Readonly<Record<string, number>> = {
  h: hourMs,
  m: minuteMs,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** A constant delay of whole seconds, at least one. */
function everySchedule(text: string): Schedule {
  if (!/^(\d+(\.\d+)?(h|ms|m|s|us|µs|ns))+$/.test(text)) {
    throw new ScheduleError(
      `failed to parse duration @every ${text}: time: invalid duration ${JSON.stringify(text)}`,
    );
  }
  let totalMs = 0;
  for (const [, count = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)) {
    totalMs += Number(count) * (unitMs[unit] ?? 0);
  }
  const delayMs = Math.max(1000, Math.floor(totalMs / 1000) * 1000);
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + delayMs };
}

/**
 * Walks forward in real time and reads the local clock at each step, so that a time of day that
 * is skipped when clocks go forward does not fire, and one that repeats fires twice.
 */
function nextMatch(fields: Fields, zone: string, afterMs: number): number | undefined {
  let atMs = Math.floor(afterMs / minuteMs) * minuteMs + minuteMs;
  const endMs = afterMs + yearsMax * 366 * 24 * hourMs;
  while (atMs < endMs) {
    const local = inZone(zone, atMs);
    if (!matchesDay(fields, local)) atMs = nextMidnight(zone, atMs, local);
    else if (!fields.hour.values.has(local.hour)) atMs += hourMs - local.minute * minuteMs;
    else if (!fields.minute.values.has(local.minute)) atMs += minuteMs;
    else return atMs;
  }
  return undefined;
}

function matchesDay({ month, day, weekday }: Fields, local: LocalTime): boolean {
  if (!month.values.has(local.month)) return false;
  const [ofMonth, ofWeek] = [day.values.has(local.day), weekday.values.has(local.weekday)];
  return day.any || weekday.any ? ofMonth && ofWeek : ofMonth || ofWeek;
}

/** The start of the next local day, which is not always 24 hours away nor at 0:00. */
function nextMidnight(zone: string, atMs: number, local: LocalTime): number {
  const guessMs = atMs + (24 - local.hour) * hourMs - local.minute * minuteMs;
  const landed = inZone(zone, guessMs);
  if (landed.day === local.day)
    return guessMs + (24 - landed.hour) * hourMs - landed.minute * minuteMs;
  const earlierMs = guessMs - landed.hour * hourMs - landed.minute * minuteMs;
  return landed.hour > 0 && inZone(zone, earlierMs).day === landed.day ? earlierMs : guessMs;
}
