import {
  CelDuration,
  CelList,
  CelMap,
  CelObject,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  typeOf,
  type CelValue,
  type ListSemantics,
} from "./value.ts";

/**
 * CEL's `==`: numbers compare by value across types, other types are never equal to one another.
 * Lists of sets and maps (of a schema) ignore order.
 */
export function equals(a: CelValue, b: CelValue): boolean {
  if (a === b) return true;
  if (isNumeric(a)) return isNumeric(b) && compareNumbers(a, b) === 0;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareByteArrays(a, b) === 0;
  if (a instanceof CelList) return b instanceof CelList && listsEqual(a, b);
  if (a instanceof CelMap) return b instanceof CelMap && a.equalsMap(b, equals);
  if (a instanceof CelObject) return b instanceof CelObject && objectsEqual(a, b);
  if (a instanceof CelOpaque) return a.equals(b);
  if (a instanceof CelTimestamp) return b instanceof CelTimestamp && a.ns === b.ns;
  if (a instanceof CelDuration) return b instanceof CelDuration && a.ns === b.ns;
  if (a instanceof CelTypeValue) return b instanceof CelTypeValue && a.value.name === b.value.name;
  if (a instanceof CelOptional && b instanceof CelOptional) {
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equals(a.value, b.value);
  }
  return false;
}

type Numeric = bigint | number | CelUint;

export function isNumeric(value: CelValue): value is Numeric {
  return typeof value === "bigint" || typeof value === "number" || value instanceof CelUint;
}

function compareNumbers(a: Numeric, b: Numeric): number {
  let left = a instanceof CelUint ? a.value : a;
  let right = b instanceof CelUint ? b.value : b;
  // An integer meets a double as a double, even where that loses digits.
  if (typeof left === "number") right = Number(right);
  else if (typeof right === "number") left = Number(left);
  if (left < right) return -1;
  if (left > right) return 1;
  return left === right ? 0 : Number.NaN;
}

function listsEqual(a: CelList, b: CelList): boolean {
  const semantics = a.semantics.type === "atomic" ? b.semantics : a.semantics;
  if (semantics.type === "map") return keyedListsEqual(a, b, semantics.keys);
  if (a.size !== b.size) return false;
  if (semantics.type === "set") return isSubset(a, b) && isSubset(b, a);
  for (let i = 0; i < a.size; i++) if (!equals(a.at(i), b.at(i))) return false;
  return true;
}

/** A lookup over the elements of a list: by value where they are plain, else by search. */
export function membership(list: CelList): (value: CelValue) => boolean {
  const plain = new Set<unknown>();
  const others: CelValue[] = [];
  for (const element of list) {
    if (typeof element === "string" || typeof element === "boolean") plain.add(element);
    else if (typeof element === "bigint") plain.add(element);
    else others.push(element);
  }
  return (value) => plain.has(value) || needsSearch(value, list, others);
}

function needsSearch(value: CelValue, list: CelList, others: readonly CelValue[]): boolean {
  if (typeof value === "string" || typeof value === "boolean") return false;
  if (typeof value === "bigint") return others.some((other) => equals(value, other));
  for (const element of list) if (equals(value, element)) return true;
  return false;
}

function isSubset(a: CelList, b: CelList): boolean {
  const has = membership(b);
  for (const element of a) if (!has(element)) return false;
  return true;
}

function keyedListsEqual(a: CelList, b: CelList, keys: readonly string[]): boolean {
  if (a.size !== b.size) return false;
  const byKey = new Map<string, CelValue>();
  for (const element of b) byKey.set(listMapKey(element, keys), element);
  for (const element of a) {
    const other = byKey.get(listMapKey(element, keys));
    if (other === undefined || !equals(element, other)) return false;
  }
  return true;
}

/** Text that is equal for elements with equal key fields. */
export function listMapKey(element: CelValue, keys: readonly string[]): string {
  const parts = keys.map((key) => {
    const field =
      element instanceof CelObject || element instanceof CelMap ? element.get(key) : undefined;
    if (field === undefined || field === null) return "";
    return `${typeof field}:${field instanceof CelUint ? field.value : String(field)}`;
  });
  return JSON.stringify(parts);
}

function objectsEqual(a: CelObject, b: CelObject): boolean {
  if (a.type.name !== b.type.name) return false;
  const names = [...a.fieldNames()];
  if (names.length !== [...b.fieldNames()].length) return false;
  return names.every((name) => {
    const left = a.get(name);
    const right = b.get(name);
    return left !== undefined && right !== undefined && equals(left, right);
  });
}

/**
 * Order of two values: negative, zero, positive; NaN when a NaN is among them; undefined when the
 * types have no order between them.
 */
export function compare(a: CelValue, b: CelValue): number | undefined {
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b);
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return sign(a.ns - b.ns);
  if (a instanceof CelDuration && b instanceof CelDuration) return sign(a.ns - b.ns);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareByteArrays(a, b);
  return undefined;
}

function sign(difference: bigint): number {
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** By code points, which is also the order of UTF-8 bytes. */
export function compareStrings(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xIsSurrogate = x >= 0xd800 && x <= 0xdfff;
    const yIsSurrogate = y >= 0xd800 && y <= 0xdfff;
    if (xIsSurrogate !== yIsSurrogate) return xIsSurrogate ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

function compareByteArrays(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** Whether two values have the same run-time type, by name. */
export function sameKind(a: CelValue, b: CelValue): boolean {
  return typeOf(a).name === typeOf(b).name;
}

export type { ListSemantics };
