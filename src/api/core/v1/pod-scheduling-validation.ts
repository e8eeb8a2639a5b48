import {
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
} from "#apimachinery/field-error.ts";
import type { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import {
  type Findings,
  notPositiveText,
  validateLabelName,
  validateQualifiedName,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import { checkLabelValue } from "#apimachinery/validation/names.ts";
import type { PodRules } from "./pod-rules.ts";
import type { PodSchedulingGate, Toleration, TopologySpreadConstraint } from "./pod-spec.ts";

export const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** `compares`: tolerations may compare numbers (KEP-5471). */
export function* validateTolerations(
  tolerations: readonly Toleration[],
  path: string,
  compares = false,
): Findings {
  for (const [i, toleration] of tolerations.entries()) {
    yield* validateToleration(toleration, `${path}[${i}]`, compares);
  }
}

const tolerationOperators = ["Equal", "Exists", "Lt", "Gt"];

function* validateToleration(toleration: Toleration, path: string, compares: boolean): Findings {
  const { key = "", operator = "", value = "", effect = "" } = toleration;
  if (key !== "") yield* validateLabelName(key, `${path}.key`);
  else if (operator !== "Exists") {
    const detail =
      'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    yield invalid(`${path}.operator`, operator, detail);
  }
  if (toleration.tolerationSeconds !== undefined && effect !== "NoExecute") {
    const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    yield invalid(`${path}.effect`, effect, detail);
  }
  if (operator === "Equal" || operator === "") {
    const texts = checkLabelValue(value);
    if (texts.length > 0) yield invalid(`${path}.operator`, value, texts.join(";"));
  } else if (operator === "Exists") {
    if (value !== "") {
      yield invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'");
    }
  } else if (operator !== "Lt" && operator !== "Gt") {
    yield notSupported(`${path}.operator`, operator, ["Equal", "Exists"]);
  } else if (compares) {
    if (!/^(0|-?[1-9]\d*)$/.test(value)) {
      yield invalid(`${path}.value`, value, "must be a valid decimal integer in canonical form");
    }
  } else yield notSupported(`${path}.operator`, operator, tolerationOperators);
  if (effect !== "") yield* validateSupported(effect, taintEffects, `${path}.effect`);
}

export function* validateSchedulingGates(
  gates: readonly PodSchedulingGate[],
  path: string,
): Findings {
  const names = new Set<string>();
  for (const [i, { name }] of gates.entries()) {
    yield* validateQualifiedName(name, `${path}[${i}]`);
    if (names.has(name)) yield duplicate(`${path}[${i}]`, name);
    names.add(name);
  }
}

export function* validateSpreadConstraints(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
  rules: PodRules,
): Findings {
  for (const [i, constraint] of constraints.entries()) {
    const at = `${path}[${i}]`;
    yield* validateSpread(constraint, at);
    const { topologyKey, whenUnsatisfiable } = constraint;
    const repeated = constraints
      .slice(i + 1)
      .some(
        (other) =>
          other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable,
      );
    if (repeated) {
      yield duplicate(
        `${at}.{topologyKey, whenUnsatisfiable}`,
        `{${topologyKey}, ${whenUnsatisfiable}}`,
      );
    }
    yield* validateSpreadOptions(constraint, at);
    if (rules.allowInvalidSpreadSelectors !== true) {
      yield* validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`);
    }
  }
}

function* validateSpread(constraint: TopologySpreadConstraint, path: string): Findings {
  const { maxSkew, topologyKey, whenUnsatisfiable } = constraint;
  if (maxSkew <= 0) yield invalid(`${path}.maxSkew`, maxSkew, notPositiveText);
  if (topologyKey === "") yield required(`${path}.topologyKey`, "can not be empty");
  const actions = ["DoNotSchedule", "ScheduleAnyway"];
  yield* validateSupported(whenUnsatisfiable, actions, `${path}.whenUnsatisfiable`);
}

function* validateSpreadOptions(constraint: TopologySpreadConstraint, path: string): Findings {
  const { minDomains, whenUnsatisfiable, matchLabelKeys = [], labelSelector } = constraint;
  if (minDomains !== undefined) {
    if (minDomains <= 0) yield invalid(`${path}.minDomains`, minDomains, notPositiveText);
    if (whenUnsatisfiable !== "DoNotSchedule") {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      yield invalid(`${path}.minDomains`, minDomains, detail);
    }
  }
  for (const field of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
    yield* validateSupported(constraint[field], ["Honor", "Ignore"], `${path}.${field}`);
  }
  if (matchLabelKeys.length === 0) return;
  const at = `${path}.matchLabelKeys`;
  if (labelSelector === undefined) {
    yield forbidden(at, "must not be specified when labelSelector is not set");
  }
  for (const [i, key] of matchLabelKeys.entries()) {
    yield* validateLabelName(key, `${at}[${i}]`);
    if (timesSelected(labelSelector, key) > 1) {
      yield invalid(`${at}[${i}]`, key, "exists in both matchLabelKeys and labelSelector");
    }
  }
}

/** The server adds an expression for each key when a Pod is created, so one is expected. */
function timesSelected(selector: LabelSelector | undefined, key: string): number {
  const inLabels = selector?.matchLabels?.[key] === undefined ? 0 : 1;
  const expressions = selector?.matchExpressions ?? [];
  return inLabels + expressions.filter((expression) => expression.key === key).length;
}
