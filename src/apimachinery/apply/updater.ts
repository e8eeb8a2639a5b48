import { type ApplyNode, jsonSchema, untrackedMembers, untrackedMetadata } from "./apply-schema.ts";
import { type Comparison, compare, sameValue } from "./compare.ts";
import { ApplyConflictError, conflictsOf } from "./conflicts.ts";
import {
  difference,
  emptyFieldSet,
  type FieldFilter,
  type FieldSet,
  fieldSetOfNames,
  filterSet,
  intersection,
  isEmptySet,
  union,
} from "./field-set.ts";
import { type Manager, managerKey, type Managers, withManager } from "./managers.ts";
import { mergeValues } from "./merge.ts";
import { reconcileWithSchema } from "./reconcile-schema.ts";
import type { ObjectForm } from "./struct-schema.ts";
import { removeFields, toFieldSet, withNamedFields } from "./to-field-set.ts";
import { writtenValue } from "./typed-value.ts";

/**
 * Who owns what after an update or an apply.
 * Source: sigs.k8s.io/structured-merge-diff merge/update.go.
 */

/** Paths that are never tracked, whoever sets them. */
const untracked: FieldSet = union(
  fieldSetOfNames([...untrackedMembers, "metadata"]),
  fieldSetOfNames([...untrackedMetadata].map((name) => `metadata.${name}`)),
);

function withoutUntracked(set: FieldSet): FieldSet {
  return difference(set, untracked);
}

/** The versions that an object may be looked at in. */
export interface ApplyVersions {
  /** The version of the request; objects come in it. */
  readonly apiVersion: string;
  /** Undefined for a version that does not exist (any more): managers in it are dropped. */
  readonly schemaOf: (apiVersion: string) => ApplyNode | undefined;
  /** Objects carry their own version. Not called for the version that an object has. */
  readonly convert: (object: object, apiVersion: string) => object;
  /** What is not tracked, by version: fields that the strategy resets. */
  readonly filterOf: (apiVersion: string) => FieldFilter | undefined;
}

interface Change {
  readonly before: object;
  readonly after: object;
}

/** Compares in any version, each at most once. In their own version the objects are of `form`. */
function comparisons(versions: ApplyVersions, { before, after }: Change, form: ObjectForm) {
  const known = new Map<string, Comparison>();
  return (apiVersion: string): Comparison | undefined => {
    const schema = versions.schemaOf(apiVersion);
    if (schema === undefined) return undefined;
    let comparison = known.get(apiVersion);
    if (comparison === undefined) {
      const whole =
        apiVersion === versions.apiVersion
          ? compare(form === "go" ? schema : jsonSchema(schema), before, after)
          : compare(
              schema,
              versions.convert(before, apiVersion),
              versions.convert(after, apiVersion),
            );
      comparison = filterComparison(whole, versions.filterOf(apiVersion));
      known.set(apiVersion, comparison);
    }
    return comparison;
  };
}

function filterComparison(comparison: Comparison, filter: FieldFilter | undefined): Comparison {
  if (filter === undefined) return comparison;
  return {
    added: filterSet(comparison.added, filter),
    modified: filterSet(comparison.modified, filter),
    removed: filterSet(comparison.removed, filter),
  };
}

/** Managers of versions that exist, their sets adapted to the schemas as they are now. */
export function currentManagers(managers: Managers, versions: ApplyVersions): Managers {
  let changed: Map<string, Manager> | undefined;
  for (const [key, manager] of managers) {
    const schema = versions.schemaOf(manager.apiVersion);
    const fields = schema && reconcileWithSchema(manager.fields, schema);
    if (fields === manager.fields) continue;
    changed ??= new Map(managers);
    if (fields === undefined) changed.delete(key);
    else changed.set(key, { ...manager, fields });
  }
  return changed ?? managers;
}

/** Takes what changed from every manager but `except`. */
function release(
  managers: Managers,
  comparisonIn: (apiVersion: string) => Comparison | undefined,
  except?: string,
): Managers {
  let changed: Map<string, Manager> | undefined;
  for (const [key, manager] of managers) {
    const comparison = comparisonIn(manager.apiVersion);
    let fields = manager.fields;
    if (comparison === undefined) fields = emptyFieldSet;
    else if (key !== except) {
      fields = difference(fields, comparison.modified);
      fields = difference(fields, comparison.added);
      fields = difference(fields, comparison.removed);
    }
    if (fields === manager.fields && !isEmptySet(fields)) continue;
    changed ??= new Map(managers);
    if (isEmptySet(fields)) changed.delete(key);
    else changed.set(key, { ...manager, fields });
  }
  return changed ?? managers;
}

export interface UpdateResult {
  /** Without the fields that the update took. */
  readonly managers: Managers;
  /** What it took. */
  readonly taken: FieldSet;
}

/** Works out an update of `before` to `after`: the updater gets what is new or different. */
export function trackUpdate(
  versions: ApplyVersions,
  change: Change,
  managers: Managers,
): UpdateResult {
  const comparisonIn = comparisons(versions, change, "go");
  const own = comparisonIn(versions.apiVersion);
  const rest = release(currentManagers(managers, versions), comparisonIn);
  const taken = own === undefined ? emptyFieldSet : union(own.modified, own.added);
  return { managers: rest, taken: withoutUntracked(taken) };
}

