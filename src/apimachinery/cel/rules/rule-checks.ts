import {
  forbidden,
  internalError,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#apimachinery/field-error.ts";
import { escapeFieldName } from "../escaping.ts";
import { ruleEstimateMax, schemaEstimateMax } from "../limits.ts";
import { roundHalfEven } from "../number.ts";
import { schemaType, type SchemaType } from "../schema.ts";
import { compileRules, type CompiledRule } from "./compile-rules.ts";
import { readFieldPath } from "./rule-field-path.ts";
import {
  elementSchema,
  hasRules,
  isCorrelatableMap,
  isEmbeddedResource,
  rulesOf,
  valueSchema,
  type RuleSchema,
  type ValidationRule,
} from "./rule-schema.ts";

/** Rules that are named when all of them together cost too much. */
const namedRulesMax = 4;

/**
 * Checks the rules of a definition's schema: first their form, then, where that is right, types and
 * estimated costs. `path` is the schema's own, e.g. `spec.validation.openAPIV3Schema`. Rules are not
 * compiled for a schema that has one of `schemaErrors`, itself or further inside.
 * Source: pkg/apis/apiextensions/validation/validation.go.
 */
export function checkRules(
  schema: RuleSchema,
  path: string,
  schemaErrors: readonly FieldError[] = [],
): readonly FieldError[] {
  const checks: Checks = { schemaErrors, formErrors: [], celErrors: [], costs: [], total: 0 };
  const type = typeFor(schema, true);
  checkSchema(checks, schema, { path, type, occurrences: 1, oldSelfBarrier: "" });
  return [...checks.formErrors, ...checks.celErrors, ...totalErrors(checks, path)];
}

interface Checks {
  readonly schemaErrors: readonly FieldError[];
  readonly formErrors: FieldError[];
  readonly celErrors: FieldError[];
  readonly costs: { readonly path: string; readonly cost: number }[];
  total: number;
}

interface Place {
  readonly path: string;
  readonly type: SchemaType | undefined;
  /** How many such values an object can have; undefined: no bound is declared. */
  readonly occurrences: number | undefined;
  /** The place above that cannot tell which old value a new one replaces, "" for none. */
  readonly oldSelfBarrier: string;
}

function typeFor(schema: RuleSchema, resource: boolean): SchemaType | undefined {
  return hasRules(schema) ? schemaType(schema, { name: "selfType", resource }) : undefined;
}

/** Returns whether the form of all rules here and below is right. */
function checkSchema(checks: Checks, schema: RuleSchema, place: Place): boolean {
  let isWellFormed = true;
  const { path, type } = place;
  const within = (inner: RuleSchema, child: Place): void => {
    if (!checkSchema(checks, inner, child)) isWellFormed = false;
  };
  const occurrences = times(place.occurrences, elementsMax(schema));
  const values = valueSchema(schema);
  if (values !== undefined) {
    const child = { ...place, path: `${path}.additionalProperties`, occurrences };
    within(values, { ...child, type: elementType(values, type) });
  }
  const { oldSelfBarrier } = place;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    within(property, {
      path: `${path}.properties[${name}]`,
      type: fieldType(name, property, type),
      occurrences,
      oldSelfBarrier: isCorrelatableMap(schema) ? oldSelfBarrier : oldSelfBarrier || path,
    });
  }
  const items = elementSchema(schema);
  if (items !== undefined) {
    const isCorrelatable = schema["x-kubernetes-list-type"] === "map";
    within(items, {
      path: `${path}.items`,
      type: elementType(items, type),
      occurrences,
      oldSelfBarrier: isCorrelatable ? oldSelfBarrier : oldSelfBarrier || path,
    });
  }
  const formErrors = rulesOf(schema).flatMap((rule, i) => {
    return formErrorsOf(rule, schema, `${path}.x-kubernetes-validations[${i}]`);
  });
  checks.formErrors.push(...formErrors);
  if (!isWellFormed || formErrors.length > 0) return false;
  if (checks.schemaErrors.some(({ field }) => isWithin(field, path))) return false;
  checkCompiled(checks, schema, place);
  return true;
}

function isWithin(field: string, path: string): boolean {
  return field.startsWith(path) && ["", ".", "["].includes(field.charAt(path.length));
}

function elementType(element: RuleSchema, type?: SchemaType): SchemaType | undefined {
  return type?.element ?? typeFor(element, isEmbeddedResource(element));
}

function fieldType(name: string, property: RuleSchema, type?: SchemaType): SchemaType | undefined {
  const escaped = escapeFieldName(name);
  const known = escaped === undefined ? undefined : type?.fields?.get(escaped);
  return known ?? typeFor(property, isEmbeddedResource(property));
}

/** By how much a schema multiplies what is in it; undefined: without bound. */
function elementsMax(schema: RuleSchema): number | undefined {
  const { type, maxItems, maxProperties, additionalProperties } = schema;
  if (type === "array") return maxItems === undefined ? undefined : Math.max(0, maxItems);
  if (type !== "object" || additionalProperties === undefined) return 1;
  return maxProperties === undefined ? undefined : Math.max(0, maxProperties);
}

function times(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a * b;
}

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

