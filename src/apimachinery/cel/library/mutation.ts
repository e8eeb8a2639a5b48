import { defineLibrary } from "../declaration.ts";
import { toJson } from "../json-value.ts";
import { dynType, objectType, stringType, type CelType } from "../types.ts";
import { CelError, CelList, CelMap, CelObject, type CelValue } from "../value.ts";

/** An `Object.spec{...}` or `JSONPatch{...}` that an expression made. */
export class ConstructedObject extends CelObject {
  readonly type: CelType;
  readonly fields: ReadonlyMap<string, CelValue>;

  constructor(type: CelType, fields: ReadonlyMap<string, CelValue>) {
    super();
    this.type = type;
    this.fields = fields;
  }

  get(field: string): CelValue | undefined {
    return this.fields.get(field);
  }

  has(field: string): boolean {
    return this.fields.has(field);
  }

  fieldNames(): Iterable<string> {
    return this.fields.keys();
  }
}

const patchFields: Readonly<Record<string, CelType>> = {
  op: stringType,
  path: stringType,
  from: stringType,
  value: dynType,
};

export const jsonPatchType: CelType = objectType("JSONPatch", {
  field: (name) => (Object.hasOwn(patchFields, name) ? patchFields[name] : dynType),
  construct(fields) {
    for (const [name, value] of fields) {
      if (!Object.hasOwn(patchFields, name)) {
        throw new CelError(`unexpected JSONPatchType field: ${name}`);
      }
      if (name !== "value" && typeof value !== "string") {
        throw new CelError(`unexpected type for JSONPatchType '${name}' field`);
      }
    }
    return new ConstructedObject(jsonPatchType, fields);
  },
});

/**
 * Types of mutating policies, to be given as an environment's `typeResolver`: `JSONPatch`,
 * `Object`, and `Object.spec.…` for every path. Any field is allowed and dynamic. Source:
 * pkg/cel/mutation/typeresolver.go.
 */
export function resolveMutationType(name: string): CelType | undefined {
  if (name === "JSONPatch") return jsonPatchType;
  if (name !== "Object" && !name.startsWith("Object.")) return undefined;
  const type: CelType = objectType(name, {
    field: () => dynType,
    construct: (fields) => new ConstructedObject(type, fields),
  });
  return type;
}

export interface JsonPatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  /** JSON; undefined when the expression gave none. */
  readonly value: unknown;
}

/** Reads the result of a JSONPatch expression; undefined when the value is none. */
export function jsonPatchOperation(value: CelValue): JsonPatchOperation | undefined {
  if (!(value instanceof ConstructedObject) || value.type.name !== "JSONPatch") return undefined;
  const text = (name: string): string => {
    const field = value.get(name);
    return typeof field === "string" ? field : "";
  };
  const held = value.get("value");
  return {
    op: text("op"),
    path: text("path"),
    from: text("from"),
    value: held === undefined ? undefined : toJson(held),
  };
}

/**
 * What is wrong with the type names inside an `Object{...}`: each must be the path of its field.
 * Source: pkg/cel/mutation/dynamic/objects.go.
 */
export function mutationTypeErrors(
  value: CelValue,
  path: readonly string[] = ["Object"],
): string[] {
  const errors: string[] = [];
  const inner = (part: CelValue, name?: string): void => {
    errors.push(...mutationTypeErrors(part, name === undefined ? path : [...path, name]));
  };
  if (value instanceof ConstructedObject) {
    const expected = path.join(".");
    if (value.type.name !== expected) {
      errors.push(
        `unexpected type name "${value.type.name}", expected "${expected}", which matches field name path from root Object type`,
      );
    }
    for (const [name, field] of value.fields) inner(field, name);
  } else if (value instanceof CelList) for (const element of value) inner(element);
  else if (value instanceof CelMap) for (const key of value.keys()) inner(value.get(key) ?? null);
  return errors;
}

function escapeKey(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** `jsonpatch.escapeKey`, for mutating policies. Source: pkg/cel/library/jsonpatch.go. */
export const jsonPatchLibrary = defineLibrary({
  name: "kubernetes.jsonpatch",
  rows: [["string_jsonpatch_escapeKey_string", "jsonpatch.escapeKey(string) -> string", escapeKey]],
});
