import type { Clock } from "#base/clock.ts";
import { createRuleValidator, type RuleValidator } from "#apimachinery/cel/rules/rule-validator.ts";
import { createStopwatch } from "#apimachinery/cel/stopwatch.ts";
import { Correlation } from "#apimachinery/cel/rules/correlation.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import { apiVersionOf, type KubeObject, type ObjectMeta } from "#apimachinery/object.ts";
import type { ScalePaths, Strategy } from "#apimachinery/resource.ts";
import { forbiddenStatus } from "#apimachinery/status.ts";
import { validateListTypes } from "#apimachinery/structural/list-types.ts";
import { validateEmbedded } from "#apimachinery/structural/object-meta.ts";
import { noField } from "#apimachinery/structural/schema-result.ts";
import { validateBySchema } from "#apimachinery/structural/schema-validator.ts";
import { propertyOf, type Structural } from "#apimachinery/structural/structural.ts";
import { validateKubeFinalizerNames } from "./custom-finalizers.ts";
import { validateScaleSpec, validateScaleStatus } from "./custom-scale.ts";

/** What the strategy of one version reads. */
export interface CustomTraits {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** The definition is being deleted: nothing new. */
  readonly terminating: boolean;
  /** The same object for as long as it is in use. */
  readonly schema: () => Structural | undefined;
  readonly clock: Clock;
  readonly hasStatus: boolean;
  readonly scale: ScalePaths | undefined;
}

type CustomObject = KubeObject & { status?: unknown };

/** Source: apiextensions-apiserver pkg/registry/customresource/strategy.go. */
export function customStrategy(traits: CustomTraits): Strategy<CustomObject> {
  const rules = lazyRules(traits.schema);
  return {
    allowUnconditionalUpdate: false,
    plainFinalizers: true,
    resetFields: traits.hasStatus ? ["status"] : [],
    prepareForCreate(object) {
      if (traits.terminating) throw terminatingError(traits, object);
      if (traits.hasStatus) delete object.status;
      metaOf(object).generation = 1;
    },
    prepareForUpdate(object, { old }) {
      if (traits.hasStatus) {
        if (old.status !== undefined) object.status = old.status;
        else delete object.status;
      }
      if (!deepEqual(withoutMetadata(object), withoutMetadata(old))) {
        metaOf(object).generation = (old.metadata?.generation ?? 0) + 1;
      }
    },
    validate: (object) => validateObject(traits, rules, { object }),
    validateUpdate: (object, { old }) => validateObject(traits, rules, { object, old }),
    warnings: (object, { old }) => [
      ...(ratcheted.get(object) ?? []),
      ...validateKubeFinalizerNames(object.metadata, old?.metadata),
    ],
  };
}

/** Source: apiextensions-apiserver pkg/registry/customresource/status_strategy.go. */
export function customStatusStrategy(
  traits: CustomTraits,
): Pick<Strategy<CustomObject>, "prepareForUpdate" | "validateUpdate" | "warnings" | "resetFields"> {
  const rules = lazyRules(traits.schema);
  return {
    resetFields: ["metadata", "spec"],
    warnings: (object) => [...(ratcheted.get(object) ?? [])],
    prepareForUpdate(object, { old }) {
      const { status } = object;
      const { managedFields, resourceVersion } = object.metadata ?? {};
      for (const name of Object.keys(object)) delete (object as Record<string, unknown>)[name];
      Object.assign(object, old, { metadata: { ...old.metadata, managedFields, resourceVersion } });
      if (status === undefined) delete object.status;
      else object.status = status;
    },
    validateUpdate(object, { old }) {
      const typeErrors = validateTypeMeta(traits, object);
      if (typeErrors.length > 0) return typeErrors;
      const schema = traits.schema();
      const statusSchema = schema && propertyOf(schema, "status");
      const correlation = schema && new Correlation(schema, object, old);
      const errors: FieldError[] = [];
      if (statusSchema !== undefined && object.status !== undefined) {
        const subject = { value: object.status, path: "", correlation: correlation?.key("status") };
        errors.push(...validateBySchema(statusSchema, subject, "status"));
      }
      errors.push(...validateScaleStatus(object, traits.scale), ...listErrors(schema, object, old));
      return [...errors, ...checkRules({ rules, clock: traits.clock }, { object, old, errors })];
    },
  };
}

