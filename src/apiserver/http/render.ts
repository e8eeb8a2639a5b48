import { PartialObjectMetadata, PartialObjectMetadataList } from "#apimachinery/meta/table.ts";
import { Status as StatusSchema } from "#apimachinery/meta/status.ts";
import { ListMeta } from "#apimachinery/meta/list-meta.ts";
import { apiVersionOf, type KubeObject } from "#apimachinery/object.ts";
import { JsonChunks } from "#apimachinery/json-chunks.ts";
import { encodeJson } from "#apimachinery/json-codec.ts";
import { encodeProto, wrapUnknown } from "#apimachinery/proto-codec.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";
import { kind, listOf, req } from "#apimachinery/schema.ts";
import { failure, type StatusError } from "#apimachinery/status.ts";
import { parseJson, writeJson } from "#wire/json.ts";
import { writeYaml } from "#wire/yaml.ts";
import type { Answer } from "../answer.ts";
import type { Endpoint } from "../call.ts";
import type { ListPage } from "../rest/list.ts";
import type { Entry } from "../storage/entry.ts";
import { contentTypes, type Representation } from "./negotiate.ts";
import { type IncludeObject, partialMetadata, tableOf } from "./table.ts";

/** An encoded answer: chunks that are shared with the cache, not copied. */
export interface Rendered {
  readonly code: number;
  readonly contentType: string;
  readonly chunks: readonly Uint8Array[];
}

export interface RenderOptions {
  readonly representation: Representation;
  readonly include: IncludeObject;
  readonly nowMs: number;
}

const encoder = new TextEncoder();
const newline = encoder.encode("\n");

export function render(answer: Answer, options: RenderOptions): Rendered {
  const { representation } = options;
  if (answer.kind === "status") return renderStatus(answer, representation);
  if (answer.kind === "object") {
    const { object, schema, code, table } = answer;
    if (representation.as === "Table" && table !== undefined) {
      return encoded(representation, { object: tableFor(table.endpoint, table.objects, {}, options), code });
    }
    return encoded(representation, { object, schema, code });
  }
  if (answer.kind === "entry") return renderEntry(answer, options);
  return renderList(answer, options);
}

function renderStatus(answer: Extract<Answer, { kind: "status" }>, representation: Representation): Rendered {
  return encoded(representation, {
    object: answer.status as KubeObject,
    schema: StatusSchema,
    code: answer.code,
  });
}

interface Encodable {
  readonly object: KubeObject;
  /** Absent where there is no protobuf form. */
  readonly schema?: StructSchema<Fields>;
  readonly code: number;
}

/** Any object that is in wire order already. */
export function encoded(representation: Representation, { object, schema, code }: Encodable): Rendered {
  const contentType = contentTypes[representation.mediaType];
  if (representation.mediaType === "protobuf" && schema !== undefined) {
    return { code, contentType, chunks: [protoOf(object, schema)] };
  }
  const json = schema === undefined ? writeJson(object) : encodeJson(schema, object, { emptyLists: "keep" });
  return fromJson(representation, json, code);
}

/** JSON bytes as they are, indented, or as YAML. */
function fromJson(representation: Representation, json: Uint8Array, code: number): Rendered {
  if (representation.mediaType === "yaml") {
    const text = writeYaml(parseJson(json));
    return { code, contentType: contentTypes.yaml, chunks: [encoder.encode(text)] };
  }
  const chunks = representation.pretty ? [pretty(json)] : [json];
  return { code, contentType: contentTypes.json, chunks: [...chunks, newline] };
}

function pretty(json: Uint8Array): Uint8Array {
  const exact = (_key: string, value: unknown): unknown =>
    typeof value === "bigint" ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value)) : value;
  return encoder.encode(JSON.stringify(parseJson(json), exact, 2));
}

export function protoOf(object: KubeObject, schema: StructSchema<Fields>): Uint8Array {
  return wrapUnknown({
    apiVersion: object.apiVersion ?? "",
    kind: object.kind ?? "",
    raw: encodeProto(schema, object),
  });
}

