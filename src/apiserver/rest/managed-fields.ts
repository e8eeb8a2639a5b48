import { rfc3339 } from "#base/clock.ts";
import {
  applyPatch,
  type FieldManagement,
  printKind,
  printObject,
  updateManagedFields,
} from "#apimachinery/apply/field-manager.ts";
import { type FieldFilter, fieldSetOfNames } from "#apimachinery/apply/field-set.ts";
import { applySchemaOf } from "#apimachinery/apply/struct-schema.ts";
import { applySchemaOfStructural } from "#apimachinery/apply/structural-schema.ts";
import type { ApplyNode } from "#apimachinery/apply/apply-schema.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import {
  conversionText,
  fromUnstructured,
  UnstructuredError,
} from "#apimachinery/from-unstructured.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import { apiVersionOf, type KubeObject, type ManagedFieldsEntry } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { badRequest, failure } from "#apimachinery/status.ts";
import { DecodeError } from "#apimachinery/json-codec.ts";
import { assert } from "#base/assert.ts";
import { parseYaml, YamlError } from "#wire/yaml.ts";
import type { Call, Endpoint } from "../call.ts";
import { codecOf } from "../storage/codec.ts";
import { managerOf } from "./metadata.ts";
import { applyDefaults, fromHub, toHub } from "./rest.ts";

/** As much of an endpoint as tracking needs. */
export type TrackedEndpoint = Pick<Endpoint, "definition" | "hub" | "versions">;

export interface Tracked {
  readonly endpoint: TrackedEndpoint;
  readonly call: Call;
  /** The wanted object in the request's version; the request's own. */
  readonly updated: KubeObject;
  /** The stored object in the request's version; absent for a create. */
  readonly live?: KubeObject;
}

/** Books what an update changes to its field manager. Changes `updated`'s metadata. */
export function trackUpdate({ endpoint, call, updated, live }: Tracked): KubeObject {
  const entries = updateManagedFields(managementOf(endpoint, call), {
    live,
    updated,
    manager: managerOf(call),
    time: rfc3339(call.nowMs),
  });
  return withEntries(updated, entries);
}

function withEntries(object: KubeObject, entries: ManagedFieldsEntry[] | undefined): KubeObject {
  const { managedFields: _before, ...metadata } = object.metadata ?? {};
  return { ...object, metadata: { ...metadata, ...(entries && { managedFields: entries }) } };
}

/**
 * Keeps the live managed fields when nothing changed but their times: a write that changes nothing
 * must not make an event.
 */
export function keepTimestamps(object: KubeObject, old: KubeObject): KubeObject {
  const now = object.metadata?.managedFields;
  const before = old.metadata?.managedFields;
  if (now === before || now === undefined || before === undefined) return object;
  const timeless = (entries: readonly ManagedFieldsEntry[]): unknown[] =>
    entries.map(({ time: _time, ...entry }) => entry);
  if (!deepEqual(timeless(now), timeless(before))) return object;
  const { resourceVersion: _a, managedFields: _b, ...metadata } = object.metadata ?? {};
  const { resourceVersion: _c, managedFields: _d, ...oldMetadata } = old.metadata ?? {};
  if (!deepEqual({ ...object, metadata }, { ...old, metadata: oldMetadata })) return object;
  return { ...object, metadata: { ...object.metadata, managedFields: before } };
}

export interface Application {
  readonly endpoint: Endpoint;
  readonly call: Call;
  readonly live?: KubeObject;
}

/** Server-side apply of the request's body to the live object, decoded and defaulted. */
export function applyConfiguration({ endpoint, call, live }: Application): KubeObject {
  const { value, duplicates } = readConfiguration(call);
  const applied = applyPatch(managementOf(endpoint, call), {
    live,
    patch: value,
    manager: call.options.fieldManager ?? "",
    force: call.options.force === true,
    time: rfc3339(call.nowMs),
  });
  reportDuplicates(call, duplicates);
  const object = decodeApplied(endpoint.definition, applied, value);
  applyDefaults(endpoint.definition, object);
  return object;
}

