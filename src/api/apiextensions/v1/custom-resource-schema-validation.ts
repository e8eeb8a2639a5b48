import { checkRules } from "#apimachinery/cel/rules/rule-checks.ts";
import { duplicate, type FieldError, forbidden, invalid, required, tooMany } from "#apimachinery/field-error.ts";
import type { Findings } from "#apimachinery/validation/checks.ts";
import { validateDefaults } from "#apimachinery/structural/default-rules.ts";
import { validateSchemaKeywords } from "#apimachinery/structural/schema-rules.ts";
import { isStructuralForm } from "#apimachinery/structural/structural-form.ts";
import { validateStructural } from "#apimachinery/structural/structural-rules.ts";
import { propertyOf, type Structural, valuesOf } from "#apimachinery/structural/structural.ts";
import type { SelectableField } from "./custom-resource-definition.ts";
import { internalFieldNames, internalSchema } from "./internal-schema.ts";
import type { JSONSchemaProps } from "./json-schema-props.ts";

export const selectableFieldsMax = 8;

interface SchemaOptions {
  readonly path: string;
  readonly hasStatus: boolean;
}

/** The schema of a version, or of all. Source: validateCustomResourceDefinitionValidation. */
export function* validateOpenApiSchema(
  props: JSONSchemaProps | undefined,
  { path, hasStatus }: SchemaOptions,
): Findings {
  if (props === undefined) return;
  const schema = props as Structural;
  const at = `${path}.openAPIV3Schema`;
  if (hasStatus) yield* validateRootFields(props, at);
  if (schema.nullable === true) yield forbidden(`${at}.nullable`, "nullable cannot be true at the root");
  const structural = isStructuralForm(schema) ? structuralErrors(schema, at) : [];
  yield* structural;
  const keywords = validateSchemaKeywords(schema, at);
  yield* keywords;
  if (structural.length > 0) return;
  // Rules make sense only of schemas that do.
  if (keywords.length === 0) yield* checkRules(schema, at);
}

function structuralErrors(schema: Structural, path: string): FieldError[] {
  const structural = validateStructural(schema, path);
  return structural.length > 0 ? structural : validateDefaults(schema, path);
}

const allowedAtRoot = [
  "Description",
  "Type",
  "Format",
  "Title",
  "Maximum",
  "ExclusiveMaximum",
  "Minimum",
  "ExclusiveMinimum",
  "MaxLength",
  "MinLength",
  "Pattern",
  "MaxItems",
  "MinItems",
  "UniqueItems",
  "MultipleOf",
  "Required",
  "Items",
  "Properties",
  "ExternalDocs",
  "Example",
  "XPreserveUnknownFields",
  "XValidations",
];

/** A status is checked by its own property: what the root says would be lost. */
function* validateRootFields(schema: JSONSchemaProps, path: string): Findings {
  for (const name of internalFieldNames(schema)) {
    if (name === "Type") {
      if (schema.type === "object") continue;
      const detail =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      yield invalid(`${path}.type`, schema.type, detail);
      return;
    }
    if (allowedAtRoot.includes(name)) continue;
    const detail =
      `only [${allowedAtRoot.join(" ")}] fields are allowed at the root of the schema ` +
      "if the status subresource is enabled";
    yield invalid(path, internalSchema(schema), detail);
    return;
  }
}

/** Source: ValidateCustomResourceSelectableFields. */
export function* validateSelectableFields(
  fields: readonly SelectableField[] | undefined,
  props: JSONSchemaProps | undefined,
  path: string,
): Findings {
  if (fields === undefined || props === undefined) return;
  const seen = new Set<string>();
  for (const [i, { jsonPath }] of fields.entries()) {
    const at = `${path}[${i}].jsonPath`;
    if (jsonPath === "") {
      yield required(at, "");
      continue;
    }
    const found = resolvePath(jsonPath, props as Structural);
    if (typeof found === "string") {
      yield invalid(at, jsonPath, `is an invalid path: ${found}`);
      continue;
    }
    if (found.names[0] === "metadata") {
      yield invalid(at, jsonPath, "must not point to fields in metadata");
    }
    if (!["string", "boolean", "integer"].includes(found.schema.type ?? "")) {
      const detail =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      yield invalid(at, jsonPath, detail);
    }
    const key = found.names.join(".");
    if (seen.has(key)) yield duplicate(at, jsonPath);
    seen.add(key);
  }
  if (seen.size > selectableFieldsMax) yield tooMany(path, seen.size, selectableFieldsMax);
}

/** What a path such as `.spec.color` leads to, or why it leads nowhere. */
function resolvePath(path: string, root: Structural): { names: string[]; schema: Structural } | string {
  const tokens = path.match(/[.[\]]|[^.[\]]+/g) ?? [];
  const names: string[] = [];
  let schema = root;
  for (let i = 0; i < tokens.length; i += 2) {
    const [token = "", name] = [tokens[i], tokens[i + 1]];
    if (token === "[") return "array notation is not allowed";
    if (token !== ".") return `expected [ or . but got: ${token}`;
    if (name === undefined) return "unexpected end of JSON path";
    const next = schema.properties === undefined ? valuesOf(schema) : propertyOf(schema, name);
    if (next === undefined) return "does not refer to a valid field";
    names.push(name);
    schema = next;
  }
  return { names, schema };
}
