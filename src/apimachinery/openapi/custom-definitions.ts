import { deepEqual } from "../deep-equal.ts";
import { ListMeta } from "../meta/list-meta.ts";
import { ObjectMeta } from "../meta/object-meta.ts";
import type { ResourceDefinition } from "../resource.ts";
import { addDefinitions, type DefinitionOptions, type Json, refTo, sorted } from "./definitions.ts";
import { customDefinitionName } from "./names.ts";

/**
 * Definitions of a custom resource and its list, from the structural schema that its CRD carries.
 * Source: apiextensions-apiserver pkg/controller/openapi.
 */
export function addCustomDefinitions(
  definition: ResourceDefinition,
  into: Map<string, Json>,
  options: DefinitionOptions,
): void {
  const { kind, listKind } = definition;
  const name = customDefinitionName(definition, kind);
  into.set(name, customDefinition(definition, options));
  into.set(customDefinitionName(definition, listKind), {
    type: "object",
    required: ["items"],
    properties: {
      items: { type: "array", items: { $ref: refTo(options.dialect, name) } },
      ...commonProperties(options, ListMeta.name),
    },
    ...kindExtension(definition, listKind),
    ...selectableFields(definition),
  });
  addDefinitions(ObjectMeta, into, options);
  addDefinitions(ListMeta, into, options);
}

/** What every object has; described, since clients show it. */
function commonProperties({ dialect, describe }: DefinitionOptions, metadata: string): Json {
  const say = (field: string): Json => {
    const description = describe("", field);
    return description === undefined ? {} : { description };
  };
  const $ref = refTo(dialect, metadata);
  const wrapped = dialect === 3 ? { allOf: [{ $ref }] } : { $ref };
  return {
    apiVersion: { ...say("apiVersion"), type: "string" },
    kind: { ...say("kind"), type: "string" },
    metadata: { ...say("metadata"), ...wrapped },
  };
}

function kindExtension({ group, version }: ResourceDefinition, kind: string): Json {
  return { "x-kubernetes-group-version-kind": [{ group, kind, version }] };
}

function selectableFields({ fieldSelectors }: ResourceDefinition): Json {
  const paths = Object.keys(fieldSelectors);
  return paths.length > 0 ? { "x-kubernetes-selectable-fields": paths.map((fieldPath) => ({ fieldPath })) } : {};
}

function customDefinition(definition: ResourceDefinition, options: DefinitionOptions): Json {
  const { custom, kind } = definition;
  const { dialect } = options;
  const structural = custom?.structural;
  const open = custom?.preserveUnknownFields === true || preservesUnknown(structural);
  // With any property named, kubectl would refuse all others.
  if (!isJson(structural) || (dialect === 2 && open)) {
    return { type: "object", ...kindExtension(definition, kind), ...selectableFields(definition) };
  }
  const json = nodeJson(structural, options);
  const properties = isJson(json["properties"]) ? json["properties"] : {};
  return {
    ...json,
    properties: sorted({ ...properties, ...commonProperties(options, ObjectMeta.name) }),
    ...kindExtension(definition, kind),
    ...selectableFields(definition),
  };
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function preservesUnknown(node: unknown): boolean {
  return isJson(node) && node["x-kubernetes-preserve-unknown-fields"] === true;
}

/** One node of the schema in a dialect; v2 loses what its readers cannot take. */
function nodeJson(node: Json, options: DefinitionOptions): Json {
  const json = options.dialect === 2 ? simplified(node) : unfolded(node);
  const { properties, items, additionalProperties } = json;
  if (isJson(properties)) {
    const entries = Object.entries(properties).map(
      ([name, each]) => [name, isJson(each) ? nodeJson(each, options) : each] as const,
    );
    json["properties"] = Object.fromEntries(entries);
  }
  if (isJson(items)) json["items"] = nodeJson(items, options);
  if (isJson(additionalProperties)) {
    json["additionalProperties"] = nodeJson(additionalProperties, options);
  }
  return embedded(json, options);
}

const integerOrString = [{ type: "integer" }, { type: "string" }];

/** `x-kubernetes-int-or-string` said in the words of JSON Schema as well. Source: structural Unfold. */
function unfolded(node: Json): Json {
  if (node["x-kubernetes-int-or-string"] !== true) return { ...node };
  const { allOf = [], anyOf } = node as { readonly allOf?: readonly Json[]; readonly anyOf?: readonly Json[] };
  if ([anyOf, allOf[0]?.["anyOf"]].some((each) => deepEqual(each, integerOrString))) return { ...node };
  if (anyOf === undefined) return { ...node, anyOf: integerOrString };
  return { ...node, allOf: [{ anyOf: integerOrString }, ...allOf] };
}

/** Source: apiextensions-apiserver pkg/controller/openapi/v2 ToStructuralOpenAPIV2; defaults are pruned from v2 everywhere. */
function simplified(node: Json): Json {
  const { allOf: _all, anyOf: _any, oneOf: _one, not: _not, default: _default, nullable, ...json } = node;
  const open = preservesUnknown(node);
  if (nullable === true || open) {
    delete json["items"];
    delete json["properties"];
  }
  if (nullable === true || (open && json["type"] === "object")) delete json["type"];
  if (json["type"] === "array" && json["items"] === undefined) delete json["type"];
  const { properties, required, additionalProperties } = json;
  if (isJson(additionalProperties) && additionalProperties["nullable"] === true) delete json["required"];
  else if (isJson(properties) && Array.isArray(required)) {
    const kept = required.filter((name: string) => {
      const property = properties[name];
      return !(isJson(property) && property["nullable"] === true);
    });
    if (kept.length > 0) json["required"] = kept;
    else delete json["required"];
  }
  return json;
}

/** Whole objects inside others have the members that every object has. */
function embedded(json: Json, options: DefinitionOptions): Json {
  if (json["x-kubernetes-embedded-resource"] !== true) return json;
  if (options.dialect === 2 && preservesUnknown(json)) return json;
  const required = Array.isArray(json["required"]) ? (json["required"] as string[]) : [];
  const properties = isJson(json["properties"]) ? json["properties"] : {};
  return {
    ...json,
    properties: sorted({ ...properties, ...commonProperties(options, ObjectMeta.name) }),
    required: [...new Set([...required, "kind", "apiVersion"])],
  };
}
