import { JsonNumber } from "#wire/json-token.ts";
import { isJsonMap } from "./json-value.ts";
import { getOwn } from "./maps.ts";
import { type Fields, flatFields, resolve, type Schema, type StructSchema } from "./schema.ts";

/**
 * How Go turns a document into a struct where it does not go through JSON: after a strategic merge
 * patch and after server-side apply. Numbers are converted, so that they wrap around, and errors
 * have texts of their own.
 * Source: k8s.io/apimachinery/pkg/runtime/converter.go.
 */
export class UnstructuredError extends Error {
  override readonly name = "UnstructuredError";
}

/**
 * The document with numbers as Go would have them, itself when all of them fit. Unknown members
 * stay. Throws `UnstructuredError`.
 */
export function fromUnstructured(schema: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  const own = resolve(schema);
  switch (own.type) {
    case "struct":
      if (!isJsonMap(value)) {
        throw new UnstructuredError(`cannot restore struct from: ${kindOf(value)}`);
      }
      return convertStruct(own, value);
    case "map": {
      if (!isJsonMap(value))
        throw new UnstructuredError(`cannot restore map from ${kindOf(value)}`);
      return convertMembers(value, () => own.values);
    }
    case "list": {
      if (!Array.isArray(value)) throw notSlice(value);
      const items = value.map((item) => fromUnstructured(own.items, item));
      return items.some((item, index) => item !== value[index]) ? items : value;
    }
    case "bytes":
      if (typeof value === "string") return value;
      throw notSlice(value);
    case "string":
    case "bool":
    case "int32":
    case "int64":
    case "double":
      return convertScalar(own.type, value);
    default:
      // These read JSON themselves.
      return value;
  }
}

/** What Go says where the JSON decoder complains afterwards: only bytes go through JSON there. */
export function conversionText(message: string): string {
  return message.startsWith("illegal base64 data") ? `error decoding from json: ${message}` : message;
}

function notSlice(value: unknown): UnstructuredError {
  return new UnstructuredError(`cannot restore slice from ${kindOf(value)}`);
}

function convertStruct(schema: StructSchema<Fields>, value: Record<string, unknown>): unknown {
  const fields = flatFields(schema);
  return convertMembers(value, (key) => fields.get(key)?.schema);
}

function convertMembers(
  value: Record<string, unknown>,
  schemaOf: (key: string) => Schema | undefined,
): Record<string, unknown> {
  const changed: [string, unknown][] = [];
  for (const key of Object.keys(value)) {
    const schema = schemaOf(key);
    const member = getOwn(value, key);
    const converted = schema === undefined ? member : fromUnstructured(schema, member);
    if (converted !== member) changed.push([key, converted]);
  }
  if (changed.length === 0) return value;
  return Object.fromEntries([...Object.entries(value), ...changed]);
}

type GoScalar = "string" | "bool" | "int32" | "int64" | "double";

function convertScalar(type: GoScalar, value: unknown): unknown {
  const kind = kindOf(value);
  const goType = type === "double" ? "float64" : type;
  if (kind === goType) return value;
  if (kind === "int64") {
    if (type === "int32") return Number(BigInt.asIntN(32, BigInt(value as number | bigint)));
    if (type === "double") return Number(value);
    // Go could make a character of it, and says so.
    if (type === "string") throw new UnstructuredError(`cannot convert int64 to ${goType}`);
  }
  if (kind === "float64" && (type === "int32" || type === "int64")) {
    throw new UnstructuredError(`cannot convert float64 to ${goType}`);
  }
  throw new UnstructuredError(`unrecognized type: ${goType}`);
}

/** Go's kind of a decoded JSON value. Whole numbers count as integers. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "slice";
  if (value instanceof JsonNumber) return "float64";
  if (typeof value === "object") return "map";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "bigint" ? "int64" : "string";
}
