import { defineLibrary, selfChecked } from "../declaration.ts";
import { optionalMacros } from "../macros.ts";
import { dynType, optionalType } from "../types.ts";
import {
  ArrayList,
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelUint,
  optionalNone,
  type CelValue,
} from "../value.ts";

/** Nanoseconds of year 1, which is Go's zero time. */
const zeroTimeNs = -62_135_596_800_000_000_000n;

function isZero(value: CelValue): boolean {
  switch (typeof value) {
    case "boolean":
      return !value;
    case "bigint":
      return value === 0n;
    case "number":
      return value === 0;
    case "string":
      return value === "";
    default:
      return value === null || isZeroObject(value);
  }
}

function isZeroObject(value: object): boolean {
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelUint) return value.value === 0n;
  if (value instanceof CelDuration) return value.ns === 0n;
  if (value instanceof CelTimestamp) return value.ns === zeroTimeNs;
  return value instanceof CelOpaque && value.isZero;
}

function held(optional: CelOptional): CelValue {
  if (optional.value === undefined) throw new CelError("optional.none() dereference");
  return optional.value;
}

const unwrap = (list: CelList): CelValue => {
  const values: CelValue[] = [];
  for (const element of list) {
    if (!(element instanceof CelOptional)) throw new CelError("value is not optional");
    if (element.value !== undefined) values.push(element.value);
  }
  return new ArrayList(values);
};

function elementAt(list: CelList, index: number): CelOptional {
  return list.size === 0 ? optionalNone : new CelOptional(list.at(index));
}

/** `a.?b`, `optional.of(x)` and so on. Source: cel-go cel/library.go. */
export const optionalLibrary = defineLibrary({
  name: "cel.lib.optional",
  types: [optionalType(dynType)],
  macros: optionalMacros,
  rows: [
    ["optional_of", "optional.of(V) -> optional(V)", selfChecked((v) => new CelOptional(v))],
    [
      "optional_ofNonZeroValue",
      "optional.ofNonZeroValue(V) -> optional(V)",
      selfChecked((value) => (isZero(value) ? optionalNone : new CelOptional(value))),
    ],
    ["optional_none", "optional.none() -> optional(V)", () => optionalNone],
    ["optional_value", "(optional(V)).value() -> V", held],
    [
      "optional_hasValue",
      "(optional(V)).hasValue() -> bool",
      (o: CelOptional) => o.value !== undefined,
    ],
    ["optional_or_optional", "(optional(V)).or(optional(V)) -> optional(V)"],
    ["optional_orValue_value", "(optional(V)).orValue(V) -> V"],
    ["select_optional_field", "_?._(dyn, string) -> optional(V)"],
    ["list_optindex_optional_int", "_[?_](list(V), int) -> optional(V)"],
    ["optional_list_optindex_optional_int", "_[?_](optional(list(V)), int) -> optional(V)"],
    ["map_optindex_optional_value", "_[?_](map(K, V), K) -> optional(V)"],
    ["optional_map_optindex_optional_value", "_[?_](optional(map(K, V)), K) -> optional(V)"],
    ["optional_list_index_int", "_[_](optional(list(V)), int) -> optional(V)"],
    ["optional_map_index_value", "_[_](optional(map(K, V)), K) -> optional(V)"],
    ["list_last", "(list(V)).last() -> optional(V)", (l: CelList) => elementAt(l, l.size - 1)],
    ["list_first", "(list(V)).first() -> optional(V)", (l: CelList) => elementAt(l, 0)],
    ["optional_unwrap", "optional.unwrap(list(optional(V))) -> list(V)", unwrap],
    ["optional_unwrapOpt", "(list(optional(V))).unwrapOpt() -> list(V)", unwrap],
  ],
});
