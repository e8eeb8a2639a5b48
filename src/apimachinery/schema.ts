/**
 * The schema DSL: one frozen value declares a type once. TypeScript types are inferred from it;
 * the JSON and protobuf codecs, OpenAPI v2 and v3, defaults, strategic merge, server-side apply and
 * `explain` derive from it, each compiled lazily on first use and kept in its own WeakMap.
 *
 * Field order is Go's struct order, which is the order of JSON on the wire. A field says how Go
 * treats its zero value, since that is visible to clients:
 *  - `req`: always written (Go: no `omitempty`): an absent one is written as its zero value
 *    (`0`, `""`, `false`, `{}`), lists and maps as `null`.
 *  - `opt`: left out when zero (Go: `omitempty`, not a pointer), so an explicit `0`, `""`, `false`,
 *    empty list or empty map disappears. Go never leaves out structs this way, so an absent one is
 *    written as with `req`: structs `{}` with what their own fields write, `time` and `microTime`
 *    `null`, `quantity` `"0"`, `intOrString` 0, `duration` `"0s"`, `object` null. What `req` and
 *    `opt` then tell apart is TypeScript's optionality.
 *  - `ptr`: left out when absent, kept when zero (Go: a pointer, or a `omitzero` struct).
 *    `nullable` ones (Go: a pointer without `omitempty`) are written as `null` when absent.
 */

export type Schema =
  | ScalarSchema<unknown>
  | ListSchema<Schema>
  | MapSchema<Schema>
  | StructSchema<Fields>
  | RefSchema<unknown>
  | EitherSchema<unknown>;

declare const typed: unique symbol;
/** Carries the TypeScript type; never present at run time. */
interface Typed<T> {
  readonly [typed]?: T;
}

/**
 * Scalars by name. Shapes in JSON (also in memory):
 *  - `int32`, `int64`, `double`: number; an int64 beyond 2^53 is a bigint at run time.
 *  - `bytes`: base64 text. `time`: RFC 3339 seconds, UTC. `microTime`: six decimals. Null = unset.
 *  - `quantity`: canonical text (`1500m`); numbers are accepted and canonicalized.
 *  - `intOrString`: number or string. `duration`: Go's text (`1h0m0s`).
 *  - `any`: any JSON (Go: apiextensions JSON). `object`: RawExtension, any JSON object.
 *  - `fields`: FieldsV1, an object.
 */
export type ScalarName =
  | "string"
  | "bool"
  | "int32"
  | "int64"
  | "double"
  | "bytes"
  | "time"
  | "microTime"
  | "quantity"
  | "intOrString"
  | "duration"
  | "any"
  | "object"
  | "fields";

export interface ScalarSchema<T> extends Typed<T>, Named {
  readonly type: ScalarName;
}

interface Named {
  /** The type that Go gives the value, where that has a name of its own: decoding errors tell it. */
  readonly goType?: string;
}

export interface ListSchema<Item extends Schema> extends Named {
  readonly type: "list";
  readonly items: Item;
  /** In protobuf a message of its own that holds the list as field 1 (Go: a named slice type). */
  readonly wrapped?: true;
}

/** Keys are strings; in OpenAPI `additionalProperties`. */
export interface MapSchema<Value extends Schema> extends Named {
  readonly type: "map";
  readonly values: Value;
}

export interface StructSchema<F extends Fields> {
  readonly type: "struct";
  /** OpenAPI definition name, e.g. `io.k8s.api.core.v1.Pod`. */
  readonly name: string;
  readonly fields: F;
  /** A kind by itself: `kind` and `apiVersion` come first in JSON and are no protobuf fields. */
  readonly root: boolean;
  /** `+structType=atomic`: apply replaces it whole. */
  readonly atomic: boolean;
  /** Discriminated unions of OpenAPI (`x-kubernetes-unions`). */
  readonly unions?: readonly Union[];
}

export interface Union {
  readonly discriminator?: string;
  /** JSON field name -> Go name, as OpenAPI prints it. */
  readonly fields: Readonly<Record<string, string>>;
}

/** A struct named before it is declared: for recursive types. */
export interface RefSchema<T> extends Typed<T> {
  readonly type: "ref";
  readonly target: () => StructSchema<Fields>;
}

/**
 * A struct or something simpler in its place, told apart by the JSON (apiextensions'
 * JSONSchemaPropsOrBool, OrArray, OrStringArray). In protobuf a message: the struct is field 2
 * beside the boolean as field 1, or field 1 beside the list as field 2.
 */
