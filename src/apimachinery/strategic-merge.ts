import { goStringVerb, goText } from "./go-format.ts";
import { isJsonMap, type JsonList, type JsonMap } from "./json-value.ts";
import { getOwn, setOwn } from "./maps.ts";
import { type Field, flatFields, resolve, type Schema } from "./schema.ts";
import {
  badArgType,
  type MergeList,
  noMergeKey,
  orderLike,
  sameElementTypes,
  StrategicMergeError,
} from "./strategic-merge-lists.ts";

/**
 * Strategic merge patch: a merge patch that knows from the schema which lists merge, and by which
 * key, and that carries directives:
 *  - `$patch: replace | delete` in a map or in an item of a merging list,
 *  - `$retainKeys: [...]` drops every other member of the map,
 *  - `$setElementOrder/x: [...]` orders the list `x`,
 *  - `$deleteFromPrimitiveList/x: [...]` removes scalars from the list `x`.
 * Source: k8s.io/apimachinery/pkg/util/strategicpatch/patch.go.
 */
const patchDirective = "$patch";
const retainKeysDirective = "$retainKeys";
const deleteFromListPrefix = "$deleteFromPrimitiveList";
const setElementOrderPrefix = "$setElementOrder";

/**
 * The patched object. `original` and `patch` stay as they are; what the patch leaves alone is
 * shared. The result is yet to be decoded by `schema`: it may hold unknown members and nulls.
 * Throws `StrategicMergeError`.
 */
export function applyStrategicMergePatch(
  original: Readonly<JsonMap>,
  patch: Readonly<JsonMap>,
  schema: Schema,
): JsonMap {
  const directive = getOwn(patch, patchDirective);
  if (directive !== undefined) return replaceMap(directive, patch);
  const merged = retainKeys(original, patch);
  const handled = new Set([retainKeysDirective]);
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(setElementOrderPrefix)) continue;
    handled.add(key);
    mergeOrderedList({ merged, patch, schema, handled }, key, order);
  }
  for (const [key, value] of Object.entries(patch)) {
    if (!handled.has(key)) mergeMember({ merged, schema }, key, value);
  }
  return merged;
}

function replaceMap(directive: unknown, patch: Readonly<JsonMap>): JsonMap {
  if (directive === "replace") {
    const { [patchDirective]: _, ...rest } = patch;
    return rest;
  }
  if (directive === "delete") return {};
  throw unknownDirective(directive, patch);
}

function unknownDirective(directive: unknown, patch: Readonly<JsonMap>): StrategicMergeError {
  const text = `unknown patch type: ${goStringVerb(directive)} in map: ${goText(patch)}`;
  return new StrategicMergeError(500, text);
}

function retainKeys(original: Readonly<JsonMap>, patch: Readonly<JsonMap>): JsonMap {
  if (!Object.hasOwn(patch, retainKeysDirective)) return { ...original };
  const list = patch[retainKeysDirective];
  if (!Array.isArray(list)) throw badFormat("retainKeys");
  const retained = new Set<unknown>(list);
  for (const [key, value] of Object.entries(patch)) {
    const directive =
      key === retainKeysDirective ||
      key.startsWith(deleteFromListPrefix) ||
      key.startsWith(setElementOrderPrefix);
    if (!directive && value !== null && !retained.has(key)) throw badFormat("retainKeys");
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => retained.has(key)));
}

function badFormat(what: string): StrategicMergeError {
  return new StrategicMergeError(400, `invalid patch format of ${what}`);
}

/** What follows the slash of a directive such as `$setElementOrder/containers`. */
function directiveTarget(key: string, prefix: string, what: string): string {
  if (!key.startsWith(`${prefix}/`)) throw badFormat(what);
  return key.slice(prefix.length + 1);
}

interface OrderedMerge {
  readonly merged: JsonMap;
  readonly patch: Readonly<JsonMap>;
  readonly schema: Schema;
  /** Members of the patch that need no further merging. */
  readonly handled: Set<string>;
}

