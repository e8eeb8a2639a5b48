import {
  CelError,
  CelList,
  CelMap,
  CelObject,
  CelOptional,
  CelUint,
  mapKey,
  typeOf,
  type CelValue,
} from "./value.ts";

/** `value[key]`, also `value.field`. Source: cel-go interpreter/attributes.go, refQualify. */
export function select(value: CelValue, key: CelValue): CelValue {
  const found = selectIfPresent(value, key);
  if (found !== undefined) return found;
  if (value instanceof CelList) throw new CelError(`index out of bounds: ${showKey(key)}`);
  throw new CelError(`no such key: ${showKey(key)}`);
}

/** Like `select`, but undefined where there is nothing. */
export function selectIfPresent(value: CelValue, key: CelValue): CelValue | undefined {
  if (value instanceof CelMap) return value.get(key);
  if (value instanceof CelList) {
    const index = listIndex(key);
    return index >= 0 && index < value.size ? value.at(index) : undefined;
  }
  if (value instanceof CelObject) {
    if (typeof key !== "string") throw new CelError("no such overload");
    return value.get(key);
  }
  if (value instanceof CelOptional) {
    return value.value === undefined ? undefined : selectIfPresent(value.value, key);
  }
  return undefined;
}

/** `has(value.field)`; of an optional, whether its value has it. */
export function isPresent(value: CelValue, key: string): boolean {
  if (value instanceof CelObject) return value.has(key);
  if (value instanceof CelOptional && value.value !== undefined) return isPresent(value.value, key);
  return selectIfPresent(value, key) !== undefined;
}

/** The index a value means: ints, and other numbers that are whole. */
function listIndex(key: CelValue): number {
  if (typeof key === "bigint") return Number(key);
  if (typeof key === "number") {
    if (Number.isInteger(key)) return key;
    throw new CelError(`unsupported index value ${key} in list`);
  }
  if (key instanceof CelUint) return Number(key.value);
  throw new CelError(`unsupported index type '${typeOf(key).name}' in list`);
}

export function showKey(key: CelValue): string {
  return typeof key === "number" ? String(key) : String(mapKey(key) ?? typeOf(key).name);
}