/** The body of an apply. */
export function readConfiguration(call: Call): { value: Record<string, unknown>; duplicates: readonly string[] } {
  const { body } = call;
  assert(body !== undefined, "apply without a body");
  if (body.form === "object") return { value: body.value as Record<string, unknown>, duplicates: [] };
  try {
    const { value, duplicates } = parseYaml(body.bytes);
    if (isJsonMap(value)) return { value, duplicates };
    if (value === null || value === undefined) return { value: {}, duplicates };
    const what = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    throw badRequest(
      "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: " +
        `cannot unmarshal ${what} into Go value of type map[string]interface {}`,
    );
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
  }
}

function reportDuplicates(call: Call, duplicates: readonly string[]): void {
  if (duplicates.length === 0 || call.options.fieldValidation === "Ignore") return;
  const text = `yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`;
  if (call.options.fieldValidation === "Strict") {
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${text}`);
  }
  for (const duplicate of duplicates) call.warn(duplicate);
}

function decodeApplied(
  definition: ResourceDefinition,
  applied: KubeObject,
  patch: object,
): KubeObject {
  try {
    const isGo = definition.custom === undefined;
    const plain = isGo ? fromUnstructured(definition.schema, applied) : applied;
    return codecOf(definition).decode(plain, false).object;
  } catch (error) {
    if (!(error instanceof DecodeError || error instanceof UnstructuredError)) throw error;
    const to = printKind(patch);
    const what = `failed to convert new object (${printObject(patch)}) to proper version`;
    const why = conversionText(error.message);
    throw failure("", {
      message: `${what}: unable to convert unstructured object to ${to}: ${why}`,
    });
  }
}

const managements = new WeakMap<ResourceDefinition, Map<string, FieldManagement>>();

function managementOf(endpoint: TrackedEndpoint, { subresource }: Call): FieldManagement {
  const { definition } = endpoint;
  let known = managements.get(definition);
  if (known === undefined) {
    known = new Map();
    managements.set(definition, known);
  }
  let management = known.get(subresource);
  if (management === undefined) {
    management = createManagement(endpoint, subresource);
    known.set(subresource, management);
  }
  return management;
}

function createManagement(endpoint: TrackedEndpoint, subresource: string): FieldManagement {
  const { definition, versions } = endpoint;
  const apiVersion = apiVersionOf(definition.group, definition.version);
  return {
    kind: definition.kind,
    subresource,
    apiVersion,
    schemaOf(apiVersion) {
      const found = versions().get(apiVersion);
      // Events have a version in two groups: the managers of one mean nothing to the other.
      return found?.group === definition.group ? applySchemaOfDefinition(found) : undefined;
    },
    convert(object, apiVersion) {
      const own = versions().get((object as KubeObject).apiVersion ?? "") ?? definition;
      const wanted = versions().get(apiVersion);
      if (wanted === undefined) return object;
      if (own.custom?.convert !== undefined) return own.custom.convert(object, apiVersion);
      return fromHub({ ...endpoint, definition: wanted }, toHub({ ...endpoint, definition: own }, object));
    },
    ...(definition.custom === undefined && {
      blank: () => codecOf(definition).decode({ kind: definition.kind, apiVersion }, false).object,
    }),
    filterOf: () => filterOf(definition, subresource),
  };
}

export function applySchemaOfDefinition({ custom, schema }: ResourceDefinition): ApplyNode {
  if (custom === undefined) return applySchemaOf(schema);
  return applySchemaOfStructural(custom.structural, custom.preserveUnknownFields);
}

/** Fields that writes through this door reset, so nobody owns them by it. */
function filterOf(definition: ResourceDefinition, subresource: string): FieldFilter | undefined {
  const declared =
    subresource === ""
      ? definition.strategy.resetFields
      : definition.subresources[subresource]?.strategy?.resetFields;
  const hasStatus = definition.subresources["status"] !== undefined;
  const standard = subresource === "status" ? ["spec"] : subresource === "" && hasStatus ? ["status"] : [];
  const paths = declared ?? standard;
  if (paths.length === 0) return undefined;
  return { exclude: fieldSetOfNames(paths) };
}
