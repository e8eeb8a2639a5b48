export interface LocalTime {
  readonly day: number;
  /** 1 .. 12. */
  readonly month: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly year: number;
  readonly second: number;
  /** Minutes that local time is ahead of UTC. */
  readonly offsetMinutes: number;
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>();

/** Most zones whose formatter is kept. */
const formatsMax = 600;

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(zone)) {
    if (formats.size >= formatsMax) formats.clear();
    formats.set(zone, makeFormat(zone));
  }
  return formats.get(zone);
}

function makeFormat(zone: string): Intl.DateTimeFormat | undefined {
  try {
    const numeric = "numeric";
    return new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    });
  } catch {
    return undefined;
  }
}

/** Go reads zones from the tz database by their exact names; offsets and "Local" are none. */
export function isTimeZone(zone: string): boolean {
  return (
    zone !== "" &&
    !/^[+-]/.test(zone) &&
    zone.toLowerCase() !== "local" &&
    formatOf(zone) !== undefined
  );
}

/** The wall clock of a zone at a moment. */
export function inZone(zone: string, epochMs: number): LocalTime {
  const shiftedMs = zone === "UTC" || zone === "Etc/UTC" ? epochMs : wallMs(zone, epochMs);
  const wall = new Date(shiftedMs);
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    weekday: wall.getUTCDay(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
    offsetMinutes: Math.round((shiftedMs - epochMs) / 60_000),
  };
}

/** The zone's wall clock as if it were UTC. */
function wallMs(zone: string, epochMs: number): number {
  const format = formatOf(zone);
  if (format === undefined) throw new RangeError(`unknown time zone ${zone}`);
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(epochMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (epochMs % 1000);
}

/** RFC 3339 in the zone, whole seconds. */
export function rfc3339InZone(zone: string, epochMs: number): string {
  const { offsetMinutes } = inZone(zone, epochMs);
  const local = new Date(epochMs + offsetMinutes * 60_000).toISOString().slice(0, 19);
  if (offsetMinutes === 0) return `${local}Z`;
  const sign = offsetMinutes < 0 ? "-" : "+";
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.abs(offsetMinutes);
  return `${local}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
