import type { Expr } from "../ast.ts";
import { cost, sizeForCost, type CostRule } from "../cost-runtime.ts";
import { defineLibrary, selfChecked, type OverloadRow } from "../declaration.ts";
import { compare, equals, sameKind } from "../equality.ts";
import { noSuchOverload } from "../logic.ts";
import { standardMacros, type Macro, type MacroCall, type MacroError } from "../macros.ts";
import { ArrayList, CelError, CelList, type CelValue } from "../value.ts";

function slice(list: CelList, start: bigint, end: bigint): CelList {
  const range = `cannot slice(${start}, ${end})`;
  if (start < 0n || end < 0n) throw new CelError(`${range}, negative indexes not supported`);
  if (start > end) {
    throw new CelError(`${range}, start index must be less than or equal to end index`);
  }
  if (BigInt(list.size) < end) throw new CelError(`${range}, list is length ${list.size}`);
  const values: CelValue[] = [];
  for (let i = Number(start); i < Number(end); i++) values.push(list.at(i));
  return new ArrayList(values);
}

const flatten = selfChecked((list, depth = 1n) => {
  if (!(list instanceof CelList) || typeof depth !== "bigint") throw noSuchOverload();
  if (depth < 0n) throw new CelError("level must be non-negative");
  const values: CelValue[] = [];
  flattenInto(values, list, depth);
  return new ArrayList(values);
});

function flattenInto(values: CelValue[], list: CelList, depth: bigint): void {
  for (const element of list) {
    if (element instanceof CelList && depth > 0n) flattenInto(values, element, depth - 1n);
    else values.push(element);
  }
}

function sortBy(list: CelList, keys: CelList): CelList {
  if (list.size !== keys.size) {
    throw new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.size} and ${keys.size} elements respectively`,
    );
  }
  if (list.size === 0) return list;
  const first = keys.at(0);
  const entries = Array.from(list, (value, i) => ({ value, key: keys.at(i) }));
  if (compare(first, first) === undefined) throw new CelError("list elements must be comparable");
  if (entries.some(({ key }) => !sameKind(key, first))) {
    throw new CelError("list elements must have the same type");
  }
  entries.sort((a, b) => compare(a.key, b.key) ?? 0);
  return new ArrayList(entries.map(({ value }) => value));
}

function range(count: bigint): CelList {
  const values: CelValue[] = [];
  for (let i = 0n; i < count; i++) values.push(i);
  return new ArrayList(values);
}

function reverse(list: CelList): CelList {
  return new ArrayList([...list].reverse());
}

function distinct(list: CelList): CelList {
  const plain = new Set<CelValue>();
  const values: CelValue[] = [];
  for (const element of list) {
    if (typeof element === "string" || typeof element === "boolean") {
      if (plain.has(element)) continue;
      plain.add(element);
    } else if (values.some((other) => equals(element, other))) continue;
    values.push(element);
  }
  return new ArrayList(values);
}

/** `list.sortBy(x, key(x))`: binds the list, then sorts it by the list of its keys. */
function expandSortBy(call: MacroCall): Expr | MacroError {
  const { build, offset, target, args } = call;
  const sortable = ["list", "select", "ident", "comprehension", "call"];
  if (target === undefined || !sortable.includes(target.kind)) {
    const message = "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
    return { kind: "error", offset: target?.offset ?? offset, message };
  }
  const input = "@__sortBy_input__";
  const map = standardMacros.find(({ name, argCount }) => name === "map" && argCount === 2);
  const keys = map?.expand({ build, offset, target: build.ident(offset, input), args });
  if (keys === undefined || keys.kind === "error") {
    return keys ?? { kind: "error", offset, message: "sortBy is not supported" };
  }
  const sorted = build.memberCall(offset, "@sortByAssociatedKeys", {
    target: build.ident(offset, input),
    args: [keys],
  });
  return build.comprehension(offset, {
    iterRange: build.list(offset, []),
    iterVar: "#unused",
    accuVar: input,
    accuInit: target,
    condition: build.literal(offset, false),
    step: build.ident(offset, input),
    result: sorted,
  });
}

const sortByMacro: Macro = { name: "sortBy", argCount: 2, member: true, expand: expandSortBy };

function allocating(factor: number, size: number): number {
  return Math.trunc(size * factor) + cost.call + cost.list;
}

const resultSize: CostRule = { kind: "after", units: (list) => allocating(1, sizeForCost(list)) };

/** Counts before it allocates what was asked for. */
const rangeCost: CostRule = {
  kind: "before",
  units: ([count]) => allocating(1, typeof count === "bigint" && count > 0n ? Number(count) : 0),
};

const flattenCost: CostRule = {
  kind: "before",
  units: ([list, depth]) => {
    return allocating(typeof depth === "bigint" ? Number(depth) : 1, sizeForCost(list));
  },
};

function comparing(index: 0 | 1): CostRule {
  return {
    kind: "before",
    units: (args) => {
      const keys = args[index];
      const size = sizeForCost(keys);
      const first = keys instanceof CelList && size > 0 ? keys.at(0) : null;
      const isText = typeof first === "string" || first instanceof Uint8Array;
      return allocating(isText ? 2.1 : 2, size * size);
    },
  };
}

const comparable: readonly [type: string, typeName: string][] = [
  ["int", "int"],
  ["uint", "uint"],
  ["double", "double"],
  ["bool", "bool"],
  ["duration", "google.protobuf.Duration"],
  ["timestamp", "google.protobuf.Timestamp"],
  ["string", "string"],
  ["bytes", "bytes"],
];

const sort = (list: CelList): CelList => sortBy(list, list);

/** cel-go's list extension, version 3. Source: cel-go ext/lists.go. */
export const listsLibrary = defineLibrary({
  name: "cel.lib.ext.lists",
  macros: [sortByMacro],
  rows: [
    ["list_slice", "(list(T)).slice(int, int) -> list(T)", slice, resultSize],
    ["list_flatten", "(list(list(T))).flatten() -> list(T)", flatten, flattenCost],
    ["list_flatten_int", "(list(dyn)).flatten(int) -> list(dyn)", flatten, flattenCost],
    ...comparable.map(([type, name]): OverloadRow => {
      return [`list_${name}_sort`, `(list(${type})).sort() -> list(${type})`, sort, comparing(0)];
    }),
    ...comparable.map(([type, name]): OverloadRow => {
      const signature = `(list(T)).@sortByAssociatedKeys(list(${type})) -> list(T)`;
      return [`list_${name}_sortByAssociatedKeys`, signature, sortBy, comparing(1)];
    }),
    ["lists_range", "lists.range(int) -> list(int)", range, rangeCost],
    ["list_reverse", "(list(T)).reverse() -> list(T)", reverse, resultSize],
    ["list_distinct", "(list(T)).distinct() -> list(T)", distinct, comparing(0)],
  ],
});
