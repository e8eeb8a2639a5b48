import { addDurations, addInts, checkedUint } from "../arithmetic.ts";
import { defineLibrary, type OverloadRow } from "../declaration.ts";
import { compare, equals } from "../equality.ts";
import { CelDuration, CelError, CelUint, type CelList, type CelValue } from "../value.ts";

const comparable = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"];

function order(a: CelValue, b: CelValue): number {
  const result = compare(a, b);
  if (result === undefined) throw new CelError("no such overload");
  return result;
}

function isSorted(list: CelList): boolean {
  for (let i = 1; i < list.size; i++) if (order(list.at(i - 1), list.at(i)) > 0) return false;
  return true;
}

function extreme(name: "min" | "max"): (list: CelList) => CelValue {
  const better = name === "min" ? 1 : -1;
  return (list) => {
    if (list.size === 0) throw new CelError(`${name} called on empty list`);
    let best = list.at(0);
    for (let i = 1; i < list.size; i++) {
      const element = list.at(i);
      if (Math.sign(order(best, element)) === better) best = element;
    }
    return best;
  };
}

function plus(a: CelValue, b: CelValue): CelValue {
  if (typeof a === "bigint" && typeof b === "bigint") return addInts(a, b);
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a instanceof CelUint && b instanceof CelUint) return checkedUint(a.value + b.value);
  if (a instanceof CelDuration && b instanceof CelDuration) return addDurations(a, b);
  throw new CelError("no such overload");
}

const zeros: readonly [type: string, zero: CelValue][] = [
  ["int", 0n],
  ["uint", new CelUint(0n)],
  ["double", 0],
  ["duration", new CelDuration(0n)],
];

function sum(zero: CelValue): (list: CelList) => CelValue {
  return (list) => {
    let total = zero;
    for (const element of list) total = plus(total, element);
    return total;
  };
}

function indexOf(list: CelList, item: CelValue): bigint {
  for (let i = 0; i < list.size; i++) if (equals(list.at(i), item)) return BigInt(i);
  return -1n;
}

function lastIndexOf(list: CelList, item: CelValue): bigint {
  for (let i = list.size - 1; i >= 0; i--) if (equals(list.at(i), item)) return BigInt(i);
  return -1n;
}

function perType(types: readonly string[], row: (type: string) => OverloadRow): OverloadRow[] {
  return types.map(row);
}

const [min, max] = [extreme("min"), extreme("max")];

/** Kubernetes' list functions. Source: pkg/cel/library/lists.go. */
export const kubernetesListsLibrary = defineLibrary({
  name: "kubernetes.lists",
  rows: [
    ...perType(comparable, (t) => [
      `list_${t}_is_sorted_bool`,
      `(list(${t})).isSorted() -> bool`,
      isSorted,
    ]),
    ...zeros.map(([t, zero]): OverloadRow => [
      `list_${t}_sum_${t}`,
      `(list(${t})).sum() -> ${t}`,
      sum(zero),
    ]),
    ...perType(comparable, (t) => [`list_${t}_max_${t}`, `(list(${t})).max() -> ${t}`, max]),
    ...perType(comparable, (t) => [`list_${t}_min_${t}`, `(list(${t})).min() -> ${t}`, min]),
    ["list_a_index_of_int", "(list(A)).indexOf(A) -> int", indexOf],
    ["list_a_last_index_of_int", "(list(A)).lastIndexOf(A) -> int", lastIndexOf],
  ],
});
