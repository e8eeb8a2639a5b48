import type { Fields, StructSchema } from "../schema.ts";
import { flatFields, resolve } from "../schema.ts";
import type { Describe } from "./definitions.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path";
  readonly type: "string" | "integer" | "boolean";
  readonly description: string;
}

function query(name: string, type: Parameter["type"], description: string): Parameter {
  return { name, in: "query", type, description };
}

export const pretty = query("pretty", "string", "'true' asks for indented output.");

export const dryRun = query(
  "dryRun",
  "string",
  "'All' runs every stage of the request without persisting anything.",
);

export const fieldManager = query(
  "fieldManager",
  "string",
  "Who makes the change, at most 128 printable characters.",
);

/** In a patch it has another description upstream: apply requires it. */
export const patchFieldManager = query(
  "fieldManager",
  "string",
  "Who makes the change, at most 128 printable characters. Required by apply.",
);

export const fieldValidation = query(
  "fieldValidation",
  "string",
  "What to do about unknown and repeated fields: 'Ignore', 'Warn' (default) or 'Strict'.",
);

export const force = query("force", "boolean", "Apply takes over fields of other managers.");

export const writeParameters: readonly Parameter[] = [dryRun, fieldManager, fieldValidation];

export const patchParameters: readonly Parameter[] = [
  dryRun,
  patchFieldManager,
  fieldValidation,
  force,
];

export const deleteParameters: readonly Parameter[] = [
  dryRun,
  query("gracePeriodSeconds", "integer", "Seconds before the object is deleted; 0 is at once."),
  query(
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "boolean",
    "Deletes an object that cannot be read, without any of the usual safeguards.",
  ),
  query("orphanDependents", "boolean", "Deprecated: use propagationPolicy."),
  query("propagationPolicy", "string", "'Orphan', 'Background' or 'Foreground'."),
];

export const resourceVersion = query("resourceVersion", "string", "How fresh the answer must be.");

/** Of a list, apart from watching. */
const selection: readonly Parameter[] = [
  query("continue", "string", "Token of the previous page."),
  query("fieldSelector", "string", "Only objects whose fields match."),
  query("labelSelector", "string", "Only objects whose labels match."),
  query("limit", "integer", "Most objects in one page."),
  resourceVersion,
  query("resourceVersionMatch", "string", "How resourceVersion is applied."),
  query("sendInitialEvents", "boolean", "Begins a watch with the objects that exist."),
  query("shardSelector", "string", "Only objects of one shard of the key space."),
  query("timeoutSeconds", "integer", "Ends the call after so many seconds."),
];

export const listParameters: readonly Parameter[] = [
  query("allowWatchBookmarks", "boolean", "Sends bookmarks now and then."),
  ...selection,
  query("watch", "boolean", "Streams changes instead of listing."),
];

export const deleteCollectionParameters: readonly Parameter[] = [...selection, ...deleteParameters];

export const namespaceParameter: Parameter = {
  name: "namespace",
  in: "path",
  type: "string",
  description: "Namespace of the object.",
};

export function nameParameter(kind: string): Parameter {
  return { name: "name", in: "path", type: "string", description: `name of the ${kind}` };
}

export function pathParameter(name: string, description: string): Parameter {
  return { name, in: "path", type: "string", description };
}

const queryTypes = new Map<string, Parameter["type"]>([
  ["string", "string"],
  ["bool", "boolean"],
  ["int32", "integer"],
  ["int64", "integer"],
]);

/** Fields of an options kind that may stand in the query: scalars and lists of them. */
export function optionParameters(schema: StructSchema<Fields>, describe: Describe): Parameter[] {
  const parameters: Parameter[] = [];
  for (const [name, field] of flatFields(schema)) {
    const resolved = resolve(field.schema);
    const { type } = resolved.type === "list" ? resolve(resolved.items) : resolved;
    const mapped = queryTypes.get(type);
    if (mapped === undefined) continue;
    parameters.push(query(name, mapped, describe(schema.name, name) ?? `${name} of the request`));
  }
  return parameters;
}
