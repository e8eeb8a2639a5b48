import type { ManagedFieldsEntry } from "../object.ts";
import {
  difference,
  emptyFieldSet,
  type FieldPath,
  fieldSetOf,
  fieldSetOfNames,
  hasPath,
  isEmptySet,
  union,
} from "./field-set.ts";
import { decodeManagers, encodeManagers, type Manager, managerKey } from "./managers.ts";
import { fieldElement } from "./path-element.ts";

/**
 * The managed fields of a Scale are those of its parent, as far as they tell who owns the replicas.
 * Source: k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go.
 */
export interface ScaleMapping {
  /** The parent's version in the request. */
  readonly apiVersion: string;
  /**
   * Path of the replicas in each version of the parent, as names (`spec.replicas`). Undefined for a
   * version that does not exist, empty for one without scale.
   */
  readonly replicasPath: (apiVersion: string) => string | undefined;
}

const scaleVersion = "autoscaling/v1";
const scaleReplicas = fieldSetOfNames(["spec.replicas"]);
const scaleReplicasPath = ["spec", "replicas"].map(fieldElement);

function pathOf(names: string): FieldPath {
  return names.split(".").map(fieldElement);
}

/** Entries of the Scale. Throws `ManagedFieldsError` when the parent's cannot be read. */
export function scaleManagedFields(
  parent: readonly ManagedFieldsEntry[] | undefined,
  { replicasPath }: ScaleMapping,
): ManagedFieldsEntry[] | undefined {
  const scaled = new Map<string, Manager>();
  for (const [key, manager] of decodeManagers(parent)) {
    const names = replicasPath(manager.apiVersion);
    if (!names || !hasPath(manager.fields, pathOf(names))) continue;
    scaled.set(key, { ...manager, apiVersion: scaleVersion, fields: scaleReplicas });
  }
  return encodeManagers(scaled);
}

/**
 * Entries of the parent after a write of its Scale. Whoever lost the replicas there loses them
 * here, whoever has them gets an entry. Entries of updates never match, their versions differ, so
 * they are made anew, without time. Throws `ManagedFieldsError`.
 */
export function parentManagedFields(
  parent: readonly ManagedFieldsEntry[] | undefined,
  scale: readonly ManagedFieldsEntry[] | undefined,
  { apiVersion, replicasPath }: ScaleMapping,
): ManagedFieldsEntry[] | undefined {
  const before = decodeManagers(parent);
  const scaled = new Map(decodeManagers(scale));
  const after = new Map<string, Manager>();
  for (const [key, manager] of before) {
    const names = replicasPath(manager.apiVersion);
    if (names === undefined) continue;
    const owns = names !== "" && hasPath(manager.fields, pathOf(names));
    if (!owns || scaled.delete(key)) {
      after.set(key, manager);
      continue;
    }
    const fields = difference(manager.fields, fieldSetOf([pathOf(names)]));
    if (!isEmptySet(fields)) after.set(key, { ...manager, fields });
  }
  const own = replicasPath(apiVersion);
  for (const [key, manager] of scaled) {
    if (!own || !hasPath(manager.fields, scaleReplicasPath)) continue;
    const moved: Manager = { ...manager, apiVersion, time: before.get(key)?.time };
    const target = managerKey(moved);
    const kept = after.get(target)?.fields ?? emptyFieldSet;
    after.set(target, { ...moved, fields: union(kept, fieldSetOf([pathOf(own)])) });
  }
  return encodeManagers(after);
}
