import {
  addBytes,
  addDurations,
  addInts,
  addLists,
  addTime,
  between,
  checkedUint,
  divideInts,
  divideUints,
  moduloInts,
  moduloUints,
  multiplyInts,
  negate,
  subtractDurations,
  subtractInts,
  subtractTime,
} from "../arithmetic.ts";
import { defineLibrary, selfChecked, type OverloadRow } from "../declaration.ts";
import { compare, equals } from "../equality.ts";
import { patternOf } from "./regex.ts";
import { noSuchOverload } from "../logic.ts";
import { codePoints } from "../source.ts";
import { calendarFields, type CalendarFields } from "../time.ts";
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOpaque,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  typeOf,
} from "../value.ts";
import { conversionRows } from "./conversions.ts";

const add = selfChecked((a, b) => {
  if (typeof a === "bigint" && typeof b === "bigint") return addInts(a, b);
  if (typeof a === "string" && typeof b === "string") return a + b;
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a instanceof CelList && b instanceof CelList) return addLists(a, b);
  if (a instanceof CelUint && b instanceof CelUint) return checkedUint(a.value + b.value);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return addBytes(a, b);
  if (a instanceof CelTimestamp && b instanceof CelDuration) return addTime(a, b);
  if (a instanceof CelDuration && b instanceof CelTimestamp) return addTime(b, a);
  if (a instanceof CelDuration && b instanceof CelDuration) return addDurations(a, b);
  throw noSuchOverload();
});

const subtract = selfChecked((a, b) => {
  if (typeof a === "bigint" && typeof b === "bigint") return subtractInts(a, b);
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a instanceof CelUint && b instanceof CelUint) return checkedUint(a.value - b.value);
  if (a instanceof CelTimestamp && b instanceof CelDuration) return subtractTime(a, b);
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return between(a, b);
  if (a instanceof CelDuration && b instanceof CelDuration) return subtractDurations(a, b);
  throw noSuchOverload();
});

const multiply = selfChecked((a, b) => {
  if (typeof a === "bigint" && typeof b === "bigint") return multiplyInts(a, b);
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a instanceof CelUint && b instanceof CelUint) return checkedUint(a.value * b.value);
  throw noSuchOverload();
});

const divide = selfChecked((a, b) => {
  if (typeof a === "bigint" && typeof b === "bigint") return divideInts(a, b);
  if (typeof a === "number" && typeof b === "number") return a / b;
  if (a instanceof CelUint && b instanceof CelUint) return divideUints(a, b);
  throw noSuchOverload();
});

const modulo = selfChecked((a, b) => {
  if (typeof a === "bigint" && typeof b === "bigint") return moduloInts(a, b);
  if (a instanceof CelUint && b instanceof CelUint) return moduloUints(a, b);
  throw noSuchOverload();
});

/** Turns an order into a relation; values without order between them have no overload. */
function relation(holds: (order: number) => boolean) {
  return selfChecked((a, b) => {
    if (typeof a === "bigint" && typeof b === "bigint") {
      return holds(a < b ? -1 : a > b ? 1 : 0);
    }
    const order = compare(a, b);
    if (order === undefined) throw noSuchOverload();
    if (Number.isNaN(order)) return false;
    return holds(order);
  });
}

const ordered = ["bool", "int64", "uint64", "double", "string", "bytes", "timestamp", "duration"];

const mixed = [
  ["int64", "double"],
  ["int64", "uint64"],
  ["uint64", "double"],
  ["uint64", "int64"],
  ["double", "int64"],
  ["double", "uint64"],
] as const;

function celName(idPart: string): string {
  return idPart.replace("int64", "int");
}

