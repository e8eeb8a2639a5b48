import { deepEqual } from "../deep-equal.ts";
import { isJsonMap, type JsonMap } from "../json-value.ts";
import type { ApplyList, ApplyMap, ApplyNode, Shape } from "./apply-schema.ts";
import { emptyFieldSet, fieldLeaf, fieldNode, type FieldSet, union } from "./field-set.ts";
import { fieldElement, type PathElement } from "./path-element.ts";
import {
  isEmptyMap,
  itemKeyAt,
  memberNode,
  membersOf,
  memberValue,
  shapeOf,
  TypedValueError,
} from "./typed-value.ts";

/**
 * What changed between two values of one type. No field is in more than one of the sets.
 * Source: sigs.k8s.io/structured-merge-diff typed/compare.go.
 */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export const noChange: Comparison = Object.freeze({
  added: emptyFieldSet,
  modified: emptyFieldSet,
  removed: emptyFieldSet,
});

/**
 * Compares two objects as Go sees them (see `ApplyField`), undefined being absent. Values that are
 * the same by identity are not looked into. Fields that are never tracked are left out. Throws
 * `TypedValueError` when a value cannot be read by the schema.
 */
export function compare(node: ApplyNode, before: unknown, after: unknown): Comparison {
  return compareNode(node, before, after) ?? noChange;
}

type Change = Comparison | undefined;

function compareNode(node: ApplyNode, before: unknown, after: unknown): Change {
  if (before === after) return undefined;
  if (node.only !== undefined) return compareShape(node, node.only, [before, after]);
  const [left, right] = [shapeOf(node, before), shapeOf(node, after)];
  if (after === undefined) return compareShape(node, left, [before, after]);
  const change = compareShape(node, right, [before, after]);
  if (before === undefined || left === right) return change;
  return unite(compareShape(node, left, [before, after]), change);
}

function unite(a: Change, b: Change): Change {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    added: union(a.added, b.added),
    modified: union(a.modified, b.modified),
    removed: union(a.removed, b.removed),
  };
}

type Pair = readonly [before: unknown, after: unknown];

function compareShape(node: ApplyNode, shape: Shape, [before, after]: Pair): Change {
  if (shape === "map" && node.map !== undefined) {
    const { map } = node;
    const left = isJsonMap(before) ? before : undefined;
    const right = isJsonMap(after) ? after : undefined;
    const empty =
      (left === undefined || isEmptyMap(map, left)) &&
      (right === undefined || isEmptyMap(map, right));
    if (map.atomic || empty) return compareLeaf(node, before, after);
    return withSelf(compareMembers(map, left, right), before, after);
  }
  if (shape === "list" && node.list !== undefined) {
    const left = Array.isArray(before) ? before : [];
    const right = Array.isArray(after) ? after : [];
    if (node.list.atomic || (left.length === 0 && right.length === 0)) {
      return compareLeaf(node, before, after);
    }
    return withSelf(compareItems(node.list, left, right), before, after);
  }
  return compareLeaf(node, before, after);
}

const leafAdded: Comparison = Object.freeze({ ...noChange, added: fieldLeaf });
const leafModified: Comparison = Object.freeze({ ...noChange, modified: fieldLeaf });
const leafRemoved: Comparison = Object.freeze({ ...noChange, removed: fieldLeaf });

function compareLeaf(node: ApplyNode, before: unknown, after: unknown): Change {
  if (before === undefined) return leafAdded;
  if (after === undefined) return leafRemoved;
  return sameValue(node, before, after) ? undefined : leafModified;
}

