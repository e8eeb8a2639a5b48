import { creationDescription, nameDescription } from "#apimachinery/columns.ts";
import { apiVersionOf, type KubeObject, type ObjectMeta } from "#apimachinery/object.ts";
import type { Column, ResourceDefinition } from "#apimachinery/resource.ts";
import { badRequest } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";

/** What of the object goes into each row. */
export type IncludeObject = "None" | "Metadata" | "Object";

export interface TableSpec {
  readonly definition: ResourceDefinition;
  readonly objects: readonly KubeObject[];
  readonly metadata: object;
  /** `v1` or `v1beta1`. */
  readonly version: string;
  readonly include: IncludeObject;
  readonly nowMs: number;
  /** Column definitions are sent once in a watch. */
  readonly withColumns: boolean;
}

/** Name and age, for kinds that declare no columns of their own. */
const defaultColumns: readonly Column<KubeObject>[] = [
  {
    name: "Name",
    type: "string",
    format: "name",
    description: nameDescription,
    cell: (object) => object.metadata?.name ?? "",
  },
  {
    name: "Created At",
    type: "date",
    description: creationDescription,
    cell: (object) => object.metadata?.creationTimestamp ?? rfc3339(0),
  },
];

export function includeObjectOf(text: string | null): IncludeObject {
  if (text === null || text === "" || text === "Metadata") return "Metadata";
  if (text === "None" || text === "Object") return text;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** A `meta.k8s.io` Table of objects. */
export function tableOf(spec: TableSpec): KubeObject {
  const { definition } = spec;
  const objects = definition.rowOrder === undefined ? spec.objects : spec.objects.toSorted(definition.rowOrder);
  const columns = definition.columns.length > 0 ? definition.columns : defaultColumns;
  // Upstream's converter of kinds without columns leaves nil there.
  const hasNoRows = columns === defaultColumns && objects.length === 0;
  const table = {
    kind: "Table",
    apiVersion: `meta.k8s.io/${spec.version}`,
    metadata: spec.metadata,
    columnDefinitions: spec.withColumns ? columns.filter(({ undeclared }) => undeclared !== true).map(columnDefinition) : null,
    rows: hasNoRows ? null : objects.map((object) => rowOf(spec, columns, object)),
  };
  return table as KubeObject;
}

function rowOf(spec: TableSpec, columns: readonly Column<KubeObject>[], object: KubeObject): object {
  const conditions = spec.definition.rowConditions?.(object);
  return {
    cells: columns.map((column) => column.cell(object, spec.nowMs)),
    ...(conditions !== undefined && { conditions }),
    object: rowObject(spec, object),
  };
}

function columnDefinition(column: Column<KubeObject>): object {
  return {
    name: column.name,
    type: column.type,
    format: column.format ?? "",
    description: column.description,
    priority: column.priority ?? 0,
  };
}

function rowObject(spec: TableSpec, object: KubeObject): unknown {
  if (spec.include === "None") return null;
  if (spec.include === "Object") return withType(spec.definition, object);
  return partialMetadata(spec.definition, object, spec.version);
}

function withType(definition: ResourceDefinition, object: KubeObject): KubeObject {
  return { ...object, kind: definition.kind, apiVersion: apiVersionOf(definition.group, definition.version) };
}

/** PartialObjectMetadata of an object. */
export function partialMetadata(definition: ResourceDefinition, object: KubeObject, version: string): KubeObject {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: shownMetadata(definition, object.metadata ?? {}),
  };
}

function shownMetadata({ internalAnnotations }: ResourceDefinition, metadata: ObjectMeta): ObjectMeta {
  if (internalAnnotations === undefined || metadata.annotations === undefined) return metadata;
  const { annotations, ...others } = metadata;
  const shown = Object.entries(annotations).filter(([key]) => !internalAnnotations.includes(key));
  return shown.length === 0 ? others : { ...others, annotations: Object.fromEntries(shown) };
}
