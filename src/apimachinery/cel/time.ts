import { CelDuration, CelError, CelTimestamp, int64Max, int64Min } from "./value.ts";

const nsPerSecond = 1_000_000_000n;
const nsPerMs = 1_000_000n;
/** Start of year 1 and end of year 9999, in seconds since 1970. */
export const unixSecondsMin = -62_135_596_800n;
export const unixSecondsMax = 253_402_300_799n;

export function timestampFromNs(ns: bigint, offsetMinutes = 0): CelTimestamp {
  const seconds = floorDivide(ns, nsPerSecond);
  if (seconds < unixSecondsMin || seconds > unixSecondsMax) {
    throw new CelError("timestamp overflow");
  }
  return new CelTimestamp(ns, offsetMinutes);
}

export function durationFromNs(ns: bigint): CelDuration {
  if (ns < int64Min || ns > int64Max) throw new CelError("duration overflow");
  return new CelDuration(ns);
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

export function unixSeconds(timestamp: CelTimestamp): bigint {
  return floorDivide(timestamp.ns, nsPerSecond);
}

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Reads RFC 3339; undefined if it is none. Throws when out of range. */
export function parseTimestamp(text: string): CelTimestamp | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  const [fraction = "", sign = "+", offsetHour = "0", offsetMinute = "0"] = match.slice(7);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined;
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === "-" ? -1 : 1);
  const seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset * 60;
  const ns = BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return timestampFromNs(BigInt(seconds) * nsPerSecond + ns, offset);
}

/** Prints RFC 3339 with as many decimals as needed, in the zone it was written in. */
export function formatTimestamp(timestamp: CelTimestamp, offsetMinutes?: number): string {
  const offset = offsetMinutes ?? timestamp.offsetMinutes;
  const seconds = unixSeconds(timestamp);
  const date = new Date(Number(seconds + BigInt(offset * 60)) * 1000);
  const fraction = String(timestamp.ns - seconds * nsPerSecond)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const year = String(date.getUTCFullYear()).padStart(4, "0");
  const rest = date.toISOString().replace(/^[+-]?\d+(-\d\d-\d\dT[\d:]{8}).*$/, "$1");
  return `${year}${rest}${fraction === "" ? "" : `.${fraction}`}${formatOffset(offset)}`;
}

function formatOffset(minutes: number): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  const hours = String(Math.floor(size / 60)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${hours}:${String(size % 60).padStart(2, "0")}`;
}

const unitNs: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  "\u00b5s": 1_000n,
  "\u03bcs": 1_000n,
  ms: nsPerMs,
  s: nsPerSecond,
  m: 60n * nsPerSecond,
  h: 3600n * nsPerSecond,
};

/** Reads Go's form, e.g. `1h2m3.5s`; undefined if it is none or too long for an int64. */
export function parseDuration(text: string): CelDuration | undefined {
  const match = /^([+-]?)(0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/.exec(
    text,
  );
  if (match === null) return undefined;
  let ns = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of (match[2] ?? "").matchAll(
    /(\d*)\.?(\d*)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g,
  )) {
    const scale = unitNs[unit] ?? 1n;
    if (!/^0*\d{0,19}$/.test(whole)) return undefined;
    ns += BigInt(whole === "" ? 0 : whole) * scale;
    const decimals = fraction.slice(0, 18);
    if (decimals !== "") ns += (BigInt(decimals) * scale) / 10n ** BigInt(decimals.length);
  }
  const signed = match[1] === "-" ? -ns : ns;
  return signed < int64Min || signed > int64Max ? undefined : new CelDuration(signed);
}

/** `string(d)`: seconds with as many decimals as a double needs. */
export function formatDuration(duration: CelDuration): string {
  const whole = duration.ns / nsPerSecond;
  const rest = Number(duration.ns % nsPerSecond) / 1e9;
  const seconds = Number(whole) + rest;
  return `${plainDecimal(seconds)}s`;
}

/** A double without exponent. */
export function plainDecimal(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Calendar fields of a timestamp in a time zone; all counted as CEL does. */
export interface CalendarFields {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  /** From 0. */
  readonly dayOfYear: number;
  /** From 1. */
  readonly date: number;
  /** Sunday is 0. */
  readonly dayOfWeek: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly ms: number;
}

export function calendarFields(timestamp: CelTimestamp, zone: string): CalendarFields {
  const ms = Number(floorDivide(timestamp.ns, nsPerMs));
  const local = new Date(ms + zoneOffsetMs(zone, ms));
  const yearStart = new Date(0);
  yearStart.setUTCFullYear(local.getUTCFullYear(), 0, 1);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    dayOfYear: Math.floor((local.getTime() - yearStart.getTime()) / 86_400_000),
    date: local.getUTCDate(),
    dayOfWeek: local.getUTCDay(),
    hours: local.getUTCHours(),
    minutes: local.getUTCMinutes(),
    seconds: local.getUTCSeconds(),
    ms: local.getUTCMilliseconds(),
  };
}

function zoneOffsetMs(zone: string, ms: number): number {
  if (zone === "UTC" || zone === "") return 0;
  const colon = zone.indexOf(":");
  if (colon === -1) return namedOffsetMs(zone, ms);
  const hours = goInteger(zone.slice(0, colon));
  const minutes = goInteger(zone.slice(colon + 1));
  if (minutes < 0 || minutes > 59) {
    throw new CelError(`timezone offset minutes out of range [0, 59]: ${zone}`);
  }
  const total = zone.startsWith("-") ? hours * 60 - minutes : hours * 60 + minutes;
  return total * 60_000;
}

function goInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new CelError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}

/** Time zones whose rules are kept ready. */
const zonesMax = 64;
const zones = new Map<string, Intl.DateTimeFormat>();

function namedOffsetMs(zone: string, ms: number): number {
  const parts = zoneFormat(zone).formatToParts(new Date(ms));
  const fields: Record<string, number> = {};
  for (const part of parts) fields[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  const wall = new Date(0);
  wall.setUTCFullYear(year, month - 1, day);
  wall.setUTCHours(hour, minute, second);
  return wall.getTime() - Math.floor(ms / 1000) * 1000;
}

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
  if (zones.size >= zonesMax) zones.clear();
  zones.set(zone, made);
  return made;
}
