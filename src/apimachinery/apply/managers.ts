import { compareBytes } from "../maps.ts";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import {
  decodeFieldSet,
  emptyFieldSet,
  encodeFieldSet,
  type FieldSet,
  isEmptySet,
  union,
} from "./field-set.ts";
import { PathElementError } from "./path-element.ts";

/**
 * Managers of an object: decoded entries of `metadata.managedFields`, by what identifies them: the
 * name, operation, subresource and, unless they apply, the version.
 * Source: k8s.io/apimachinery/pkg/util/managedfields/internal/{managedfields,capmanagers}.go.
 */
export interface Manager {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; absent until the manager first changes something. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

export type Managers = ReadonlyMap<string, Manager>;

export const noManagers: Managers = new Map();

/** Most managers by update; the oldest are merged into `ancient-changes`. */
export const updateManagersMax = 10;

export function managerKey(manager: Omit<Manager, "fields" | "time">): string {
  const version = manager.operation === "Apply" ? "" : manager.apiVersion;
  return JSON.stringify([manager.name, manager.operation, version, manager.subresource]);
}

/** `metadata.managedFields` cannot be read; the message is upstream's. */
export class ManagedFieldsError extends Error {
  override readonly name = "ManagedFieldsError";
}

/** Reads `metadata.managedFields`. Throws `ManagedFieldsError`. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers = new Map<string, Manager>();
  for (const [index, entry] of (entries ?? []).entries()) {
    const manager = decodeManager(entry, index);
    managers.set(managerKey(manager), manager);
  }
  return managers;
}

function decodeManager(entry: ManagedFieldsEntry, index: number): Manager {
  const { operation, apiVersion, fieldsType } = entry;
  if (operation !== "Apply" && operation !== "Update") {
    throw new ManagedFieldsError("operation must be `Apply` or `Update`");
  }
  if (!apiVersion) throw new ManagedFieldsError("apiVersion must not be empty");
  if (!fieldsType) {
    throw new ManagedFieldsError(`missing fieldsType in managed fields entry ${index}`);
  }
  if (fieldsType !== "FieldsV1") {
    const text = `invalid fieldsType ${JSON.stringify(fieldsType)}`;
    throw new ManagedFieldsError(`${text} in managed fields entry ${index}`);
  }
  return {
    name: entry.manager ?? "",
    operation,
    apiVersion,
    subresource: entry.subresource ?? "",
    time: entry.time ?? undefined,
    fields: decodeFields(entry),
  };
}

function decodeFields(entry: ManagedFieldsEntry): FieldSet {
  try {
    return decodeFieldSet(entry.fieldsV1 ?? undefined);
  } catch (cause) {
    if (!(cause instanceof PathElementError)) throw cause;
    throw new ManagedFieldsError(`error decoding set: ${cause.message}`, { cause });
  }
}

/** The entries in upstream's order; undefined when there are none. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  const sorted = [...managers.values()].sort(compareManagers);
  return sorted.map((manager) => ({
    ...(manager.name !== "" && { manager: manager.name }),
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time !== undefined && { time: manager.time }),
    fieldsType: "FieldsV1",
    fieldsV1: encodeFieldSet(manager.fields),
    ...(manager.subresource !== "" && { subresource: manager.subresource }),
  }));
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compareBytes(a.operation, b.operation) ||
    seconds(a.time) - seconds(b.time) ||
    compareBytes(a.name, b.name) ||
    compareBytes(a.apiVersion, b.apiVersion) ||
    compareBytes(a.subresource, b.subresource)
  );
}

function seconds(time: string | undefined): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1000);
}

export function withManager(managers: Managers, manager: Manager): Managers {
  const changed = new Map(managers);
  const key = managerKey(manager);
  if (isEmptySet(manager.fields)) changed.delete(key);
  else changed.set(key, manager);
  return changed;
}

/** Merges the oldest updaters, one bucket a version, while more than `updateManagersMax`. */
export function capUpdateManagers(managers: Managers): Managers {
  const updaters = [...managers].filter(([, { operation }]) => operation === "Update");
  let excess = updaters.length - updateManagersMax;
  if (excess <= 0) return managers;
  updaters.sort(([a, x], [b, y]) => seconds(x.time) - seconds(y.time) || compareBytes(a, b));
  const capped = new Map(managers);
  const firsts = new Map<string, string>();
  for (const [key, manager] of updaters) {
    if (excess <= 0) break;
    const { apiVersion } = manager;
    const first = firsts.get(apiVersion);
    if (first === undefined) {
      firsts.set(apiVersion, key);
      continue;
    }
    const bucket: Omit<Manager, "fields" | "time"> = {
      name: "ancient-changes",
      operation: "Update",
      apiVersion,
      subresource: "",
    };
    const bucketKey = managerKey(bucket);
    const gathered = capped.get(bucketKey) ?? capped.get(first);
    if (!capped.has(bucketKey)) capped.delete(first);
    capped.delete(key);
    const fields = union(manager.fields, gathered?.fields ?? emptyFieldSet);
    capped.set(bucketKey, { ...bucket, time: manager.time, fields });
    excess--;
  }
  return capped;
}

/** The object with these managed fields instead of its own. */
export function withManagedFields<T extends KubeObject>(
  object: T,
  entries: ManagedFieldsEntry[] | undefined,
): T {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata: entries ? { ...metadata, managedFields: entries } : metadata };
}