function terminatingError({ group, plural }: CustomTraits, object: KubeObject): Error {
  const why = "create not allowed while custom resource definition is terminating";
  return forbiddenStatus({ group, resource: plural }, object.metadata?.name ?? "", why);
}

interface Transition {
  readonly object: KubeObject;
  readonly old?: KubeObject;
}

function validateObject(traits: CustomTraits, rules: LazyRules, { object, old }: Transition): FieldError[] {
  const typeErrors = validateTypeMeta(traits, object);
  if (typeErrors.length > 0) return typeErrors;
  const { scale } = traits;
  const schema = traits.schema();
  const errors: FieldError[] = [];
  if (schema !== undefined) {
    const correlation = old && new Correlation(schema, object, old);
    errors.push(...validateBySchema(schema, { value: object, path: "", correlation }));
  }
  errors.push(...validateScaleSpec(object, scale), ...validateScaleStatus(object, scale));
  if (schema !== undefined) errors.push(...validateEmbedded(object, schema));
  errors.push(...listErrors(schema, object, old));
  return [...errors, ...checkRules({ rules, clock: traits.clock }, { object, ...(old && { old }), errors })];
}

/** Lists that were wrong before may stay so. */
function listErrors(schema: Structural | undefined, object: KubeObject, old?: KubeObject): FieldError[] {
  if (schema === undefined) return [];
  const errors = validateListTypes(object, schema);
  if (errors.length === 0 || old === undefined) return errors;
  return validateListTypes(old, schema).length === 0 ? errors : [];
}

function validateTypeMeta({ group, version, kind }: CustomTraits, object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const apiVersion = apiVersionOf(group, version);
  if (object.kind !== kind) errors.push(invalid("kind", object.kind ?? "", `must be ${kind}`));
  if (object.apiVersion !== apiVersion) {
    errors.push(invalid("apiVersion", object.apiVersion ?? "", `must be ${apiVersion}`));
  }
  return errors;
}

interface Checks {
  readonly rules: LazyRules;
  readonly clock: Clock;
}

type LazyRules = () => RuleValidator | undefined;

const validators = new WeakMap<Structural, { readonly rules: RuleValidator | undefined }>();

/** Rules are compiled when the first object is written, once for all doors. */
function lazyRules(schemaOf: CustomTraits["schema"]): LazyRules {
  return () => {
    const schema = schemaOf();
    if (schema === undefined) return undefined;
    let known = validators.get(schema);
    if (known === undefined) {
      known = { rules: createRuleValidator(schema, { resource: true }) };
      validators.set(schema, known);
    }
    return known.rules;
  };
}

/** What rules say of parts that an update left as they were: told, but not refused. */
const ratcheted = new WeakMap<KubeObject, readonly string[]>();

/** Rules see nothing whose type or size may be wrong. */
const blocking: ReadonlySet<string> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

function checkRules(
  { rules, clock }: Checks,
  { object, old, errors }: Transition & { readonly errors: readonly FieldError[] },
): readonly FieldError[] {
  if (errors.some(({ type }) => blocking.has(type))) {
    const detail =
      "some validation rules were not checked because the object was invalid; " +
      "correct the existing errors to complete validation";
    return rules() === undefined ? [] : [invalid(noField, null, detail)];
  }
  const validate = rules();
  if (validate === undefined) return [];
  const found = createStopwatch(clock).run((interrupted) =>
    validate({ value: object, ...(old && { oldValue: old }), interrupted }),
  );
  if (found.warnings.length > 0) ratcheted.set(object, found.warnings);
  return found.errors.map((error) => (error.field === "" ? { ...error, field: noField } : error));
}

function metaOf(object: KubeObject): ObjectMeta {
  object.metadata ??= {};
  return object.metadata;
}

function withoutMetadata({ metadata: _metadata, ...rest }: KubeObject): object {
  return rest;
}