function mergeOrderedList(merge: OrderedMerge, directive: string, order: unknown): void {
  const { merged, patch } = merge;
  if (!Array.isArray(order)) throw badArgType([], order);
  const key = directiveTarget(directive, setElementOrderPrefix, "setElementOrder list");
  const original = listMember(merged, key);
  const changes = listMember(patch, key);
  const { items, strategy, mergeKey } = lookupList(merge.schema, key);
  checkPatchFollowsOrder(changes ?? [], order, mergeKey);
  let list: JsonList;
  if (changes === undefined) {
    if (original === undefined) return;
    list = original;
  } else if (original === undefined) {
    list = withoutDirectives(changes, false).value as JsonList;
  } else list = strategy === "merge" ? mergeList(original, changes, { items, mergeKey }) : changes;
  sameElementTypes(original ?? [], changes ?? []);
  setOwn<unknown>(merged, key, orderLike(list, { order, serverOrder: original ?? [], mergeKey }));
  merge.handled.add(key);
}

function listMember(map: Readonly<JsonMap>, key: string): JsonList | undefined {
  const list = getOwn(map, key);
  if (list !== undefined && !Array.isArray(list)) throw badArgType([], list);
  return list;
}

/** Items of the patch that are not deleted must stand in `order`, in that order. */
function checkPatchFollowsOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string,
): void {
  if (patch.length === 0 || order.length === 0) return;
  let position = 0;
  for (const item of patch) {
    if (mergeKey !== "" && !isJsonMap(item)) throw badArgType({}, item);
    if (isJsonMap(item) && Object.hasOwn(item, patchDirective)) continue;
    const wanted = identityOf(item, mergeKey);
    while (position < order.length && identityOf(order[position], mergeKey) !== wanted) position++;
    if (position === order.length) {
      const mismatch = ` doesn't match ${setElementOrderPrefix} list:\n${goText(order)}\n`;
      throw new StrategicMergeError(500, `The order in patch list:\n${goText(patch)}\n${mismatch}`);
    }
    position++;
  }
}

function identityOf(item: unknown, mergeKey: string): unknown {
  if (mergeKey === "") return item;
  if (!isJsonMap(item)) throw badArgType({}, item);
  if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
  return item[mergeKey];
}

function mergeMember(
  { merged, schema }: { merged: JsonMap; schema: Schema },
  member: string,
  value: unknown,
): void {
  const deletes = member.startsWith(deleteFromListPrefix);
  const target = deletes ? directiveTarget(member, deleteFromListPrefix, "primitive list") : member;
  const key = target === "" ? member : target;
  if (value === null) {
    delete merged[key];
    return;
  }
  const old = getOwn(merged, key);
  if (isJsonMap(old) && isJsonMap(value)) {
    const { schema: nested, strategy } = lookup(schema, key);
    const replaced = strategy === "replace";
    setOwn<unknown>(merged, key, replaced ? value : applyStrategicMergePatch(old, value, nested));
  } else if (Array.isArray(old) && Array.isArray(value)) {
    const { items, strategy, mergeKey } = lookupList(schema, key);
    const merges = deletes || strategy === "merge";
    const merge = { items, mergeKey, deletes };
    setOwn<unknown>(merged, key, merges ? mergeList(old, value, merge) : value);
  } else if (!deletes) {
    const cleaned = withoutDirectives(value, true);
    if (cleaned.keep) setOwn(merged, key, cleaned.value);
    else delete merged[key];
  }
}

/**
 * A value that meets nothing to merge with. Maps with a `$patch` vanish, whatever it says; nulls
 * in maps go when `nulls` is set.
 */
function withoutDirectives(value: unknown, nulls: boolean): { keep: boolean; value: unknown } {
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutDirectives(item, nulls));
    return { keep: true, value: items.filter(({ keep }) => keep).map((item) => item.value) };
  }
  if (!isJsonMap(value)) return { keep: true, value };
  if (Object.hasOwn(value, patchDirective)) return { keep: false, value: null };
  const kept: JsonMap = {};
  for (const [key, member] of Object.entries(value)) {
    if (nulls && member === null) continue;
    const cleaned = withoutDirectives(member, nulls);
    if (cleaned.keep) setOwn(kept, key, cleaned.value);
  }
  return { keep: true, value: kept };
}

interface ListMerge extends MergeList {
  readonly items: Schema;
  /** The patch lists scalars to remove. */
  readonly deletes?: boolean;
}

function mergeList(original: JsonList, patch: JsonList, merge: ListMerge): JsonList {
  if (original.length === 0 && patch.length === 0) return original;
  const { mergeKey } = merge;
  if (sameElementTypes(original, patch) !== "map") {
    const patched = new Set(patch);
    if (merge.deletes === true) return original.filter((item) => !patched.has(item));
    const both = [...new Set([...original, ...patch])];
    return orderLike(both, { order: patch, serverOrder: original, mergeKey });
  }
  if (mergeKey === "") {
    const name = resolve(merge.items).type === "struct" ? "struct" : "map";
    throw new StrategicMergeError(500, `cannot merge lists without merge key for ${name}`);
  }
  const { kept, changes, replaced } = applyItemDirectives(
    original as JsonMap[],
    patch as JsonMap[],
    mergeKey,
  );
  if (replaced) return orderLike(changes, { order: [], serverOrder: changes, mergeKey });
  const merged = mergeItems(kept, changes, merge);
  return orderLike(merged, { order: changes, serverOrder: kept, mergeKey });
}

