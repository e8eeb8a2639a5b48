import { isJsonMap, type JsonMap } from "../json-value.ts";
import { ObjectMeta } from "../meta/object-meta.ts";
import {
  type ApplyField,
  type ApplyList,
  type ApplyMap,
  type ApplyNode,
  applyNode,
  atomicNode,
  deducedNode,
} from "./apply-schema.ts";
import { applyNodeOf, plainField, rootNode, scalarNodes } from "./struct-schema.ts";

/**
 * The apply schema of a custom resource, from the OpenAPI v3 JSON of its structural schema, with
 * which it is kept.
 * Source: k8s.io/kube-openapi/pkg/schemaconv/openapi.go, apiextensions-apiserver
 * pkg/controller/openapi/builder.
 */
export function applySchemaOfStructural(
  structural: unknown,
  preserveUnknownFields = false,
): ApplyNode {
  const schema = isJsonMap(structural) ? structural : noSchema;
  const known = preserveUnknownFields ? preserving : pruning;
  let node = known.get(schema);
  if (node === undefined) {
    const map = objectMap(schema, preserves(schema, preserveUnknownFields));
    node = rootNode({ ...map, fields: new Map([...map.fields, ...objectFields()]) });
    known.set(schema, node);
  }
  return node;
}

const noSchema: JsonMap = {};
const pruning = new WeakMap<JsonMap, ApplyNode>();
const preserving = new WeakMap<JsonMap, ApplyNode>();

/** What every object has, and every embedded one. */
function objectFields(): [string, ApplyField][] {
  return [
    ["apiVersion", plainField(scalarNodes.string)],
    ["kind", plainField(scalarNodes.string)],
    ["metadata", plainField(applyNodeOf(ObjectMeta, "json"))],
  ];
}

/** Once said, it holds for all that is declared inside. */
function preserves(schema: JsonMap, inherited: boolean): boolean {
  return inherited || schema["x-kubernetes-preserve-unknown-fields"] === true;
}

function nodeOf(value: unknown, inherited: boolean): ApplyNode {
  const schema = isJsonMap(value) ? value : {};
  const preserve = preserves(schema, inherited);
  switch (schema["type"]) {
    case "object":
      return applyNode({ map: objectMap(schema, preserve) });
    case "array":
      return applyNode({ list: arrayList(schema, preserve) });
    case "integer":
    case "number":
      return scalarNodes.number;
    case "boolean":
      return scalarNodes.boolean;
    case "string": {
      const { format } = schema;
      return format === undefined || format === "" || format === "byte"
        ? scalarNodes.string
        : scalarNodes.untyped;
    }
    default:
      return applyNode({
        scalar: "untyped",
        list: arrayList(schema, preserve),
        map: objectMap(schema, preserve),
      });
  }
}

function objectMap(schema: JsonMap, preserve: boolean): ApplyMap {
  const properties = isJsonMap(schema["properties"]) ? schema["properties"] : {};
  const fields = new Map<string, ApplyField>();
  for (const [name, property] of Object.entries(properties)) {
    const value = isJsonMap(property) ? property["default"] : undefined;
    fields.set(name, plainField(nodeOf(property, preserve), value));
  }
  if (schema["x-kubernetes-embedded-resource"] === true) {
    for (const [name, field] of objectFields()) fields.set(name, field);
  }
  return {
    fields,
    values: valuesOf(schema["additionalProperties"], { preserve, free: fields.size === 0 }),
    atomic: schema["x-kubernetes-map-type"] === "atomic",
    written: [],
  };
}

function valuesOf(
  additional: unknown,
  { preserve, free }: { preserve: boolean; free: boolean },
): ApplyNode | undefined {
  if (additional === undefined) return preserve || free ? deducedNode : undefined;
  if (typeof additional === "boolean") return additional ? deducedNode : undefined;
  return nodeOf(additional, preserve);
}

function arrayList(schema: JsonMap, preserve: boolean): ApplyList {
  const { items } = schema;
  const type = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"];
  const names = Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [];
  return {
    items: items === undefined ? atomicNode : nodeOf(items, preserve),
    atomic: type !== "map" && type !== "set",
    keys: type === "map" ? names : [],
  };
}
