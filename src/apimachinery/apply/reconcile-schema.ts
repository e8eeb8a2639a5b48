import type { ApplyNode } from "./apply-schema.ts";
import { fieldLeaf, fieldNode, type FieldSet, isEmptySet } from "./field-set.ts";
import type { PathElement } from "./path-element.ts";

/**
 * Adapts a set to a schema that meanwhile made granular fields atomic: who owned something inside
 * then owns the whole. The other way round nothing changes: the set keeps the whole field.
 * Source: sigs.k8s.io/structured-merge-diff typed/reconcile_schema.go.
 */
export function reconcileWithSchema(set: FieldSet, node: ApplyNode): FieldSet {
  let known = reconciled.get(node);
  if (known === undefined) {
    known = new WeakMap();
    reconciled.set(node, known);
  }
  let result = known.get(set);
  if (result === undefined) {
    result = reconcile(set, node);
    known.set(set, result);
  }
  return result;
}

const reconciled = new WeakMap<ApplyNode, WeakMap<FieldSet, FieldSet>>();

function reconcile(set: FieldSet, node: ApplyNode): FieldSet {
  if (set.children === undefined) return set;
  const { map, list } = node;
  if (map !== undefined) {
    // What has no schema cannot have been declared granular.
    if (map.fields.size === 0 && map.values?.only === undefined) return set;
    if (map.atomic) return fieldLeaf;
    return reconcileChildren(set, (element) => {
      const field = element.startsWith("f:") ? map.fields.get(element.slice(2)) : undefined;
      return field?.node ?? map.values;
    });
  }
  if (node.scalar !== undefined || list === undefined) return set;
  return list.atomic ? fieldLeaf : reconcileChildren(set, () => list.items);
}

function reconcileChildren(
  set: FieldSet,
  nodeOf: (element: PathElement) => ApplyNode | undefined,
): FieldSet {
  let children: Map<PathElement, FieldSet> | undefined;
  for (const [element, child] of set.children ?? []) {
    const node = nodeOf(element);
    const changed = node === undefined ? child : reconcile(child, node);
    if (changed === child) continue;
    children ??= new Map(set.children);
    if (isEmptySet(changed)) children.delete(element);
    else children.set(element, changed);
  }
  return children === undefined ? set : fieldNode(set.member, children);
}