function renderEntry(
  { endpoint, entry, code }: Extract<Answer, { kind: "entry" }>,
  options: RenderOptions,
): Rendered {
  const { definition } = endpoint;
  const { representation } = options;
  if (representation.as === "Table") {
    const object = entry.as(definition);
    const { resourceVersion } = object.metadata ?? {};
    return encoded(representation, { object: tableFor(endpoint, [object], { resourceVersion }, options), code });
  }
  if (representation.as === "PartialObjectMetadataList") {
    throw notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list (${goType(definition, "")})`);
  }
  if (representation.as !== "") {
    const partial = partialMetadata(definition, entry.as(definition), representation.version);
    return encoded(representation, { object: partial, schema: PartialObjectMetadata, code });
  }
  if (representation.mediaType === "json" && !representation.pretty) {
    return { code, contentType: contentTypes.json, chunks: [entry.json(definition), newline] };
  }
  if (representation.mediaType === "protobuf") {
    return { code, contentType: contentTypes.protobuf, chunks: [protoEntry(entry, definition)] };
  }
  return fromJson(representation, entry.json(definition), code);
}

/** Upstream's internal type, which its error names. */
function goType({ group, kind, custom }: ResourceDefinition, suffix: "" | "List"): string {
  if (custom !== undefined) return `*unstructured.Unstructured${suffix}`;
  return `*${group === "" ? "core" : (group.split(".")[0] ?? "")}.${kind}${suffix}`;
}

function notAcceptable(message: string): StatusError {
  return failure("NotAcceptable", { message });
}

/** The protobuf form of an entry, with its envelope, kept with the entry. */
export function protoEntry(entry: Entry, definition: ResourceDefinition): Uint8Array {
  return entry.form(definition, "protobuf", () => protoOf(entry.as(definition), definition.schema));
}

function tableFor(
  { definition }: Endpoint,
  objects: readonly KubeObject[],
  metadata: object,
  { representation, include, nowMs }: RenderOptions,
): KubeObject {
  const { version } = representation;
  return tableOf({ definition, objects, metadata, version, include, nowMs, withColumns: true });
}

function listMetadata(page: ListPage): object {
  return {
    resourceVersion: String(page.revision),
    ...(page.continue !== "" && { continue: page.continue }),
    ...(page.remainingItemCount !== undefined && { remainingItemCount: page.remainingItemCount }),
  };
}

/** Lists of unstructured content always have a token, and their members are sorted. */
function unstructuredMetadata(page: ListPage): object {
  const { remainingItemCount } = page;
  return {
    continue: page.continue,
    ...(remainingItemCount !== undefined && { remainingItemCount }),
    resourceVersion: String(page.revision),
  };
}

function renderList(
  { endpoint, page }: Extract<Answer, { kind: "list" }>,
  options: RenderOptions,
): Rendered {
  const { definition } = endpoint;
  const { representation } = options;
  const metadata = listMetadata(page);
  if (representation.as === "Table") {
    const objects = page.entries.map((entry) => entry.as(definition));
    const object = tableFor(endpoint, objects, metadata, options);
    return encoded(representation, { object, code: 200 });
  }
  if (representation.as === "PartialObjectMetadata") {
    throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${goType(definition, "List")})`);
  }
  if (representation.as !== "") return renderPartialList(endpoint, page, options);
  if (representation.mediaType !== "protobuf") {
    const chunks = jsonList(definition, page);
    if (representation.mediaType === "json" && !representation.pretty) {
      return { code: 200, contentType: contentTypes.json, chunks: [...chunks, newline] };
    }
    return fromJson(representation, Buffer.concat(chunks as Uint8Array[]), 200);
  }
  const object = {
    kind: definition.listKind,
    apiVersion: apiVersionOf(definition.group, definition.version),
    metadata,
    items: page.entries.map((entry) => itemOf(definition, entry.as(definition))),
  } as KubeObject;
  return encoded(representation, { object, schema: listSchema(definition), code: 200 });
}

function renderPartialList(
  { definition }: Endpoint,
  page: ListPage,
  { representation }: RenderOptions,
): Rendered {
  const { version } = representation;
  const object = {
    kind: "PartialObjectMetadataList",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMetadata(page),
    items: page.entries.map((entry) => partialMetadata(definition, entry.as(definition), version)),
  } as KubeObject;
  return encoded(representation, { object, schema: PartialObjectMetadataList, code: 200 });
}

/** Built-in kinds leave kind and apiVersion out of list items; custom resources keep them. */
function itemOf(definition: ResourceDefinition, object: KubeObject): KubeObject {
  if (definition.custom !== undefined) return object;
  const { kind: _kind, apiVersion: _apiVersion, ...item } = object;
  return item;
}

const listSchemas = new WeakMap<ResourceDefinition, StructSchema<Fields>>();

/** `{metadata, items}` of a kind. */
export function listSchema(definition: ResourceDefinition): StructSchema<Fields> {
  let schema = listSchemas.get(definition);
  if (schema === undefined) {
    schema = kind(`${definition.schema.name}List`, {
      metadata: req(1, ListMeta),
      items: req(2, listOf(definition.schema)),
    });
    listSchemas.set(definition, schema);
  }
  return schema;
}

/** The items' stored bytes between a head and a tail: one copy, no stringify. */
function jsonList(definition: ResourceDefinition, page: ListPage): readonly Uint8Array[] {
  const apiVersion = apiVersionOf(definition.group, definition.version);
  const custom = definition.custom !== undefined;
  const names = custom
    ? `"apiVersion":${JSON.stringify(apiVersion)},`
    : `"kind":${JSON.stringify(definition.listKind)},"apiVersion":${JSON.stringify(apiVersion)},`;
  const metadata = JSON.stringify(custom ? unstructuredMetadata(page) : listMetadata(page));
  const out = new JsonChunks(page.entries.reduce((sum, { stored }) => sum + stored.length + itemBytes, listBytes));
  out.writeText(custom ? `{${names}"items":[` : `{${names}"metadata":${metadata},"items":[`);
  for (const [index, entry] of page.entries.entries()) {
    if (index > 0) out.writeText(",");
    if (custom) out.write(entry.json(definition));
    else entry.writeItem(definition, out);
  }
  out.writeText(custom ? `],"kind":${JSON.stringify(definition.listKind)},"metadata":${metadata}}` : "]}");
  return out.finish();
}

/** About as much as a resourceVersion takes, and what is around the items. */
const itemBytes = 32;
const listBytes = 512;
