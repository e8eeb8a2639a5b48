import type { CelValue } from "./value.ts";

export type TypeKind =
  | "dyn"
  | "any"
  | "error"
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration"
  | "list"
  | "map"
  | "type"
  | "object"
  | "opaque"
  | "param";

/** A CEL type. Compare with `sameType`, never by identity. */
export interface CelType {
  readonly kind: TypeKind;
  /** Name that `type(x)` evaluates to, e.g. `google.protobuf.Timestamp`. */
  readonly name: string;
  readonly params: readonly CelType[];
  /** A wrapper such as `google.protobuf.Int64Value`: also holds null. */
  readonly nullable?: boolean;
  /** Fields of an object type. */
  readonly structure?: ObjectStructure;
}

export interface ObjectStructure {
  /** Type of a field by its CEL name; undefined when there is none. */
  readonly field: (name: string) => CelType | undefined;
  /** Makes an instance from `Name{field: value}`; absent when such literals are not allowed. */
  readonly construct?: (fields: ReadonlyMap<string, CelValue>) => CelValue;
}

function simple(kind: TypeKind, name: string = kind): CelType {
  return Object.freeze({ kind, name, params: [] });
}

export const dynType = simple("dyn");
export const anyType = simple("any", "google.protobuf.Any");
export const errorType = simple("error");
export const nullType = simple("null", "null_type");
export const boolType = simple("bool");
export const intType = simple("int");
export const uintType = simple("uint");
export const doubleType = simple("double");
export const stringType = simple("string");
export const bytesType = simple("bytes");
export const timestampType = simple("timestamp", "google.protobuf.Timestamp");
export const durationType = simple("duration", "google.protobuf.Duration");
/** The type of types, of which `type(int)` is an instance. */
export const typeType = simple("type");

export function listType(element: CelType): CelType {
  return { kind: "list", name: "list", params: [element] };
}

export function mapType(key: CelType, value: CelType): CelType {
  return { kind: "map", name: "map", params: [key, value] };
}

export function typeOfType(type: CelType): CelType {
  return { kind: "type", name: "type", params: [type] };
}

export function optionalType(value: CelType): CelType {
  return { kind: "opaque", name: "optional_type", params: [value] };
}

/** A type that only its library can look into, e.g. `net.IP`. */
export function opaqueType(name: string, ...params: CelType[]): CelType {
  return { kind: "opaque", name, params };
}

export function objectType(name: string, structure?: ObjectStructure): CelType {
  return { kind: "object", name, params: [], ...(structure && { structure }) };
}

export function paramType(name: string): CelType {
  return { kind: "param", name, params: [] };
}

export function wrapperType(type: CelType): CelType {
  return { ...type, nullable: true };
}

export function isDyn(type: CelType): boolean {
  return type.kind === "dyn" || type.kind === "any";
}

export function isOptional(type: CelType): boolean {
  return type.kind === "opaque" && type.name === "optional_type";
}

/** The value type of an optional; any other type is returned as it is. */
export function unwrapOptional(type: CelType): CelType {
  return isOptional(type) ? (type.params[0] ?? dynType) : type;
}

export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false;
  if (a.nullable !== b.nullable) return false;
  return a.params.every((param, i) => sameType(param, b.params[i] ?? dynType));
}

/** Prints a type as compile errors do. */
export function formatType(type: CelType): string {
  if (type.nullable === true) return `wrapper(${type.name})`;
  switch (type.kind) {
    case "any":
    case "duration":
    case "null":
    case "timestamp":
      return type.kind;
    case "error":
      return "!error!";
    default:
      if (type.params.length === 0) return type.name;
      return `${type.name}(${type.params.map(formatType).join(", ")})`;
  }
}
