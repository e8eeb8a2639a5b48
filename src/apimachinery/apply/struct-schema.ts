import {
  type Field,
  type Fields,
  flatFields,
  resolve,
  type Schema,
  type StructSchema,
} from "../schema.ts";
import {
  type ApplyField,
  applyMapOf,
  type ApplyMap,
  type ApplyNode,
  applyNode,
  atomicNode,
  deducedNode,
  untrackedMembers,
  untrackedMetadata,
} from "./apply-schema.ts";

/**
 * Apply schemas of our schema DSL, made once per struct.
 * Source: k8s.io/kube-openapi/pkg/schemaconv.
 */

/**
 * How the objects of a schema exist in upstream: `go` as structs, which write zero values of their
 * own; `json` as they were sent, like the metadata of custom resources.
 */
export type ObjectForm = "go" | "json";

/** The schema of a kind. */
export function applySchemaOf(schema: StructSchema<Fields>): ApplyNode {
  let root = roots.get(schema);
  if (root === undefined) {
    root = { ...rootNode(structMap(schema, "go")), json: rootNode(structMap(schema, "json")) };
    roots.set(schema, root);
  }
  return root;
}

const roots = new WeakMap<StructSchema<Fields>, ApplyNode>();

/** Any schema inside a kind. */
export function applyNodeOf(schema: Schema, form: ObjectForm): ApplyNode {
  return nodeOf(schema, { form, field: undefined });
}

/** Makes a map the top level of a kind: with type and version, and with what is never tracked. */
export function rootNode(map: ApplyMap): ApplyNode {
  const fields = new Map(map.fields);
  for (const name of untrackedMembers) fields.set(name, plainField(stringNode));
  const metadata = fields.get("metadata");
  if (metadata?.node.map !== undefined) {
    const node = applyNode({ map: { ...metadata.node.map, untracked: untrackedMetadata } });
    fields.set("metadata", { ...metadata, node });
  }
  const written = [...fields].filter(([, field]) => field.go && field.zero !== undefined);
  return applyNode({ map: { ...map, fields, written, untracked: untrackedMembers } });
}

const stringNode = applyNode({ scalar: "string" });
const numberNode = applyNode({ scalar: "number" });
const booleanNode = applyNode({ scalar: "boolean" });
const untypedNode = applyNode({ scalar: "untyped" });

export const scalarNodes = {
  string: stringNode,
  number: numberNode,
  boolean: booleanNode,
  untyped: untypedNode,
} as const;

/** A field of an object that exists as JSON. */
export function plainField(node: ApplyNode, value?: unknown): ApplyField {
  return { node, default: value, go: false, zero: undefined, omitsZero: false };
}

interface Context {
  readonly form: ObjectForm;
  /** The field that has the type; it may say how its list or map behaves. */
  readonly field: Field | undefined;
}

function nodeOf(schema: Schema, { form, field }: Context): ApplyNode {
  const own = resolve(schema);
  switch (own.type) {
    case "struct": {
      const overridden = field?.mapType;
      const map = structMap(own, form);
      if (overridden === undefined || (overridden === "atomic") === map.atomic) {
        return structNode(own, form);
      }
      return applyNode({ map: { ...map, atomic: overridden === "atomic" } });
    }
    case "map": {
      const values = nodeOf(own.values, { form, field: undefined });
      return applyNode({ map: applyMapOf(values, field?.mapType === "atomic") });
    }
    case "list": {
      const items = nodeOf(own.items, { form, field: undefined });
      const { atomic, keys } = listBehaviour(field);
      return applyNode({ list: { items, atomic, keys } });
    }
    default:
      return scalarNode(own.type);
  }
}

function listBehaviour(field: Field | undefined): { atomic: boolean; keys: readonly string[] } {
  switch (field?.listType) {
    case "map":
      return { atomic: false, keys: field.mapKeys ?? [] };
    case "set":
      return { atomic: false, keys: [] };
    case "atomic":
      return { atomic: true, keys: [] };
    default: {
      const merges = field?.patch === "merge" || field?.patch === "merge,retainKeys";
      return { atomic: !merges, keys: merges && field.mergeKey ? [field.mergeKey] : [] };
    }
  }
}

type OtherType = Exclude<ReturnType<typeof resolve>["type"], "struct" | "map" | "list">;

function scalarNode(type: OtherType): ApplyNode {
  switch (type) {
    case "string":
    case "bytes":
    case "duration":
      return stringNode;
    case "int32":
    case "int64":
    case "double":
      return numberNode;
    case "bool":
      return booleanNode;
    case "object":
    case "quantity":
      return atomicNode;
    case "any":
    case "either":
    case "fields":
      return deducedNode;
    default:
      return untypedNode;
  }
}

type Cache = WeakMap<StructSchema<Fields>, { map: ApplyMap; node: ApplyNode }>;
const structs: Record<ObjectForm, Cache> = { go: new WeakMap(), json: new WeakMap() };

function structNode(schema: StructSchema<Fields>, form: ObjectForm): ApplyNode {
  return structOf(schema, form).node;
}

function structMap(schema: StructSchema<Fields>, form: ObjectForm): ApplyMap {
  return structOf(schema, form).map;
}

function structOf(
  schema: StructSchema<Fields>,
  form: ObjectForm,
): { map: ApplyMap; node: ApplyNode } {
  const known = structs[form].get(schema);
  if (known !== undefined) return known;
  const fields = new Map<string, ApplyField>();
  const written: [string, ApplyField][] = [];
  const flat = flatFields(schema);
  // A struct without fields is free-form in OpenAPI.
  const values = flat.size === 0 ? deducedNode : undefined;
  const map: ApplyMap = { fields, values, atomic: schema.atomic, written };
  const made = { map, node: applyNode({ map }) };
  // Known before its fields are read: schemas may contain themselves.
  structs[form].set(schema, made);
  for (const [name, field] of flat) {
    const own = fieldOf(field, form);
    fields.set(name, own);
    if (own.go && own.zero !== undefined) written.push([name, own]);
  }
  return made;
}

function fieldOf(field: Field, form: ObjectForm): ApplyField {
  const node = nodeOf(field.schema, { form, field });
  // OpenAPI gives fields that are always written their zero value as default.
  const value = field.default ?? (field.presence === "req" ? zeroOf(field) : undefined);
  if (form === "json") return plainField(node, value);
  return {
    node,
    default: value,
    go: true,
    zero: zeroOf(field),
    omitsZero: field.presence === "opt" && !writesZero(field),
  };
}

const emptyStruct = Object.freeze({});

/** What Go writes for a field that is not set. */
function zeroOf(field: Field): unknown {
  if (field.presence === "ptr") return field.nullable === true ? null : undefined;
  if (field.presence === "opt" && !writesZero(field)) return undefined;
  const { type } = resolve(field.schema);
  switch (type) {
    case "struct":
      return emptyStruct;
    case "string":
      return "";
    case "quantity":
      return "0";
    case "duration":
      return "0s";
    case "int32":
    case "int64":
    case "double":
    case "intOrString":
      return 0;
    case "bool":
      return false;
    default:
      return null;
  }
}

const typesAlwaysWritten = new Set([
  "struct",
  "time",
  "microTime",
  "quantity",
  "intOrString",
  "duration",
  "object",
]);

function writesZero(field: Field): boolean {
  return typesAlwaysWritten.has(resolve(field.schema).type);
}
