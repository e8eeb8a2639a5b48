import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  optionalType,
  stringType,
  timestampType,
  typeOfType,
  uintType,
  type CelType,
} from "./types.ts";

/**
 * A CEL value. Plain JavaScript where a type of its own exists: int is `bigint`, double is
 * `number`, bytes is `Uint8Array`. JSON is read in place: see `json-value.ts`.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | CelUint
  | CelTimestamp
  | CelDuration
  | CelList
  | CelMap
  | CelObject
  | CelOptional
  | CelOpaque
  | CelTypeValue;

export const int64Max = 2n ** 63n - 1n;
export const int64Min = -(2n ** 63n);
export const uint64Max = 2n ** 64n - 1n;

/**
 * What evaluation fails with; the texts are cel-go's. Not an `Error`: it is caught often and has no
 * stack.
 */
export class CelError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Evaluation was stopped; `||` and `&&` do not absorb this. */
export abstract class StopError extends CelError {}

/** Evaluation cost too much. */
export class CostLimitError extends StopError {
  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}

/** The caller did not want to wait any longer. */
export class InterruptedError extends StopError {
  constructor() {
    super("operation interrupted");
  }
}

/** Base of the value classes, to tell them from plain JSON objects. */
export abstract class CelBoxed {
  abstract get type(): CelType;
}

export class CelUint extends CelBoxed {
  readonly value: bigint;

  constructor(value: bigint) {
    super();
    this.value = value;
  }

  get type(): CelType {
    return uintType;
  }
}

/** A point in time, in nanoseconds since 1970; years 1 to 9999. */
export class CelTimestamp extends CelBoxed {
  readonly ns: bigint;
  /** East of UTC, as it was written; shows only in `string(t)`. */
  readonly offsetMinutes: number;

  constructor(ns: bigint, offsetMinutes = 0) {
    super();
    this.ns = ns;
    this.offsetMinutes = offsetMinutes;
  }

  get type(): CelType {
    return timestampType;
  }
}

/** A span of time in nanoseconds; an int64. */
export class CelDuration extends CelBoxed {
  readonly ns: bigint;

  constructor(ns: bigint) {
    super();
    this.ns = ns;
  }

  get type(): CelType {
    return durationType;
  }
}

export class CelTypeValue extends CelBoxed {
  readonly value: CelType;

  constructor(value: CelType) {
    super();
    this.value = value;
  }

  get type(): CelType {
    return typeOfType(this.value);
  }
}

export class CelOptional extends CelBoxed {
  /** Undefined in `optional.none()`. */
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    super();
    this.value = value;
  }

  get type(): CelType {
    return optionalType(this.value === undefined ? dynType : typeOf(this.value));
  }
}

export const optionalNone = new CelOptional(undefined);

/** A value of a library's own type. */
export abstract class CelOpaque extends CelBoxed {
  abstract equals(other: CelValue): boolean;

  /** What `size()` and the cost of functions count; undefined: has no size. */
  get size(): number | undefined {
    return undefined;
  }

  get isZero(): boolean {
    return false;
  }
}

/** How lists of a schema compare. Source: pkg/cel/common/values.go. */
export type ListSemantics =
  | { readonly type: "atomic" }
  | { readonly type: "set" }
  | { readonly type: "map"; readonly keys: readonly string[] };

const atomic: ListSemantics = { type: "atomic" };

export abstract class CelList extends CelBoxed {
  abstract readonly size: number;
  /** The element at an index within bounds. */
  abstract at(index: number): CelValue;

  readonly semantics: ListSemantics = atomic;

  /** `this + other` where `semantics` is not atomic; undefined: simply one behind the other. */
  union(_other: CelList): CelList | undefined {
    return undefined;
  }

  get type(): CelType {
    return listType(dynType);
  }

  *[Symbol.iterator](): Generator<CelValue> {
    for (let i = 0; i < this.size; i++) yield this.at(i);
  }
}

