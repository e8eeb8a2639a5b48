/**
 * RFC 3339 times as Go reads and prints them. Objects carry times as text in UTC: whole seconds for
 * `time`, six decimals for `microTime`. Source: Go's time.Parse; meta/v1 Time and MicroTime.
 */

/** Text that is no time; the message is Go's. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

export const timeLayout = "2006-01-02T15:04:05Z07:00";
export const microTimeLayout = "2006-01-02T15:04:05.000000Z07:00";

export interface Instant {
  /** Since 1970, may be negative. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanos: number;
}

/** Seconds of Go's zero time, which means unset. */
export const zeroTimeSeconds = -62_135_596_800;

/** Throws a TimeError. */
export function parseTime(text: string): Instant {
  return parseWith(text, false);
}

/** Throws a TimeError; exactly six decimals are required. */
export function parseMicroTime(text: string): Instant {
  return parseWith(text, true);
}

export function isZeroTime({ seconds, nanos }: Instant): boolean {
  return seconds === zeroTimeSeconds && nanos === 0;
}

/** The last one printed: the times of one object are often the same. */
let lastFormatted = { seconds: Number.NaN, text: "" };

export function formatTime(seconds: number): string {
  if (seconds === lastFormatted.seconds) return lastFormatted.text;
  const date = new Date(seconds * 1000);
  const pad = (value: number): string => String(value).padStart(2, "0");
  const year = String(date.getUTCFullYear()).padStart(4, "0");
  const text =
    `${year}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}` +
    `T${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}Z`;
  lastFormatted = { seconds, text };
  return text;
}

export function formatMicroTime({ seconds, nanos }: Instant): string {
  const micros = String(Math.floor(nanos / 1000)).padStart(6, "0");
  return `${formatTime(seconds).slice(0, -1)}.${micros}Z`;
}

/** The `time` text of a clock's milliseconds. */
export function timeOfMs(ms: number): string {
  return formatTime(Math.floor(ms / 1000));
}

/** The `microTime` text of a clock's milliseconds. */
export function microTimeOfMs(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return formatMicroTime({ seconds, nanos: Math.floor((ms - seconds * 1000) * 1e6) });
}

/** Milliseconds since 1970 of a `time` or `microTime` text that was decoded before. */
export function msOfTime(text: string): number {
  return Date.parse(text);
}

const canonicalTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const canonicalMicroTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** The last text found to be canonical: the times of one object are often the same. */
let lastCanonical = "";

/** Canonical text of a `time`; undefined is Go's zero time. Throws a TimeError. */
export function canonicalTimeText(text: string): string | undefined {
  if (text !== "" && text === lastCanonical) return text;
  const instant = parseTime(text);
  if (isZeroTime(instant)) return undefined;
  if (!canonicalTime.test(text)) return formatTime(instant.seconds);
  lastCanonical = text;
  return text;
}

/** Canonical text of a `microTime`; undefined is Go's zero time. Throws a TimeError. */
export function canonicalMicroTimeText(text: string): string | undefined {
  const instant = parseMicroTime(text);
  if (isZeroTime(instant)) return undefined;
  return canonicalMicroTime.test(text) ? text : formatMicroTime(instant);
}

// --- Parsing -------------------------------------------------------------------------------

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

function parseWith(text: string, micro: boolean): Instant {
  const match = rfc3339.exec(text);
  if (match === null || (micro && match[7]?.length !== 6)) return parseSlowly(text, micro);
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHour, zoneMinute] = match;
  const fields: TimeFields = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    nanos: fraction === undefined ? 0 : nanosOf(fraction),
    offsetSeconds: 0,
  };
  if (sign !== undefined) {
    const offset = Number(zoneHour) * 3600 + Number(zoneMinute) * 60;
    fields.offsetSeconds = sign === "-" ? -offset : offset;
  }
  const { month: m, hour: h, minute: min, second: s } = fields;
  const inRange =
    m >= 1 &&
    m <= 12 &&
    h < 24 &&
    min < 60 &&
    s < 60 &&
    Number(zoneHour ?? 0) <= 24 &&
    Number(zoneMinute ?? 0) <= 60;
  return inRange ? instantOf(text, fields) : parseSlowly(text, micro);
}

interface TimeFields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanos: number;
  offsetSeconds: number;
}

function nanosOf(fraction: string): number {
  return Number(fraction.slice(0, 9).padEnd(9, "0"));
}

function instantOf(text: string, fields: TimeFields): Instant {
  const { year, month, day } = fields;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (day < 1 || date.getUTCDate() !== day) {
    throw new TimeError(`parsing time ${quoteGo(text)}: day out of range`);
  }
  const seconds = date.getTime() / 1000 + fields.hour * 3600 + fields.minute * 60 + fields.second;
  return { seconds: seconds - fields.offsetSeconds, nanos: fields.nanos };
}