/** Equality of what Go sees. */
export function sameValue(node: ApplyNode | undefined, a: unknown, b: unknown): boolean {
  if (deepEqual(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    const items = node?.list?.items;
    return a.length === b.length && a.every((item, index) => sameValue(items, item, b[index]));
  }
  const map = node?.map;
  if (map === undefined || map.fields.size === 0 || !isJsonMap(a) || !isJsonMap(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) =>
    sameValue(memberNode(map, key), memberValue(map, a, key), memberValue(map, b, key)),
  );
}

/** A container that appears or goes as a whole counts itself, beside what it holds. */
function withSelf(change: Changes, before: unknown, after: unknown): Change {
  if (before !== undefined && after !== undefined && change.isEmpty) return undefined;
  return {
    added: fieldNode(before === undefined, change.added),
    modified: fieldNode(false, change.modified),
    removed: fieldNode(after === undefined, change.removed),
  };
}

type Children = Map<PathElement, FieldSet>;

interface Changes {
  added: Children | undefined;
  modified: Children | undefined;
  removed: Children | undefined;
  isEmpty: boolean;
}

function changes(): Changes {
  return { added: undefined, modified: undefined, removed: undefined, isEmpty: true };
}

function record(into: Changes, element: PathElement, change: Comparison): void {
  into.isEmpty = false;
  into.added = put(into.added, element, change.added);
  into.modified = put(into.modified, element, change.modified);
  into.removed = put(into.removed, element, change.removed);
}

function put(
  into: Children | undefined,
  element: PathElement,
  set: FieldSet,
): Children | undefined {
  if (!set.member && set.children === undefined) return into;
  const children = into ?? new Map<PathElement, FieldSet>();
  const own = children.get(element);
  children.set(element, own === undefined ? set : union(own, set));
  return children;
}

function compareMembers(
  map: ApplyMap,
  before: JsonMap | undefined,
  after: JsonMap | undefined,
): Changes {
  const found = changes();
  if (before === undefined || after === undefined) {
    const only = before ?? after;
    for (const [key, member] of only === undefined ? [] : membersOf(map, only)) {
      compareMember(
        { map, found },
        key,
        before === undefined ? [undefined, member] : [member, undefined],
      );
    }
    return found;
  }
  for (const key of Object.keys(before)) {
    const raw = before[key];
    if (raw === after[key] && Object.hasOwn(after, key)) continue;
    const pair = [memberValue(map, before, key), memberValue(map, after, key)] as const;
    compareMember({ map, found }, key, pair);
  }
  for (const key of Object.keys(after)) {
    if (Object.hasOwn(before, key)) continue;
    const pair = [memberValue(map, before, key), memberValue(map, after, key)] as const;
    compareMember({ map, found }, key, pair);
  }
  return found;
}

function compareMember(
  { map, found }: { map: ApplyMap; found: Changes },
  key: string,
  [before, after]: Pair,
): void {
  if (before === after || map.untracked?.has(key) === true) return;
  const node = memberNode(map, key);
  if (node === undefined) {
    throw new TypedValueError([{ path: `.${key}`, message: "field not declared in schema" }]);
  }
  const change = compareNode(node, before, after);
  if (change !== undefined) record(found, fieldElement(key), change);
}

interface ItemGroup {
  readonly element: () => PathElement;
  readonly before: unknown[];
  readonly after: unknown[];
}

function compareItems(
  list: ApplyList,
  before: readonly unknown[],
  after: readonly unknown[],
): Changes {
  const groups = new Map<unknown, ItemGroup>();
  for (const side of ["before", "after"] as const) {
    const items = side === "before" ? before : after;
    for (const [index, item] of items.entries()) {
      const { identity, element } = itemKeyAt(list, items, index);
      let group = groups.get(identity);
      if (group === undefined) {
        group = { element, before: [], after: [] };
        groups.set(identity, group);
      }
      group[side].push(item);
    }
  }
  const found = changes();
  for (const group of groups.values()) compareGroup(list, group, found);
  return found;
}

/** Items that are there twice are compared as one value, without looking into them. */
function compareGroup(list: ApplyList, group: ItemGroup, found: Changes): void {
  const { before, after, element } = group;
  if (before.length < 2 && after.length < 2) {
    const change = compareNode(list.items, before[0], after[0]);
    if (change !== undefined) record(found, element(), change);
    return;
  }
  if (before.length > 1 && after.length > 1) {
    const same =
      before.length === after.length &&
      before.every((item, index) => sameValue(list.items, item, after[index]));
    if (!same) record(found, element(), leafModified);
    return;
  }
  const single = before.length > 1 ? [undefined, after[0]] : [before[0], undefined];
  const change = compareNode(list.items, single[0], single[1]);
  if (change !== undefined) record(found, element(), change);
  record(found, element(), before.length > 1 ? leafRemoved : leafAdded);
}
