import { createRuleValidator } from "../cel/rules/rule-validator.ts";
import { DecodeError } from "../decode-error.ts";
import { deepEqual } from "../deep-equal.ts";
import { type FieldError, fieldErrorsText, fieldErrorText, invalid } from "../field-error.ts";
import { copyJson, isJsonMap } from "../json-value.ts";
import { validateBySchema } from "./schema-validator.ts";
import { coerceEmbedded, EmbeddedError, validateEmbedded } from "./object-meta.ts";
import { prune } from "./pruning.ts";
import { isEmbedded, itemsOf, metaFields, type Structural } from "./structural.ts";

/**
 * Defaults must be valid themselves, and hold no unknown fields.
 * Source: apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go.
 */
export function validateDefaults(schema: Structural, path: string): FieldError[] {
  const errors: FieldError[] = [];
  visit(schema, { path, steps: [], around: schema, isRoot: true }, errors);
  return errors;
}

interface Place {
  readonly path: string;
  /** The way from the embedding object, when inside of its metadata. */
  readonly steps: readonly string[];
  readonly around: Structural;
  readonly isRoot?: boolean;
  readonly insideMeta?: boolean;
}

function visit(schema: Structural, place: Place, errors: FieldError[]): void {
  const isObject = isEmbedded(schema) || place.isRoot === true;
  const here: Place = isObject ? { path: place.path, steps: [], around: schema } : place;
  if (schema.default !== undefined && schema.default !== null) {
    const at = `${place.path}.default`;
    errors.push(...(here.insideMeta === true ? checkMetaDefault(schema, here, at) : checkDefault(schema, at)));
  }
  const items = itemsOf(schema);
  if (items !== undefined) {
    visit(items, { ...here, path: `${place.path}.items`, steps: [...here.steps, "[0]"] }, errors);
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    visit(
      property,
      {
        around: here.around,
        path: `${place.path}.properties[${name}]`,
        steps: [...here.steps, name],
        insideMeta: here.insideMeta === true || (isObject && metaFields.has(name)),
      },
      errors,
    );
  }
}

function checkDefault(schema: Structural, at: string): FieldError[] {
  const value = schema.default;
  const errors: FieldError[] = [];
  const pruned = prune(value, schema, isEmbedded(schema)).value;
  if (!deepEqual(pruned, value)) errors.push(invalid(at, value, "must not have unknown fields"));
  const coerced = coercionError(value, schema);
  if (coerced !== undefined) return [...errors, { ...coerced, field: `${at}.${coerced.field}` }];
  const embedded = validateEmbedded(value, schema);
  if (embedded.length > 0) {
    return [...errors, ...embedded.map((error) => ({ ...error, field: `${at}.${error.field}` }))];
  }
  return [...errors, ...checkValue(schema, at)];
}

function checkValue(schema: Structural, at: string): FieldError[] {
  const value = schema.default;
  const invalidHere = validateBySchema(schema, { value, path: "" }, at);
  if (invalidHere.length > 0) return invalidHere;
  const rules = createRuleValidator(schema, { resource: false });
  const first = rules?.({ value, oldValue: value, path: at }).errors ?? [];
  // A rule may ask whether there was a value before: both answers must do.
  return [...(first.length > 0 ? first : (rules?.({ value, path: at }).errors ?? []))];
}

function coercionError(value: unknown, schema: Structural): FieldError | undefined {
  try {
    coerceEmbedded(copyJson(value), schema, "refuse");
    return undefined;
  } catch (error) {
    if (error instanceof EmbeddedError) return error.finding;
    if (error instanceof DecodeError) return invalid("", value, error.message);
    throw error;
  }
}

/** A default inside of metadata, as part of the smallest object that has it. */
function checkMetaDefault(schema: Structural, place: Place, at: string): FieldError[] {
  const value = schema.default;
  const object = surround(place.steps, value);
  const whole: Structural = { ...place.around, "x-kubernetes-embedded-resource": true };
  const coerced = coercionError(object, whole);
  if (coerced !== undefined) {
    return [invalid(at, value, `must result in valid metadata: ${fieldErrorText(coerced)}`)];
  }
  const errors = validateEmbedded(object, whole);
  if (errors.length > 0) {
    return [invalid(at, value, `must result in valid metadata: ${fieldErrorsText(errors)}`)];
  }
  return checkValue(schema, at);
}

function surround(steps: readonly string[], value: unknown): unknown {
  const inner = steps.toReversed().reduce<unknown>((below, step) => {
    return step === "[0]" ? [below] : { [step]: below };
  }, copyJson(value));
  const object = isJsonMap(inner) ? inner : {};
  return { apiVersion: "validation/v1", kind: "Validation", ...object };
}
