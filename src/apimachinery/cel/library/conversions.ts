import { checkedInt, checkedUint } from "../arithmetic.ts";
import type { OverloadRow } from "../declaration.ts";
import {
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  timestampFromNs,
  unixSeconds,
  unixSecondsMax,
  unixSecondsMin,
} from "../time.ts";
import {
  CelError,
  int64Max,
  int64Min,
  uint64Max,
  type CelDuration,
  type CelTimestamp,
  type CelUint,
  type CelValue,
} from "../value.ts";
import { CelUint as Uint } from "../value.ts";
import { formatDouble } from "../number.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function identity(value: CelValue): CelValue {
  return value;
}

function conversionError(from: string, to: string): CelError {
  return new CelError(`type conversion error from '${from}' to '${to}'`);
}

function stringToBool(text: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw conversionError("string", "bool");
}

function stringToInt(text: string): bigint {
  if (!/^[+-]?0*\d{1,19}$/.test(text)) throw conversionError("string", "int");
  const value = BigInt(text.replace("+", ""));
  if (value > int64Max || value < int64Min) throw conversionError("string", "int");
  return value;
}

function stringToUint(text: string): CelUint {
  if (!/^0*\d{1,20}$/.test(text)) throw conversionError("string", "uint");
  const value = BigInt(text);
  if (value > uint64Max) throw conversionError("string", "uint");
  return new Uint(value);
}

function stringToDouble(text: string): number {
  const special = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2] === undefined) return Number.NaN;
    return special[1] === "-" ? -Infinity : Infinity;
  }
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    throw conversionError("string", "double");
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw conversionError("string", "double");
  return value;
}

function stringToDuration(text: string): CelDuration {
  const duration = parseDuration(text);
  if (duration === undefined) throw conversionError("string", "google.protobuf.Duration");
  return duration;
}

function stringToTimestamp(text: string): CelTimestamp {
  const timestamp = parseTimestamp(text);
  if (timestamp === undefined) throw conversionError("string", "google.protobuf.Timestamp");
  return timestamp;
}

/** Doubles of 2^63 and beyond have no int; neither has -2^63 itself, as in cel-go. */
function doubleToInt(value: number): bigint {
  if (!Number.isFinite(value) || value <= -(2 ** 63) || value >= 2 ** 63) {
    throw new CelError("integer overflow");
  }
  return BigInt(Math.trunc(value));
}

function doubleToUint(value: number): CelUint {
  if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) {
    throw new CelError("unsigned integer overflow");
  }
  return new Uint(BigInt(Math.trunc(value)));
}

function intToTimestamp(seconds: bigint): CelTimestamp {
  if (seconds < unixSecondsMin || seconds > unixSecondsMax) {
    throw new CelError("timestamp overflow");
  }
  return timestampFromNs(seconds * 1_000_000_000n);
}

function bytesToString(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

/** `int(x)`, `string(x)` and so on. */
export const conversionRows: readonly OverloadRow[] = [
  ["bool_to_bool", "bool(bool) -> bool", identity],
  ["string_to_bool", "bool(string) -> bool", stringToBool],
  ["bytes_to_bytes", "bytes(bytes) -> bytes", identity],
  ["string_to_bytes", "bytes(string) -> bytes", (text: string) => encoder.encode(text)],
  ["double_to_double", "double(double) -> double", identity],
  ["int64_to_double", "double(int) -> double", (value: bigint) => Number(value)],
  ["string_to_double", "double(string) -> double", stringToDouble],
  ["uint64_to_double", "double(uint) -> double", (value: CelUint) => Number(value.value)],
  ["duration_to_duration", "duration(duration) -> duration", identity],
  ["string_to_duration", "duration(string) -> duration", stringToDuration],
  ["to_dyn", "dyn(A) -> dyn", identity],
  ["int64_to_int64", "int(int) -> int", identity],
  ["double_to_int64", "int(double) -> int", doubleToInt],
  ["duration_to_int64", "int(duration) -> int", (value: CelDuration) => value.ns],
  ["string_to_int64", "int(string) -> int", stringToInt],
  ["timestamp_to_int64", "int(timestamp) -> int", unixSeconds],
  ["uint64_to_int64", "int(uint) -> int", (value: CelUint) => checkedInt(value.value)],
  ["string_to_string", "string(string) -> string", identity],
  ["bool_to_string", "string(bool) -> string", (value: boolean) => String(value)],
  ["bytes_to_string", "string(bytes) -> string", bytesToString],
  ["double_to_string", "string(double) -> string", formatDouble],
  ["duration_to_string", "string(duration) -> string", formatDuration],
  ["int64_to_string", "string(int) -> string", (value: bigint) => String(value)],
  ["timestamp_to_string", "string(timestamp) -> string", (t: CelTimestamp) => formatTimestamp(t)],
  ["uint64_to_string", "string(uint) -> string", (value: CelUint) => String(value.value)],
  ["timestamp_to_timestamp", "timestamp(timestamp) -> timestamp", identity],
  ["int64_to_timestamp", "timestamp(int) -> timestamp", intToTimestamp],
  ["string_to_timestamp", "timestamp(string) -> timestamp", stringToTimestamp],
  ["uint64_to_uint64", "uint(uint) -> uint", identity],
  ["double_to_uint64", "uint(double) -> uint", doubleToUint],
  ["int64_to_uint64", "uint(int) -> uint", (value: bigint) => checkedUint(value)],
  ["string_to_uint64", "uint(string) -> uint", stringToUint],
];
