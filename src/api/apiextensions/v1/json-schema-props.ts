import {
  anyJson,
  bool,
  double,
  type Fields,
  type Infer,
  int64,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  ref,
  req,
  schemaOr,
  string,
  struct,
  type StructSchema,
} from "#apimachinery/schema.ts";

/** Recursive, therefore written out; the schema is below. */
export interface JSONSchemaProps {
  id?: string | undefined;
  $schema?: string | undefined;
  $ref?: string | undefined;
  description?: string | undefined;
  type?: string | undefined;
  format?: string | undefined;
  title?: string | undefined;
  default?: unknown | undefined;
  maximum?: number | undefined;
  exclusiveMaximum?: boolean | undefined;
  minimum?: number | undefined;
  exclusiveMinimum?: boolean | undefined;
  maxLength?: number | undefined;
  minLength?: number | undefined;
  pattern?: string | undefined;
  maxItems?: number | undefined;
  minItems?: number | undefined;
  uniqueItems?: boolean | undefined;
  multipleOf?: number | undefined;
  enum?: unknown[] | undefined;
  maxProperties?: number | undefined;
  minProperties?: number | undefined;
  required?: string[] | undefined;
  items?: JSONSchemaProps | JSONSchemaProps[] | undefined;
  allOf?: JSONSchemaProps[] | undefined;
  oneOf?: JSONSchemaProps[] | undefined;
  anyOf?: JSONSchemaProps[] | undefined;
  not?: JSONSchemaProps | undefined;
  properties?: Record<string, JSONSchemaProps> | undefined;
  additionalProperties?: JSONSchemaProps | boolean | undefined;
  patternProperties?: Record<string, JSONSchemaProps> | undefined;
  dependencies?: Record<string, JSONSchemaProps | string[]> | undefined;
  additionalItems?: JSONSchemaProps | boolean | undefined;
  definitions?: Record<string, JSONSchemaProps> | undefined;
  externalDocs?: ExternalDocumentation | undefined;
  example?: unknown | undefined;
  nullable?: boolean | undefined;
  "x-kubernetes-preserve-unknown-fields"?: boolean | undefined;
  "x-kubernetes-embedded-resource"?: boolean | undefined;
  "x-kubernetes-int-or-string"?: boolean | undefined;
  "x-kubernetes-list-map-keys"?: string[] | undefined;
  "x-kubernetes-list-type"?: string | undefined;
  "x-kubernetes-map-type"?: string | undefined;
  "x-kubernetes-validations"?: ValidationRule[] | undefined;
}

const self = ref<JSONSchemaProps>(() => JSONSchemaProps);
const schemaOrBool = schemaOr(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
  "bool",
  self,
);
const schemaOrArray = schemaOr(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
  "list",
  self,
);
const schemaOrStrings = schemaOr(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
  "strings",
  self,
);

export const ExternalDocumentation = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation",
  {
    description: opt(1, string),
    url: opt(2, string),
  },
);
export interface ExternalDocumentation extends Infer<typeof ExternalDocumentation> {}

export const ValidationRule = struct("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule", {
  rule: req(1, string),
  message: opt(2, string),
  messageExpression: opt(3, string),
  reason: ptr(4, named("v1.FieldValueErrorReason", string)),
  fieldPath: opt(5, string),
  optionalOldSelf: ptr(6, bool),
});
export interface ValidationRule extends Infer<typeof ValidationRule> {}

export const JSONSchemaProps: StructSchema<Fields> = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
  {
    id: opt(1, string),
    $schema: opt(2, named("v1.JSONSchemaURL", string)),
    $ref: ptr(3, string),
    description: opt(4, string),
    type: opt(5, string),
    format: opt(6, string),
    title: opt(7, string),
    default: ptr(8, anyJson),
    maximum: ptr(9, double),
    exclusiveMaximum: opt(10, bool),
    minimum: ptr(11, double),
    exclusiveMinimum: opt(12, bool),
    maxLength: ptr(13, int64),
    minLength: ptr(14, int64),
    pattern: opt(15, string),
    maxItems: ptr(16, int64),
    minItems: ptr(17, int64),
    uniqueItems: opt(18, bool),
    multipleOf: ptr(19, double),
    enum: opt(20, listOf(anyJson), { listType: "atomic" }),
    maxProperties: ptr(21, int64),
    minProperties: ptr(22, int64),
    required: opt(23, listOf(string), { listType: "atomic" }),
    items: ptr(24, schemaOrArray),
    allOf: opt(25, listOf(self), { listType: "atomic" }),
    oneOf: opt(26, listOf(self), { listType: "atomic" }),
    anyOf: opt(27, listOf(self), { listType: "atomic" }),
    not: ptr(28, self),
    properties: opt(29, mapOf(self)),
    additionalProperties: ptr(30, schemaOrBool),
    patternProperties: opt(31, mapOf(self)),
    dependencies: opt(32, named("v1.JSONSchemaDependencies", mapOf(schemaOrStrings))),
    additionalItems: ptr(33, schemaOrBool),
    definitions: opt(34, named("v1.JSONSchemaDefinitions", mapOf(self))),
    externalDocs: ptr(35, ExternalDocumentation),
    example: ptr(36, anyJson),
    nullable: opt(37, bool),
    "x-kubernetes-preserve-unknown-fields": ptr(38, bool),
    "x-kubernetes-embedded-resource": opt(39, bool),
    "x-kubernetes-int-or-string": opt(40, bool),
    "x-kubernetes-list-map-keys": opt(41, listOf(string), { listType: "atomic" }),
    "x-kubernetes-list-type": ptr(42, string),
    "x-kubernetes-map-type": ptr(43, string),
    "x-kubernetes-validations": opt(44, named("v1.ValidationRules", listOf(ValidationRule)), {
      listType: "map",
      mapKeys: ["rule"],
      patch: "merge",
      mergeKey: "rule",
    }),
  },
);
