import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  omittedValue,
  required,
  tooLong,
  tooMany,
} from "#apimachinery/field-error.ts";
import { type Findings, validateNonNegative, validateQualifiedName } from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { countIndexes, JobIndexesError } from "./job-indexes.ts";
import {
  type JobSpec,
  type PodFailurePolicyOnExitCodesRequirement,
  type PodFailurePolicyRule,
  SuccessPolicy,
  type SuccessPolicyRule,
} from "./job-spec.ts";

/** When Jobs fail and succeed. Source: pkg/apis/batch/validation/validation.go. */
const rulesMax = 20;
const patternsMax = 20;
const exitCodesMax = 255;
const indexesBytesMax = 64 * 1024;
const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const operators = ["In", "NotIn"];
const statuses = ["False", "True", "Unknown"];

export function* validatePodFailurePolicy(spec: JobSpec, path: string): Findings {
  const { rules = [] } = spec.podFailurePolicy ?? {};
  if (rules.length > rulesMax) yield tooMany(`${path}.rules`, rules.length, rulesMax);
  const { initContainers = [], containers } = spec.template.spec;
  const names = new Set([...initContainers, ...containers].map(({ name }) => name));
  for (const [i, rule] of rules.entries()) {
    yield* validateRule(rule, `${path}.rules[${i}]`, { spec, names });
  }
}

function* validateChoice(value: string, choices: readonly string[], path: string): Findings {
  if (value === "") {
    yield required(path, `valid values: [${choices.map((choice) => JSON.stringify(choice)).join(" ")}]`);
  } else if (!choices.includes(value)) {
    yield notSupported(path, value, choices);
  }
}

function* validateRule(
  rule: PodFailurePolicyRule,
  path: string,
  { spec, names }: { spec: JobSpec; names: ReadonlySet<string> },
): Findings {
  const { action, onExitCodes, onPodConditions: patterns = [] } = rule;
  yield* validateChoice(action, actions, `${path}.action`);
  if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined) {
    const detail = "requires the backoffLimitPerIndex to be set";
    yield invalid(`${path}.action`, action, detail);
  }
  if (onExitCodes !== undefined) {
    yield* validateExitCodes(onExitCodes, `${path}.onExitCodes`, names);
  }
  if (patterns.length > patternsMax) {
    yield tooMany(`${path}.onPodConditions`, patterns.length, patternsMax);
  }
  for (const [i, { type, status }] of patterns.entries()) {
    const at = `${path}.onPodConditions[${i}]`;
    yield* validateQualifiedName(type, `${at}.type`);
    yield* validateChoice(status, statuses, `${at}.status`);
  }
  if (onExitCodes !== undefined && patterns.length > 0) {
    const detail = "specifying both OnExitCodes and OnPodConditions is not supported";
    yield invalid(path, omittedValue, detail);
  }
  if (onExitCodes === undefined && patterns.length === 0) {
    const detail = "specifying one of OnExitCodes and OnPodConditions is required";
    yield invalid(path, omittedValue, detail);
  }
}

function* validateExitCodes(
  { operator, containerName, values }: PodFailurePolicyOnExitCodesRequirement,
  path: string,
  names: ReadonlySet<string>,
): Findings {
  yield* validateChoice(operator, operators, `${path}.operator`);
  if (containerName !== undefined && !names.has(containerName)) {
    const detail = "must be one of the container or initContainer names in the pod template";
    yield invalid(`${path}.containerName`, containerName, detail);
  }
  if (values.length === 0) yield invalid(`${path}.values`, [], "at least one value is required");
  if (values.length > exitCodesMax) yield tooMany(`${path}.values`, values.length, exitCodesMax);
  const repeated: FieldError[] = [];
  const seen = new Set<number>();
  for (const [i, value] of values.entries()) {
    if (operator === "In" && value === 0) {
      yield invalid(`${path}.values[${i}]`, value, "must not be 0 for the In operator");
    }
    if (seen.has(value)) repeated.push(duplicate(`${path}.values[${i}]`, value));
    seen.add(value);
  }
  yield* repeated;
  const ordered = values.every((value, i) => i === 0 || (values[i - 1] ?? value) <= value);
  if (!ordered) yield invalid(`${path}.values`, values, "must be ordered");
}

export function* validateSuccessPolicy(spec: JobSpec, path: string): Findings {
  const { successPolicy: policy, completionMode } = spec;
  if (policy === undefined) return;
  if (completionMode !== "Indexed") {
    yield invalid(path, internalValue(SuccessPolicy, policy), "requires indexed completion mode");
    return;
  }
  const { rules } = policy;
  if (rules.length === 0) {
    const detail = "at least one rules must be specified when the successPolicy is specified";
    yield required(`${path}.rules`, detail);
  }
  if (rules.length > rulesMax) yield tooMany(`${path}.rules`, rules.length, rulesMax);
  for (const [i, rule] of rules.entries()) {
    yield* validateSuccessRule(rule, `${path}.rules[${i}]`, spec.completions ?? 0);
  }
}

function* validateSuccessRule(rule: SuccessPolicyRule, path: string, completions: number): Findings {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  if (count === undefined && indexes === undefined) {
    const detail = "at least one of succeededCount or succeededIndexes must be specified";
    yield required(path, detail);
  }
  let total: number | undefined;
  if (indexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (Buffer.byteLength(indexes) > indexesBytesMax) yield tooLong(at, indexesBytesMax);
    const counted = tryCount(indexes, completions);
    if (typeof counted === "number") total = counted;
    else yield invalid(at, indexes, `error parsing succeededIndexes: ${counted.message}`);
  }
  if (count === undefined) return;
  const at = `${path}.succeededCount`;
  yield* validateNonNegative(count, at);
  if (count > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`;
    yield invalid(at, count, detail);
  }
  if (total !== undefined && count > total) {
    const what = "the number of indexes in the specified succeededIndexes field";
    yield invalid(at, count, `must be less than or equal to ${total} (${what})`);
  }
}

export function tryCount(text: string, completions: number): number | JobIndexesError {
  try {
    return countIndexes(text, completions);
  } catch (error) {
    if (error instanceof JobIndexesError) return error;
    throw error;
  }
}
