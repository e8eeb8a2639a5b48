import { defineLibrary } from "../declaration.ts";
import { bindMacros, twoVariableMacros } from "../macros.ts";
import { showKey } from "../select.ts";
import { CelError, ValueMap, type CelMap, type CelValue } from "../value.ts";

function insert(map: CelMap, entries: Iterable<readonly [CelValue, CelValue]>): CelMap {
  const grown = map instanceof ValueMap && map.mutable ? map : copy(map);
  for (const [key, value] of entries) {
    if (grown.has(key)) throw new CelError(`insert failed: key ${showKey(key)} already exists`);
    grown.set(key, value);
  }
  return grown;
}

function copy(map: CelMap): ValueMap {
  return new ValueMap(entriesOf(map));
}

function* entriesOf(map: CelMap): Generator<[CelValue, CelValue]> {
  for (const key of map.keys()) yield [key, map.get(key) ?? null];
}

/** Macros with two variables. Source: cel-go ext/comprehensions.go. */
export const twoVariableLibrary = defineLibrary({
  name: "cel.lib.ext.comprev2",
  macros: twoVariableMacros,
  rows: [
    [
      "@mapInsert_map_key_value",
      "cel.@mapInsert(map(K, V), K, V) -> map(K, V)",
      (map: CelMap, key: CelValue, value: CelValue) => insert(map, [[key, value]]),
    ],
    [
      "@mapInsert_map_map",
      "cel.@mapInsert(map(K, V), map(K, V)) -> map(K, V)",
      (map: CelMap, more: CelMap) => insert(map, entriesOf(more)),
    ],
  ],
});

/** `cel.bind`. Not part of Kubernetes' environments. Source: cel-go ext/bindings.go. */
export const bindingsLibrary = defineLibrary({
  name: "cel.lib.ext.cel.bindings",
  macros: bindMacros,
  rows: [],
});