export interface ApplyRequest {
  /** Of the request's version, for objects as JSON. */
  readonly schema: ApplyNode;
  /** With all that Go writes. */
  readonly live: object;
  /** Valid by the schema. */
  readonly config: object;
  readonly managers: Managers;
  /** Who applies, its set and time aside. */
  readonly manager: Omit<Manager, "fields" | "time">;
  readonly force: boolean;
}

export interface ApplyResult {
  /** Undefined when the apply leaves the object as it is. */
  readonly object: object | undefined;
  /** The applier's set is what it applied now, its time the former. */
  readonly managers: Managers;
}

/** Merges, prunes and settles who owns what. Throws `ApplyConflictError` unless forced. */
export function applyConfig(versions: ApplyVersions, request: ApplyRequest): ApplyResult {
  const { live, config, manager } = request;
  const { schema } = request;
  const key = managerKey(manager);
  const current = currentManagers(request.managers, versions);
  const last = current.get(key);
  const fields = filterSet(toFieldSet(schema, config), versions.filterOf(versions.apiVersion));
  const managers = new Map(current);
  managers.set(key, { ...manager, time: last?.time, fields });
  const merged = mergeValues(schema, live, config) as object;
  const gaveUp = last !== undefined && !coveredBy(last, { ...manager, fields });
  const object = gaveUp ? prune(versions, merged, { managers, last }) : merged;
  const comparisonIn = comparisons(versions, { before: live, after: object }, "json");
  if (!request.force) checkConflicts(managers, comparisonIn, key);
  const settled = release(managers, comparisonIn, key);
  const entry = { ...manager, time: last?.time, fields: withoutUntracked(fields) };
  return {
    object: sameValue(schema, live, object) ? undefined : object,
    managers: withManager(settled, entry),
  };
}

/** The applier applies all that it applied last time: nothing can be left to remove. */
function coveredBy(last: Manager, now: Pick<Manager, "apiVersion" | "fields">): boolean {
  return last.apiVersion === now.apiVersion && isEmptySet(difference(last.fields, now.fields));
}

function checkConflicts(
  managers: Managers,
  comparisonIn: (apiVersion: string) => Comparison | undefined,
  except: string,
): void {
  const found: [Manager, FieldSet][] = [];
  for (const [key, manager] of managers) {
    const comparison = key === except ? undefined : comparisonIn(manager.apiVersion);
    if (comparison === undefined) continue;
    const changed = union(comparison.modified, comparison.added);
    const shared = intersection(manager.fields, changed);
    if (!isEmptySet(shared)) found.push([manager, shared]);
  }
  const conflicts = conflictsOf(found);
  if (conflicts.length > 0) throw new ApplyConflictError(conflicts);
}

interface Pruning {
  readonly managers: Managers;
  /** What the applier applied last time. */
  readonly last: Manager;
}

/** Removes what the applier applied last time, not now, and nobody else owns. */
function prune(versions: ApplyVersions, merged: object, { managers, last }: Pruning): object {
  const schema = jsonSchemaIn(versions, last.apiVersion);
  if (schema === undefined || isEmptySet(last.fields)) return merged;
  const inVersion = (object: object, apiVersion: string) => {
    if ((object as { apiVersion?: string }).apiVersion === apiVersion) return object;
    const go = versions.schemaOf(apiVersion);
    const converted = versions.convert(object, apiVersion);
    return go === undefined ? converted : (writtenValue(go, converted) as object);
  };
  const whole = inVersion(merged, last.apiVersion);
  let pruned = (removeFields(schema, whole, withNamedFields(last.fields, schema)) ?? {}) as object;
  for (const [apiVersion, owned] of ownedByVersion(managers, last.apiVersion)) {
    const own = jsonSchemaIn(versions, apiVersion);
    if (own === undefined) continue;
    const from = inVersion(merged, apiVersion);
    const kept = union(fieldsOf(own, inVersion(pruned, apiVersion)), withNamedFields(owned, own));
    pruned = (removeFields(own, from, difference(fieldsOf(own, from), kept)) ?? {}) as object;
  }
  const left = fieldsOf(schema, inVersion(pruned, last.apiVersion));
  const gone = difference(fieldsOf(schema, whole), left);
  const removable = intersection(gone, withNamedFields(last.fields, schema));
  const result = (removeFields(schema, whole, removable) ?? {}) as object;
  return inVersion(result, versions.apiVersion);
}

function jsonSchemaIn(versions: ApplyVersions, apiVersion: string): ApplyNode | undefined {
  const schema = versions.schemaOf(apiVersion);
  return schema && jsonSchema(schema);
}

function fieldsOf(schema: ApplyNode, value: object): FieldSet {
  return withNamedFields(toFieldSet(schema, value), schema);
}

/** What all managers own, the version of `first` before the others. */
function ownedByVersion(managers: Managers, first: string): Map<string, FieldSet> {
  const owned = new Map<string, FieldSet>();
  const inFirst = [...managers.values()].filter(({ apiVersion }) => apiVersion === first);
  for (const { apiVersion, fields } of [...inFirst, ...managers.values()]) {
    owned.set(apiVersion, union(owned.get(apiVersion) ?? emptyFieldSet, fields));
  }
  return owned;
}