function formErrorsOf(rule: ValidationRule, schema: RuleSchema, path: string): FieldError[] {
  const { message = "", messageExpression = "", reason, fieldPath = "" } = rule;
  const errors: FieldError[] = [];
  const [trimmedRule, trimmedMessage] = [rule.rule.trim(), message.trim()];
  if (trimmedRule === "") errors.push(required(`${path}.rule`, "rule is not specified"));
  else if (message !== "" && trimmedMessage === "") {
    errors.push(invalid(`${path}.message`, message, "must be non-empty if specified"));
  } else if (trimmedMessage.includes("\n")) {
    errors.push(invalid(`${path}.message`, message, "must not contain line breaks"));
  } else if (trimmedRule.includes("\n") && trimmedMessage === "") {
    const detail = "message must be specified if rule contains line breaks";
    errors.push(required(`${path}.message`, detail));
  }
  if (messageExpression !== "" && messageExpression.trim() === "") {
    const detail = "messageExpression must be non-empty if specified";
    errors.push(required(`${path}.messageExpression`, detail));
  }
  if (reason !== undefined && !reasons.includes(reason)) {
    errors.push(notSupported(`${path}.reason`, reason, reasons));
  }
  if (fieldPath === "") return errors;
  const wrongPath = (detail: string) => invalid(`${path}.fieldPath`, fieldPath, detail);
  if (fieldPath.trim() === "") errors.push(wrongPath("must be non-empty if specified"));
  if (fieldPath.includes("\n")) errors.push(wrongPath("must not contain line breaks"));
  if (readFieldPath(fieldPath, schema) === undefined) errors.push(wrongPath("must be a valid path"));
  return errors;
}

function checkCompiled(checks: Checks, schema: RuleSchema, place: Place): void {
  if (rulesOf(schema).length === 0) return;
  const path = `${place.path}.x-kubernetes-validations`;
  if (place.type === undefined) {
    const reason = "unable to convert structural schema to CEL declarations";
    const detail = `internal error: failed to construct type information for x-kubernetes-validations rules: ${reason}`;
    checks.celErrors.push(internalError(path, detail));
    return;
  }
  for (const [i, rule] of compileRules(schema, place.type).entries()) {
    checkRule(checks, rule, { ...place, path: `${path}[${i}]` });
  }
}

function checkRule(checks: Checks, rule: CompiledRule, place: Place): void {
  const { celErrors } = checks;
  const { source, message } = rule;
  const path = `${place.path}.rule`;
  const cost = capped(rule.costMax * (place.occurrences ?? rule.occurrencesMax));
  observe(checks, { path, cost, what: "estimated rule cost" });
  if (rule.error !== undefined) celErrors.push(invalid(path, shownRule(source), rule.error));
  const messagePath = `${place.path}.messageExpression`;
  if (message.error !== undefined) {
    celErrors.push(invalid(messagePath, shownRule(source), message.error));
  } else if (message.program !== undefined) {
    const what = "estimated messageExpression cost";
    observe(checks, { path: messagePath, cost: message.costMax, what });
  }
  const { optionalOldSelf } = source;
  if (!rule.usesOldSelf && optionalOldSelf !== undefined) {
    const detail = "may not be set if oldSelf is not used in rule";
    celErrors.push(invalid(`${place.path}.optionalOldSelf`, optionalOldSelf, detail));
  } else if (rule.usesOldSelf && place.oldSelfBarrier !== "") {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.oldSelfBarrier}`;
    celErrors.push(invalid(path, source.rule, detail));
  }
}

/** The internal version, which has no JSON names, as upstream prints it. */
function shownRule(rule: ValidationRule): unknown {
  return {
    Rule: rule.rule,
    Message: rule.message ?? "",
    MessageExpression: rule.messageExpression ?? "",
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? "",
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}

/** Estimates are unsigned 64-bit numbers, which do not overflow but stay at the largest. */
function capped(cost: number): number {
  return Math.min(cost, 2 ** 64);
}

function observe(checks: Checks, { path, cost, what }: { path: string; cost: number; what: string }): void {
  if (cost > ruleEstimateMax) {
    checks.celErrors.push(forbidden(path, exceeds(what, cost, ruleEstimateMax)));
  }
  checks.total = capped(checks.total + cost);
  // What is less than a hundredth is not to blame.
  if (cost >= schemaEstimateMax / 100) checks.costs.push({ path, cost });
}

function totalErrors({ total, costs }: Checks, path: string): FieldError[] {
  if (total <= schemaEstimateMax) return [];
  const dearest = costs.toSorted((a, b) => b.cost - a.cost).slice(0, namedRulesMax);
  const detail = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
  const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
  return [
    ...dearest.map((rule) => forbidden(rule.path, detail)),
    forbidden(path, exceeds(what, total, schemaEstimateMax)),
  ];
}

function exceeds(what: string, cost: number, costMax: number): string {
  const factor = cost / costMax;
  let shown = `${roundHalfEven(factor, 1)}x`;
  if (factor > 100) shown = "more than 100x";
  else if (factor < 1.5) shown = `${roundHalfEven(factor, 6)}x`;
  return `${what} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}