function relationRows(
  operator: string,
  id: string,
  holds: (order: number) => boolean,
): OverloadRow[] {
  const implementation = relation(holds);
  // cel-go declares the mixed ones right behind their first type, which shows in no message.
  const same = ordered.map((type): OverloadRow => {
    return [
      `${id}_${type}`,
      `${operator}(${celName(type)}, ${celName(type)}) -> bool`,
      implementation,
    ];
  });
  const between = mixed.map(([a, b]): OverloadRow => {
    return [`${id}_${a}_${b}`, `${operator}(${celName(a)}, ${celName(b)}) -> bool`, implementation];
  });
  return [...same, ...between];
}

const isIn = selfChecked((needle, container) => {
  if (container instanceof CelList) {
    for (const element of container) if (equals(needle, element)) return true;
    return false;
  }
  if (container instanceof CelMap) return container.has(needle);
  throw noSuchOverload();
});

const size = selfChecked((value) => {
  if (typeof value === "string") return BigInt(codePoints(value));
  if (value instanceof CelList || value instanceof CelMap) return BigInt(value.size);
  if (value instanceof Uint8Array) return BigInt(value.length);
  if (value instanceof CelOpaque && value.size !== undefined) return BigInt(value.size);
  throw new CelError("no such overload: size");
});

const not = selfChecked((value) => {
  if (typeof value === "boolean") return !value;
  throw noSuchOverload();
});

function stringTest(test: (text: string, part: string) => boolean) {
  return selfChecked((text, part) => {
    if (typeof text !== "string" || typeof part !== "string") throw noSuchOverload();
    return test(text, part);
  });
}

const contains = stringTest((text, part) => text.includes(part));
const endsWith = stringTest((text, part) => text.endsWith(part));
const startsWith = stringTest((text, part) => text.startsWith(part));

const matches = (text: string, pattern: string): boolean => patternOf(pattern).test(text);

function calendarRows(
  name: string,
  id: string,
  field: (fields: CalendarFields) => number,
  zoneSuffix = "_with_tz",
): OverloadRow[] {
  const read = (time: CelTimestamp, zone = "UTC"): bigint => {
    return BigInt(field(calendarFields(time, zone)));
  };
  return [
    [id, `(timestamp).${name}() -> int`, (time: CelTimestamp) => read(time)],
    [`${id}${zoneSuffix}`, `(timestamp).${name}(string) -> int`, read],
  ];
}

function durationRow(name: string, id: string, unitNs: bigint): OverloadRow {
  return [id, `(duration).${name}() -> int`, (duration: CelDuration) => duration.ns / unitNs];
}