export interface EitherSchema<T> extends Typed<T> {
  readonly type: "either";
  /** OpenAPI definition name; OpenAPI says nothing more of it. */
  readonly name: string;
  readonly or: "bool" | "list" | "strings";
  readonly schema: RefSchema<unknown>;
}

export interface FieldOptions {
  /** Default that decoding fills in (`+default=`); constants only. */
  readonly default?: unknown;
  /** OpenAPI `required`, where it is not simply: `req` is, `opt` and `ptr` are not. */
  readonly required?: boolean;
  /** Only with `ptr`: written as `null` when absent. */
  readonly nullable?: boolean;
  readonly listType?: "atomic" | "set" | "map";
  /** Keys of `listType: "map"`. */
  readonly mapKeys?: readonly string[];
  readonly mapType?: "atomic" | "granular";
  /** Strategic merge strategy, in Go's `patchStrategy` tag. */
  readonly patch?: "merge" | "replace" | "retainKeys" | "merge,retainKeys";
  readonly mergeKey?: string;
  /** OpenAPI `format` beyond the one the type implies. */
  readonly format?: string;
  /**
   * Go embeds this struct (`json:",inline"`): its fields stand flat among the parent's in JSON,
   * while in protobuf it is a nested message.
   */
  readonly inline?: boolean;
  /** OpenAPI publishes the property although JSON leaves zero out, or the other way round. */
  readonly hidden?: boolean;
}

export interface Field extends FieldOptions {
  readonly presence: "req" | "opt" | "ptr";
  /** Protobuf field number; 0 where Go has no protobuf tag. */
  readonly tag: number;
  readonly schema: Schema;
}

interface TypedField<P extends Field["presence"], S extends Schema, O> extends Field {
  readonly presence: P;
  readonly schema: S;
  readonly options?: O;
}

export type Fields = Readonly<Record<string, Field>>;

type Inlined = { readonly inline: true };

// --- Inference -----------------------------------------------------------------------------

type InferScalarOrNested<S> =
  S extends ScalarSchema<infer T>
    ? T
    : S extends RefSchema<infer T> | EitherSchema<infer T>
      ? T
      : S extends ListSchema<infer I>
        ? InferValue<I>[]
        : S extends MapSchema<infer V>
          ? Record<string, InferValue<V>>
          : S extends StructSchema<infer F>
            ? InferFields<F>
            : never;

export type InferValue<S> = InferScalarOrNested<S>;

type RequiredKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends TypedField<"req", Schema, infer O>
    ? O extends Inlined
      ? never
      : K
    : never;
}[keyof F];

type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends TypedField<"opt" | "ptr", Schema, infer O>
    ? O extends Inlined
      ? never
      : K
    : never;
}[keyof F];

type InlineKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends TypedField<Field["presence"], Schema, infer O>
    ? O extends Inlined
      ? K
      : never
    : never;
}[keyof F];

type InferFields<F extends Fields> = {
  -readonly [K in keyof F as K extends RequiredKeys<F> ? K : never]: InferValue<F[K]["schema"]>;
} & {
  -readonly [K in keyof F as K extends OptionalKeys<F> ? K : never]?: InferValue<F[K]["schema"]> | undefined;
} & UnionToIntersection<
    InlineKeys<F> extends never ? unknown : InferValue<F[InlineKeys<F>]["schema"]>
  >;

type UnionToIntersection<U> = (U extends unknown ? (x: U) => void : never) extends (
  x: infer I,
) => void
  ? I
  : never;

/** What kinds have beside their own fields. */
export interface TypeMeta {
  kind?: string | undefined;
  apiVersion?: string | undefined;
}

/** The TypeScript type of a schema value. Write `interface Pod extends Infer<typeof Pod> {}`. */
export type Infer<S> = S extends RootStruct<infer F> ? TypeMeta & InferFields<F> : InferValue<S>;

export interface RootStruct<F extends Fields> extends StructSchema<F> {
  readonly root: true;
}

// --- Construction --------------------------------------------------------------------------

function scalar<T>(type: ScalarName): ScalarSchema<T> {
  return Object.freeze({ type });
}

