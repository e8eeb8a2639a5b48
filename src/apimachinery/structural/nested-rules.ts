import { type FieldError, forbidden, required } from "../field-error.ts";
import { validatePattern } from "./structural-rules.ts";
import { itemsOf, propertyOf, type Structural } from "./structural.ts";

interface NestedOptions {
  /** Types in `anyOf` are fine here. */
  readonly skipAnyOf?: boolean;
}

/** What stands inside of `allOf`, `anyOf`, `oneOf`, `not` may restrict but not declare. */
export function validateNested(
  schema: Structural,
  path: string,
  { skipAnyOf = false }: NestedOptions = {},
): FieldError[] {
  const errors: FieldError[] = [];
  const { anyOf = [], allOf = [], oneOf = [], not, pattern, properties = {} } = schema;
  if (!skipAnyOf) {
    for (const [i, branch] of anyOf.entries()) errors.push(...validateNested(branch, `${path}.anyOf[${i}]`));
  }
  for (const [i, branch] of allOf.entries()) errors.push(...validateNested(branch, `${path}.allOf[${i}]`));
  for (const [i, branch] of oneOf.entries()) errors.push(...validateNested(branch, `${path}.oneOf[${i}]`));
  if (not !== undefined) errors.push(...validateNested(not, `${path}.not`));
  if (pattern !== undefined && pattern !== "") errors.push(...validatePattern(pattern, `${path}.pattern`));
  const items = itemsOf(schema);
  if (items !== undefined) errors.push(...validateNested(items, `${path}.items`));
  for (const [name, property] of Object.entries(properties)) {
    errors.push(...validateNested(property, `${path}.properties[${name}]`));
  }
  return [...errors, ...forbidDeclarations(schema, path)];
}

const forbiddenHere: readonly (readonly [keyof Structural, string])[] = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

function forbidDeclarations(schema: Structural, path: string): FieldError[] {
  const errors = forbiddenHere
    .filter(([name]) => isGiven(schema[name]))
    .map(([name, detail]) => forbidden(`${path}.${name}`, detail));
  if (propertyOf(schema, "metadata") !== undefined) {
    errors.push(forbidden(`${path}.properties[metadata]`, "must not be specified in a nested context"));
  }
  return errors;
}

function isGiven(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== "" && value !== false;
}

/** Whatever the root's branches restrict must be declared outside of them. */
export function validateCompleteness(schema: Structural, path: string): FieldError[] {
  return branchesOf(schema, path).flatMap(([branch, at]) => complete(branch, schema, { path, at }));
}

function branchesOf({ not, allOf = [], anyOf = [], oneOf = [] }: Structural, path: string): [Structural, string][] {
  const listed = (name: string, branches: readonly Structural[]): [Structural, string][] =>
    branches.map((branch, i) => [branch, `${path}.${name}[${i}]`]);
  return [
    ...(not === undefined ? [] : [[not, `${path}.not`] satisfies [Structural, string]]),
    ...listed("allOf", allOf),
    ...listed("anyOf", anyOf),
    ...listed("oneOf", oneOf),
  ];
}

interface Places {
  /** Of what is declared. */
  readonly path: string;
  /** Of what restricts. */
  readonly at: string;
}

function complete(nested: Structural, schema: Structural | undefined, { path, at }: Places): FieldError[] {
  if (schema === undefined) return [required(path, `because it is defined in ${at}`)];
  const errors = branchesOf(nested, at).flatMap(([branch, below]) => complete(branch, schema, { path, at: below }));
  const items = itemsOf(nested);
  if (items !== undefined) {
    errors.push(...complete(items, itemsOf(schema), { path: `${path}.items`, at: `${at}.items` }));
  }
  for (const [name, property] of Object.entries(nested.properties ?? {})) {
    const inner = { path: `${path}.properties[${name}]`, at: `${at}.properties[${name}]` };
    errors.push(...complete(property, propertyOf(schema, name), inner));
  }
  return errors;
}