/** Functions and operators of CEL itself. Source: cel-go common/stdlib/standard.go. */
export const standardLibrary = defineLibrary({
  name: "cel.lib.std",
  rows: [
    ["conditional", "_?_:_(bool, A, A) -> A"],
    ["logical_and", "_&&_(bool, bool) -> bool"],
    ["logical_or", "_||_(bool, bool) -> bool"],
    ["logical_not", "!_(bool) -> bool", not],
    ["not_strictly_false", "@not_strictly_false(bool) -> bool"],
    ["equals", "_==_(A, A) -> bool", selfChecked((a, b) => equals(a, b))],
    ["not_equals", "_!=_(A, A) -> bool", selfChecked((a, b) => !equals(a, b))],
    ["add_bytes", "_+_(bytes, bytes) -> bytes", add],
    ["add_double", "_+_(double, double) -> double", add],
    ["add_duration_duration", "_+_(duration, duration) -> duration", add],
    ["add_duration_timestamp", "_+_(duration, timestamp) -> timestamp", add],
    ["add_timestamp_duration", "_+_(timestamp, duration) -> timestamp", add],
    ["add_int64", "_+_(int, int) -> int", add],
    ["add_list", "_+_(list(A), list(A)) -> list(A)", add],
    ["add_string", "_+_(string, string) -> string", add],
    ["add_uint64", "_+_(uint, uint) -> uint", add],
    ["divide_double", "_/_(double, double) -> double", divide],
    ["divide_int64", "_/_(int, int) -> int", divide],
    ["divide_uint64", "_/_(uint, uint) -> uint", divide],
    ["modulo_int64", "_%_(int, int) -> int", modulo],
    ["modulo_uint64", "_%_(uint, uint) -> uint", modulo],
    ["multiply_double", "_*_(double, double) -> double", multiply],
    ["multiply_int64", "_*_(int, int) -> int", multiply],
    ["multiply_uint64", "_*_(uint, uint) -> uint", multiply],
    ["negate_double", "-_(double) -> double", selfChecked(negate)],
    ["negate_int64", "-_(int) -> int", selfChecked(negate)],
    ["subtract_double", "_-_(double, double) -> double", subtract],
    ["subtract_duration_duration", "_-_(duration, duration) -> duration", subtract],
    ["subtract_int64", "_-_(int, int) -> int", subtract],
    ["subtract_timestamp_duration", "_-_(timestamp, duration) -> timestamp", subtract],
    ["subtract_timestamp_timestamp", "_-_(timestamp, timestamp) -> duration", subtract],
    ["subtract_uint64", "_-_(uint, uint) -> uint", subtract],
    ...relationRows("_<_", "less", (order) => order < 0),
    ...relationRows("_<=_", "less_equals", (order) => order <= 0),
    ...relationRows("_>_", "greater", (order) => order > 0),
    ...relationRows("_>=_", "greater_equals", (order) => order >= 0),
    ["index_list", "_[_](list(A), int) -> A"],
    ["index_map", "_[_](map(A, B), A) -> B"],
    ["in_list", "@in(A, list(A)) -> bool", isIn],
    ["in_map", "@in(A, map(A, B)) -> bool", isIn],
    ["size_bytes", "size(bytes) -> int", size],
    ["bytes_size", "(bytes).size() -> int", size],
    ["size_list", "size(list(A)) -> int", size],
    ["list_size", "(list(A)).size() -> int", size],
    ["size_map", "size(map(A, B)) -> int", size],
    ["map_size", "(map(A, B)).size() -> int", size],
    ["size_string", "size(string) -> int", size],
    ["string_size", "(string).size() -> int", size],
    ["type", "type(A) -> type(A)", selfChecked((value) => new CelTypeValue(typeOf(value)))],
    ...conversionRows,
    ["contains_string", "(string).contains(string) -> bool", contains],
    ["ends_with_string", "(string).endsWith(string) -> bool", endsWith],
    ["starts_with_string", "(string).startsWith(string) -> bool", startsWith],
    ["matches", "matches(string, string) -> bool", matches],
    ["matches_string", "(string).matches(string) -> bool", matches],
    ...calendarRows("getFullYear", "timestamp_to_year", (f) => f.year),
    ...calendarRows("getMonth", "timestamp_to_month", (f) => f.month),
    ...calendarRows("getDayOfYear", "timestamp_to_day_of_year", (f) => f.dayOfYear),
    ...calendarRows("getDayOfMonth", "timestamp_to_day_of_month", (f) => f.date - 1),
    ...calendarRows("getDate", "timestamp_to_day_of_month_1_based", (f) => f.date),
    ...calendarRows("getDayOfWeek", "timestamp_to_day_of_week", (f) => f.dayOfWeek),
    ...calendarRows("getHours", "timestamp_to_hours", (f) => f.hours),
    ...calendarRows("getMinutes", "timestamp_to_minutes", (f) => f.minutes),
    ...calendarRows("getSeconds", "timestamp_to_seconds", (f) => f.seconds, "_tz"),
    ...calendarRows("getMilliseconds", "timestamp_to_milliseconds", (f) => f.ms),
    durationRow("getHours", "duration_to_hours", 3_600_000_000_000n),
    durationRow("getMinutes", "duration_to_minutes", 60_000_000_000n),
    durationRow("getSeconds", "duration_to_seconds", 1_000_000_000n),
    durationRow("getMilliseconds", "duration_to_milliseconds", 1_000_000n),
  ],
});