/** What a layout consists of: literal text, or an element that reads into the fields. */
type Element = string | { readonly name: string; readonly read: Reader };

/** Returns what is left; undefined when the text does not fit. Throws an OutOfRange. */
type Reader = (rest: string, fields: TimeFields, micro: boolean) => string | undefined;

class OutOfRange {
  readonly what: string;
  readonly rest: string;
  constructor(what: string, rest: string) {
    this.what = what;
    this.rest = rest;
  }
}

function twoDigits(
  key: "month" | "day" | "hour" | "minute" | "second",
  range: { min: number; max: number; fixed: boolean },
): Reader {
  return (rest, fields) => {
    const match = (range.fixed ? /^\d\d/ : /^\d\d?/).exec(rest);
    if (match === null) return undefined;
    fields[key] = Number(match[0]);
    const left = rest.slice(match[0].length);
    if (fields[key] < range.min || fields[key] > range.max) throw new OutOfRange(key, left);
    return left;
  };
}

const readSecond = twoDigits("second", { min: 0, max: 59, fixed: true });

const elements: readonly Element[] = [
  {
    name: "2006",
    read: (rest, fields) => {
      if (!/^\d{4}/.test(rest)) return undefined;
      fields.year = Number(rest.slice(0, 4));
      return rest.slice(4);
    },
  },
  "-",
  { name: "01", read: twoDigits("month", { min: 1, max: 12, fixed: true }) },
  "-",
  { name: "02", read: twoDigits("day", { min: 0, max: 99, fixed: true }) },
  "T",
  { name: "15", read: twoDigits("hour", { min: 0, max: 23, fixed: false }) },
  ":",
  { name: "04", read: twoDigits("minute", { min: 0, max: 59, fixed: true }) },
  ":",
  {
    name: "05",
    read: (rest, fields, micro) => {
      const left = readSecond(rest, fields, micro);
      // Go takes a fraction that the layout does not name.
      const fraction = left === undefined || micro ? null : /^[.,](\d+)/.exec(left);
      if (fraction === null || left === undefined) return left;
      fields.nanos = nanosOf(fraction[1] ?? "");
      return left.slice(fraction[0].length);
    },
  },
  {
    name: ".000000",
    read: (rest, fields, micro) => {
      if (!micro) return rest;
      const match = /^[.,](\d{6})/.exec(rest);
      if (match === null) return undefined;
      fields.nanos = nanosOf(match[1] ?? "");
      return rest.slice(7);
    },
  },
  { name: "Z07:00", read: readZone },
];

function readZone(rest: string, fields: TimeFields): string | undefined {
  if (rest.startsWith("Z")) return rest.slice(1);
  const match = /^([+-])(\d\d):(\d\d)/.exec(rest);
  if (match === null) return undefined;
  const left = rest.slice(6);
  const [, sign, hour, minute] = match;
  if (Number(hour) > 24) throw new OutOfRange("time zone offset hour", left);
  if (Number(minute) > 60) throw new OutOfRange("time zone offset minute", left);
  const offset = Number(hour) * 3600 + Number(minute) * 60;
  fields.offsetSeconds = sign === "-" ? -offset : offset;
  return left;
}

/** The general parser: reads what the pattern does not, and finds out what is wrong. */
function parseSlowly(text: string, micro: boolean): Instant {
  const fields: TimeFields = {
    year: 0,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    nanos: 0,
    offsetSeconds: 0,
  };
  const quoted = quoteGo(text);
  let rest = text;
  for (const element of elements) {
    const name = typeof element === "string" ? element : element.name;
    let left: string | undefined;
    try {
      if (typeof element !== "string") left = element.read(rest, fields, micro);
      else left = rest.startsWith(element) ? rest.slice(element.length) : undefined;
    } catch (error) {
      if (!(error instanceof OutOfRange)) throw error;
      throw new TimeError(`parsing time ${quoted}: ${error.what} out of range`);
    }
    if (left === undefined) {
      const layout = quoteGo(micro ? microTimeLayout : timeLayout);
      const found = `cannot parse ${quoteGo(rest)} as ${quoteGo(name)}`;
      throw new TimeError(`parsing time ${quoted} as ${layout}: ${found}`);
    }
    rest = left;
  }
  if (rest !== "") throw new TimeError(`parsing time ${quoted}: extra text: ${quoteGo(rest)}`);
  return instantOf(text, fields);
}

/** Quotes as Go's time package does: bytes beyond printable ASCII as `\x..`. */
function quoteGo(text: string): string {
  let quoted = '"';
  for (const char of text) {
    if (char === '"' || char === "\\") quoted += `\\${char}`;
    else if (char >= " " && char <= "~") quoted += char;
    else quoted += Buffer.from(char).toString("hex").replace(/../g, "\\x$&");
  }
  return `${quoted}"`;
}
