import { copyJson, isJsonMap, type JsonMap } from "../json-value.ts";
import { compareBytes, setOwn } from "../maps.ts";
import {
  childPath,
  isEmbedded,
  itemsOf,
  metaFields,
  preservesUnknown,
  propertyOf,
  type Structural,
  valuesOf,
} from "./structural.ts";

export interface Pruned<T> {
  /** Fresh all the way down. */
  readonly value: T;
  /** Paths of what went, sorted: `spec.x`, `spec.list[0].y`. */
  readonly unknown: string[];
}

/**
 * A deep copy without the fields that the schema does not specify. An object at the root keeps its
 * `metaFields` whatever the schema says. Source: apiextensions-apiserver pkg/apiserver/schema/pruning.
 */
export function prune<T>(value: T, schema: Structural, isResourceRoot: boolean): Pruned<T> {
  const unknown: string[] = [];
  const pruned = copy({ unknown, root: isResourceRoot ? schema : undefined }, value, {
    schema,
    path: "",
    keep: false,
  });
  return { value: pruned as T, unknown: unknown.sort(compareBytes) };
}

interface Run {
  readonly unknown: string[];
  /** The schema that stands for a whole object although it does not say so. */
  readonly root: Structural | undefined;
}

interface Place {
  readonly schema: Structural | undefined;
  readonly path: string;
  /** Below a list that preserves: what no schema describes stays. */
  readonly keep: boolean;
}

function copy(run: Run, value: unknown, place: Place): unknown {
  const { schema, path } = place;
  const keep = place.keep || (schema !== undefined && preservesUnknown(schema));
  if (Array.isArray(value)) {
    const items = schema && itemsOf(schema);
    // Items of a preserved list stay preserved, but their own schemas prune further down.
    if (keep && items === undefined) return copyJson(value);
    return value.map((item: unknown, i) => copy(run, item, { schema: items, path: `${path}[${i}]`, keep }));
  }
  if (!isJsonMap(value)) return value;
  return copyMap(run, value, { schema, path, keep });
}

function copyMap(run: Run, map: JsonMap, { schema, path, keep }: Place): JsonMap {
  const result: JsonMap = {};
  const embedded = schema !== undefined && (isEmbedded(schema) || schema === run.root);
  for (const name of Object.keys(map)) {
    const member = map[name];
    if (member === undefined) continue;
    if (embedded && metaFields.has(name)) {
      setOwn<unknown>(result, name, copyJson(member));
      continue;
    }
    const declared = schema && propertyOf(schema, name);
    const values = schema?.additionalProperties;
    if (declared !== undefined || (values !== undefined && schema !== undefined)) {
      const inner = declared ?? (schema && valuesOf(schema));
      const at = childPath(path, name);
      setOwn<unknown>(result, name, copy(run, member, { schema: inner, path: at, keep: false }));
    } else if (keep) setOwn<unknown>(result, name, copyJson(member));
    else if (path !== "" || !metaFields.has(name)) run.unknown.push(childPath(path, name));
  }
  return result;
}