export const string = scalar<string>("string");
export const bool = scalar<boolean>("bool");
export const int32 = scalar<number>("int32");
export const int64 = scalar<number>("int64");
export const double = scalar<number>("double");
/** Base64 text. */
export const bytes = scalar<string>("bytes");
/** RFC 3339 text, whole seconds. */
export const time = scalar<string>("time");
/** RFC 3339 text, six decimals. */
export const microTime = scalar<string>("microTime");
/** Canonical quantity text. */
export const quantity = scalar<string>("quantity");
export const intOrString = scalar<number | string>("intOrString");
/** Go duration text. */
export const duration = scalar<string>("duration");
export const anyJson = scalar<unknown>("any");
export const rawObject = scalar<Record<string, unknown>>("object");
export const fieldsV1 = scalar<Record<string, unknown>>("fields");

/** A scalar, list or map with a Go type of its own: `named("v1.PodPhase", string)`. */
export function named<S extends ScalarSchema<unknown> | ListSchema<Schema> | MapSchema<Schema>>(goType: string, schema: S): S {
  const copy: S = { ...schema, goType };
  return Object.freeze(copy);
}

export function listOf<S extends Schema>(items: S): ListSchema<S> {
  return Object.freeze({ type: "list", items });
}

/** A list that protobuf wraps in a message. */
export function wrappedListOf<S extends Schema>(items: S): ListSchema<S> {
  return Object.freeze({ type: "list", items, wrapped: true });
}

export function mapOf<S extends Schema>(values: S): MapSchema<S> {
  return Object.freeze({ type: "map", values });
}

/** A struct that is declared later, or that contains itself; `T` is its interface. */
export function ref<T>(target: () => StructSchema<Fields>): RefSchema<T> {
  return Object.freeze({ type: "ref", target });
}

interface EitherTypes<T> {
  bool: T | boolean;
  list: T | T[];
  strings: T | string[];
}

/** A struct or a simpler value in its place. */
export function schemaOr<T, Or extends keyof EitherTypes<T>>(
  name: string,
  or: Or,
  schema: RefSchema<T>,
): EitherSchema<EitherTypes<T>[Or]> {
  return Object.freeze({ type: "either", name, or, schema });
}

interface StructOptions {
  readonly atomic?: boolean;
  readonly unions?: readonly Union[];
}

/** A struct inside kinds. */
export function struct<const F extends Fields>(
  name: string,
  fields: F,
  options: StructOptions = {},
): StructSchema<F> {
  return Object.freeze({ type: "struct", name, fields, root: false, atomic: false, ...options });
}

/** A struct that is a kind: has `kind` and `apiVersion`. */
export function kind<const F extends Fields>(
  name: string,
  fields: F,
  options: StructOptions = {},
): RootStruct<F> {
  return Object.freeze({ type: "struct", name, fields, root: true, atomic: false, ...options });
}

function field<P extends Field["presence"], S extends Schema, O extends FieldOptions>(
  presence: P,
  spec: { tag: number; schema: S; options: O | undefined },
): TypedField<P, S, O> {
  return Object.freeze({ presence, tag: spec.tag, schema: spec.schema, ...spec.options });
}

export function req<S extends Schema, const O extends FieldOptions = Record<never, never>>(
  tag: number,
  schema: S,
  options?: O,
): TypedField<"req", S, O> {
  return field("req", { tag, schema, options });
}

export function opt<S extends Schema, const O extends FieldOptions = Record<never, never>>(
  tag: number,
  schema: S,
  options?: O,
): TypedField<"opt", S, O> {
  return field("opt", { tag, schema, options });
}

export function ptr<S extends Schema, const O extends FieldOptions = Record<never, never>>(
  tag: number,
  schema: S,
  options?: O,
): TypedField<"ptr", S, O> {
  return field("ptr", { tag, schema, options });
}

/** Follows a reference; other schemas are returned as they are. */
export function resolve(schema: Schema): Exclude<Schema, RefSchema<unknown>> {
  return schema.type === "ref" ? schema.target() : schema;
}

/** JSON fields of a struct in wire order, inlined structs flattened; `kind`/`apiVersion` not among them. */
export function flatFields(schema: StructSchema<Fields>): ReadonlyMap<string, Field> {
  let flat = flatCache.get(schema);
  if (flat === undefined) {
    flat = new Map();
    for (const [name, declared] of Object.entries(schema.fields)) {
      const nested = declared.inline === true ? resolve(declared.schema) : undefined;
      if (nested?.type !== "struct") flat.set(name, declared);
      else for (const [inner, innerField] of flatFields(nested)) flat.set(inner, innerField);
    }
    flatCache.set(schema, flat);
  }
  return flat;
}

const flatCache = new WeakMap<StructSchema<Fields>, Map<string, Field>>();