export class ArrayList extends CelList {
  readonly values: CelValue[];
  /** A loop's accumulator, which `+` may extend in place. */
  mutable: boolean;

  constructor(values: CelValue[], mutable = false) {
    super();
    this.values = values;
    this.mutable = mutable;
  }

  get size(): number {
    return this.values.length;
  }

  at(index: number): CelValue {
    return this.values[index] ?? null;
  }
}

/** Two lists one behind the other; neither is copied. */
export class ConcatList extends CelList {
  readonly left: CelList;
  readonly right: CelList;
  readonly size: number;

  constructor(left: CelList, right: CelList) {
    super();
    this.left = left;
    this.right = right;
    this.size = left.size + right.size;
  }

  at(index: number): CelValue {
    let rest = index;
    let [left, right]: [CelList, CelList] = [this.left, this.right];
    for (;;) {
      const inLeft = rest < left.size;
      if (!inLeft) rest -= left.size;
      const list = inLeft ? left : right;
      if (!(list instanceof ConcatList)) return list.at(rest);
      [left, right] = [list.left, list.right];
    }
  }
}

export type MapKey = string | boolean | bigint;

/** The key under which a map files a value; undefined when it cannot be a key. */
export function mapKey(value: CelValue): MapKey | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return value;
    case "number":
      return Number.isInteger(value) ? BigInt(value) : undefined;
    default:
      return value instanceof CelUint ? value.value : undefined;
  }
}

export abstract class CelMap extends CelBoxed {
  abstract readonly size: number;
  abstract get(key: CelValue): CelValue | undefined;
  abstract has(key: CelValue): boolean;
  abstract keys(): Iterable<CelValue>;

  get type(): CelType {
    return mapType(dynType, dynType);
  }

  equalsMap(other: CelMap, equal: (a: CelValue, b: CelValue) => boolean): boolean {
    if (this.size !== other.size) return false;
    for (const key of this.keys()) {
      const left = this.get(key);
      const right = other.get(key);
      if (left === undefined || right === undefined || !equal(left, right)) return false;
    }
    return true;
  }
}

/** A map made by an expression; numeric keys of equal value are one key. */
export class ValueMap extends CelMap {
  readonly entries: Map<MapKey, { readonly key: CelValue; readonly value: CelValue }>;
  /** A loop's accumulator, which insertion may extend in place. */
  mutable = false;

  constructor(entries: Iterable<readonly [CelValue, CelValue]> = []) {
    super();
    this.entries = new Map();
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.entries.size;
  }

  /** Only while the map is being made. */
  set(key: CelValue, value: CelValue): void {
    const filed = mapKey(key);
    if (filed === undefined || typeof key === "number") {
      throw new CelError(`unsupported key type: ${typeOf(key).name}`);
    }
    this.entries.set(filed, { key, value });
  }

  get(key: CelValue): CelValue | undefined {
    const filed = mapKey(key);
    return filed === undefined ? undefined : this.entries.get(filed)?.value;
  }

  has(key: CelValue): boolean {
    const filed = mapKey(key);
    return filed !== undefined && this.entries.has(filed);
  }

  *keys(): Generator<CelValue> {
    for (const entry of this.entries.values()) yield entry.key;
  }
}

/** A value with named fields of an object type. */
export abstract class CelObject extends CelBoxed {
  abstract get(field: string): CelValue | undefined;
  abstract has(field: string): boolean;
  /** Names of the fields that are set. */
  abstract fieldNames(): Iterable<string>;
}

/** The run-time type, as `type(x)` gives it. */
export function typeOf(value: CelValue): CelType {
  switch (typeof value) {
    case "boolean":
      return boolType;
    case "bigint":
      return intType;
    case "number":
      return doubleType;
    case "string":
      return stringType;
    default:
      if (value === null) return nullType;
      return value instanceof Uint8Array ? bytesType : value.type;
  }
}
