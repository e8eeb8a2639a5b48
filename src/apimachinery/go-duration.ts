/** Go's duration texts (`1h0m0s`, `1.5s`). Source: Go's time.ParseDuration and Duration.String. */

/** Text that is no duration; the message is Go's. */
export class DurationError extends Error {
  override readonly name = "DurationError";
}

const unitNanos = new Map<string, bigint>([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

const int64Max = (1n << 63n) - 1n;

/** Nanoseconds; throws a DurationError. */
export function parseDuration(text: string): bigint {
  const quoted = JSON.stringify(text);
  const refused = (): DurationError => new DurationError(`time: invalid duration ${quoted}`);
  const negative = text.startsWith("-");
  let rest = /^[-+]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return 0n;
  if (rest === "") throw refused();
  let total = 0n;
  while (rest !== "") {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest);
    const whole = number?.[1] ?? "";
    const fraction = number?.[2] ?? "";
    if (whole === "" && fraction === "") throw refused();
    rest = rest.slice(number?.[0].length ?? 0);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? "";
    if (unit === "") throw new DurationError(`time: missing unit in duration ${quoted}`);
    const nanos = unitNanos.get(unit);
    if (nanos === undefined) {
      throw new DurationError(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    }
    total += BigInt(whole || "0") * nanos;
    const digits = fraction.slice(0, 18);
    if (digits !== "") total += (BigInt(digits) * nanos) / 10n ** BigInt(digits.length);
    if (total > int64Max + (negative ? 1n : 0n)) throw refused();
    rest = rest.slice(unit.length);
  }
  return negative ? -total : total;
}

/** Go's text of nanoseconds. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return "0s";
  const sign = nanos < 0n ? "-" : "";
  const absolute = nanos < 0n ? -nanos : nanos;
  if (absolute < 1_000n) return `${sign}${absolute}ns`;
  if (absolute < 1_000_000n) return `${sign}${withFraction(absolute, 3)}µs`;
  if (absolute < 1_000_000_000n) return `${sign}${withFraction(absolute, 6)}ms`;
  const minutes = absolute / 60_000_000_000n;
  const seconds = `${withFraction(absolute % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** `value / 10^digits`, without trailing zeros. */
function withFraction(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, "0");
  const fraction = text.slice(-digits).replace(/0+$/, "");
  const whole = text.slice(0, -digits);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

export function canonicalDuration(text: string): string {
  return formatDuration(parseDuration(text));
}

/** Milliseconds of a duration text; throws a DurationError. */
export function durationMs(text: string): number {
  return Number(parseDuration(text)) / 1e6;
}