interface ItemChanges {
  /** Items of the original that no directive deletes. */
  readonly kept: readonly JsonMap[];
  /** Items of the patch that are no directives. */
  readonly changes: readonly JsonMap[];
  /** The patch takes the place of the whole list. */
  readonly replaced: boolean;
}

function applyItemDirectives(
  original: readonly JsonMap[],
  patch: readonly JsonMap[],
  mergeKey: string,
): ItemChanges {
  const changes: JsonMap[] = [];
  const deleted = new Set<unknown>();
  let replaced = false;
  for (const item of patch) {
    const directive = getOwn(item, patchDirective);
    if (directive === undefined) changes.push(item);
    else if (directive === "delete") deleted.add(identityOf(item, mergeKey));
    else if (directive === "replace") replaced = true;
    else if (directive === "merge") {
      throw new StrategicMergeError(500, "merging lists cannot yet be specified in the patch");
    } else throw unknownDirective(directive, item);
  }
  const kept = original.filter(
    (item) => !Object.hasOwn(item, mergeKey) || !deleted.has(item[mergeKey]),
  );
  return { kept, changes, replaced };
}

function mergeItems(
  original: readonly JsonMap[],
  changes: readonly JsonMap[],
  { items, mergeKey }: ListMerge,
): JsonMap[] {
  const merged = [...original];
  const positions = new Map<unknown, number>();
  for (const [index, item] of original.entries()) {
    const identity = getOwn(item, mergeKey);
    if (identity !== undefined && !positions.has(identity)) positions.set(identity, index);
  }
  for (const change of changes) {
    const identity = identityOf(change, mergeKey);
    const position = positions.get(identity);
    const old = position === undefined ? undefined : merged[position];
    if (position !== undefined && old !== undefined) {
      merged[position] = applyStrategicMergePatch(old, change, items);
    } else positions.set(identity, merged.push(change) - 1);
  }
  return merged;
}

interface PatchMeta {
  readonly schema: Schema;
  /** What is left of the patch strategy without `retainKeys`. */
  readonly strategy: "merge" | "replace" | "";
  readonly mergeKey: string;
}

function lookup(schema: Schema, key: string): PatchMeta {
  const own = resolve(schema);
  if (own.type === "struct") {
    const field = findField(flatFields(own), key);
    if (field !== undefined) {
      const strategy = field.patch === "merge,retainKeys" ? "merge" : (field.patch ?? "");
      return {
        schema: field.schema,
        strategy: strategy === "retainKeys" ? "" : strategy,
        mergeKey: field.mergeKey ?? "",
      };
    }
  } else if (own.type === "map" || own.type === "list") {
    const kind = own.type === "list" ? "slice" : "map";
    const text = "merging an object in json but data type is not struct, instead is";
    throw new StrategicMergeError(500, `${text}: ${kind}`);
  }
  const name =
    own.type === "struct"
      ? own.name.slice(own.name.lastIndexOf(".") + 1)
      : (goNamesOfScalars[own.type] ?? own.type);
  const text = `unable to find api field in struct ${name} for the json field "${key}"`;
  throw new StrategicMergeError(500, text);
}

const goNamesOfScalars: Readonly<Record<string, string>> = {
  any: "JSON",
  object: "RawExtension",
  fields: "FieldsV1",
};

/** Go takes a field of another case when none has the exact name. */
function findField(fields: ReadonlyMap<string, Field>, key: string): Field | undefined {
  const exact = fields.get(key);
  if (exact !== undefined) return exact;
  const lower = key.toLowerCase();
  for (const [name, field] of fields) if (name.toLowerCase() === lower) return field;
  return undefined;
}

function lookupList(schema: Schema, key: string): PatchMeta & { readonly items: Schema } {
  const meta = lookup(schema, key);
  const list = resolve(meta.schema);
  if (list.type !== "list") {
    throw new StrategicMergeError(500, "expected slice or array type, but got: struct");
  }
  return { ...meta, items: list.items };
}
