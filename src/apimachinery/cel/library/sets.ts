import { sizeForCost, type CostRule } from "../cost-runtime.ts";
import { defineLibrary } from "../declaration.ts";
import { membership } from "../equality.ts";
import type { CelList } from "../value.ts";

function contains(list: CelList, sublist: CelList): boolean {
  const has = membership(list);
  for (const element of sublist) if (!has(element)) return false;
  return true;
}

function intersects(a: CelList, b: CelList): boolean {
  const has = membership(b);
  for (const element of a) if (has(element)) return true;
  return false;
}

function equivalent(a: CelList, b: CelList): boolean {
  return contains(a, b) && contains(b, a);
}

/** Every pair of elements is compared, `factor` times. */
function pairs(factor: number): CostRule {
  return {
    kind: "before",
    units: ([a, b]) => 1 + sizeForCost(a) * sizeForCost(b) * factor,
  };
}

/** Lists as sets. Source: cel-go ext/sets.go. */
export const setsLibrary = defineLibrary({
  name: "cel.lib.ext.sets",
  rows: [
    ["list_sets_contains_list", "sets.contains(list(T), list(T)) -> bool", contains, pairs(1)],
    [
      "list_sets_equivalent_list",
      "sets.equivalent(list(T), list(T)) -> bool",
      equivalent,
      pairs(2),
    ],
    [
      "list_sets_intersects_list",
      "sets.intersects(list(T), list(T)) -> bool",
      intersects,
      pairs(1),
    ],
  ],
});
