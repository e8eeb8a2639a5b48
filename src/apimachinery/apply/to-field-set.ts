import { isJsonMap, type JsonMap } from "../json-value.ts";
import type { ApplyList, ApplyMap, ApplyNode } from "./apply-schema.ts";
import { emptyFieldSet, fieldLeaf, fieldNode, type FieldSet } from "./field-set.ts";
import { fieldElement, type PathElement } from "./path-element.ts";
import { itemKeyAt, memberNode, shapeOf } from "./typed-value.ts";

/**
 * Which fields a JSON value sets, and what remains of it without some.
 * Source: sigs.k8s.io/structured-merge-diff typed/{tofieldset,remove}.go, fieldpath/set.go.
 */

/** Every leaf and list item that `value` mentions; structs count only through their members. */
export function toFieldSet(node: ApplyNode, value: unknown): FieldSet {
  const shape = shapeOf(node, value);
  if (shape === "scalar") return fieldLeaf;
  if (shape === "map" && node.map !== undefined) {
    if (node.map.atomic) return fieldLeaf;
    return isJsonMap(value) ? mapFields(node.map, value) : emptyFieldSet;
  }
  if (node.list === undefined || node.list.atomic) return fieldLeaf;
  return Array.isArray(value) ? listFields(node.list, value) : emptyFieldSet;
}

function mapFields(map: ApplyMap, value: JsonMap): FieldSet {
  const children = new Map<PathElement, FieldSet>();
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const node = memberNode(map, key);
    if (node === undefined) continue;
    const fields = toFieldSet(node, member);
    const counts =
      fields.member ||
      member === null ||
      !map.fields.has(key) ||
      (isJsonMap(member) && Object.keys(member).length === 0);
    const child = fieldNode(counts, fields.children);
    if (child.member || child.children !== undefined) children.set(fieldElement(key), child);
  }
  return fieldNode(false, children);
}

function listFields(list: ApplyList, items: readonly unknown[]): FieldSet {
  const children = new Map<PathElement, FieldSet>();
  for (const [index, item] of items.entries()) {
    const element = itemKeyAt(list, items, index).element();
    // Of items that are there twice only the fact is recorded.
    const repeated = children.has(element);
    const fields = repeated ? emptyFieldSet : toFieldSet(list.items, item);
    children.set(element, fieldNode(true, fields.children));
  }
  return fieldNode(false, children);
}

/** `value` without the items and members in `fields`; null when nothing remains. */
export function removeFields(node: ApplyNode, value: unknown, fields: FieldSet): unknown {
  const shape = shapeOf(node, value);
  if (shape === "scalar") return value;
  if (shape === "map") {
    const { map } = node;
    return map === undefined || map.atomic || !isJsonMap(value)
      ? null
      : withoutMembers(map, value, fields);
  }
  const { list } = node;
  return list === undefined || list.atomic || !Array.isArray(value)
    ? null
    : withoutItems(list, value, fields);
}

function withoutMembers(map: ApplyMap, value: JsonMap, fields: FieldSet): JsonMap | null {
  const kept: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const child = fields.children?.get(fieldElement(key));
    if (child?.member === true) continue;
    const node = memberNode(map, key);
    const inner =
      child === undefined || node === undefined ? member : removeFields(node, member, child);
    kept.push([key, inner]);
  }
  return kept.length > 0 ? Object.fromEntries(kept) : null;
}

function withoutItems(
  list: ApplyList,
  items: readonly unknown[],
  fields: FieldSet,
): unknown[] | null {
  const kept: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const child = fields.children?.get(itemKeyAt(list, items, index).element());
    if (child?.member === true) continue;
    kept.push(child === undefined ? item : removeFields(list.items, item, child));
  }
  return kept.length > 0 ? kept : null;
}

/** Adds to a set the struct fields on the way to its paths, which sets leave out. */
export function withNamedFields(set: FieldSet, node: ApplyNode | undefined): FieldSet {
  if (set.children === undefined) return set;
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    const name = element.startsWith("f:") ? element.slice(2) : undefined;
    const field = name === undefined ? undefined : node?.map?.fields.get(name);
    const inner =
      name === undefined ? listItems(node, element) : (field?.node ?? node?.map?.values);
    const named = child.children !== undefined && field !== undefined;
    children.set(element, fieldNode(child.member || named, withNamedFields(child, inner).children));
  }
  return fieldNode(set.member, children);
}

function listItems(node: ApplyNode | undefined, element: PathElement): ApplyNode | undefined {
  return element.startsWith("k:") ? node?.list?.items : undefined;
}
