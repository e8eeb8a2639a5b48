import { durationFromNs, timestampFromNs } from "./time.ts";
import {
  ArrayList,
  CelDuration,
  CelError,
  CelList,
  CelTimestamp,
  CelUint,
  ConcatList,
  int64Max,
  int64Min,
  uint64Max,
  type CelValue,
} from "./value.ts";

export function checkedInt(value: bigint): bigint {
  if (value > int64Max || value < int64Min) throw new CelError("integer overflow");
  return value;
}

export function checkedUint(value: bigint): CelUint {
  if (value > uint64Max || value < 0n) throw new CelError("unsigned integer overflow");
  return new CelUint(value);
}

export function addInts(a: bigint, b: bigint): bigint {
  return checkedInt(a + b);
}

export function subtractInts(a: bigint, b: bigint): bigint {
  return checkedInt(a - b);
}

export function multiplyInts(a: bigint, b: bigint): bigint {
  return checkedInt(a * b);
}

export function divideInts(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new CelError("division by zero");
  return checkedInt(a / b);
}

export function moduloInts(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new CelError("modulus by zero");
  if (a === int64Min && b === -1n) throw new CelError("integer overflow");
  return a % b;
}

export function divideUints(a: CelUint, b: CelUint): CelUint {
  if (b.value === 0n) throw new CelError("division by zero");
  return new CelUint(a.value / b.value);
}

export function moduloUints(a: CelUint, b: CelUint): CelUint {
  if (b.value === 0n) throw new CelError("modulus by zero");
  return new CelUint(a.value % b.value);
}

export function addBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const sum = new Uint8Array(a.length + b.length);
  sum.set(a);
  sum.set(b, a.length);
  return sum;
}

/** Lists up to this many elements are copied rather than linked. */
const copiedElementsMax = 16;

export function addLists(a: CelList, b: CelList): CelList {
  if (a instanceof ArrayList && a.mutable) {
    for (const value of b) a.values.push(value);
    return a;
  }
  if (a.semantics.type !== "atomic") return a.union(b) ?? new ConcatList(a, b);
  if (b.size === 0) return a;
  if (a.size === 0) return b;
  if (a.size + b.size <= copiedElementsMax) return new ArrayList([...a, ...b]);
  return new ConcatList(a, b);
}

export function addTime(a: CelTimestamp, b: CelDuration): CelTimestamp {
  return timestampFromNs(a.ns + b.ns, a.offsetMinutes);
}

export function subtractTime(a: CelTimestamp, b: CelDuration): CelTimestamp {
  return timestampFromNs(a.ns - b.ns, a.offsetMinutes);
}

export function between(a: CelTimestamp, b: CelTimestamp): CelDuration {
  return durationFromNs(a.ns - b.ns);
}

export function addDurations(a: CelDuration, b: CelDuration): CelDuration {
  return durationFromNs(a.ns + b.ns);
}

export function subtractDurations(a: CelDuration, b: CelDuration): CelDuration {
  return durationFromNs(a.ns - b.ns);
}

/** `-x` on a value of unknown type; durations count although no overload is declared for them. */
export function negate(value: CelValue): CelValue {
  if (typeof value === "bigint") return checkedInt(-value);
  if (typeof value === "number") return -value;
  if (value instanceof CelDuration) return durationFromNs(-value.ns);
  throw new CelError("no such overload: -_");
}
