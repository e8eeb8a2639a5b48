import { forbidden, invalid, required } from "#apimachinery/field-error.ts";
import { type Findings, invalidTexts, validateLabelName } from "#apimachinery/validation/checks.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
} from "#apimachinery/validation/names.ts";
import type { Affinity, PodAffinity, PodAffinityTerm } from "./affinity.ts";
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from "./node-selector.ts";
import type { PodRules } from "./pod-rules.ts";

/** Where Pods may, should and should not run. Source: pkg/apis/core/validation. */
export function* validateAffinity(
  affinity: Affinity | undefined,
  path: string,
  rules: PodRules,
): Findings {
  const node = affinity?.nodeAffinity;
  const at = `${path}.nodeAffinity`;
  if (node?.requiredDuringSchedulingIgnoredDuringExecution !== undefined) {
    yield* validateNodeSelector(
      node.requiredDuringSchedulingIgnoredDuringExecution,
      `${at}.requiredDuringSchedulingIgnoredDuringExecution`,
      rules.allowInvalidNodeAffinityValues === true,
    );
  }
  const preferred = node?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const [i, { weight, preference }] of preferred.entries()) {
    const term = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    yield* validateWeight(weight, `${term}.weight`);
    // Preferences may hold any value: with one node they were never looked at.
    yield* validateNodeSelectorTerm(preference, `${term}.preference`, true);
  }
  yield* validatePodAffinity(affinity?.podAffinity, `${path}.podAffinity`, rules);
  yield* validatePodAffinity(affinity?.podAntiAffinity, `${path}.podAntiAffinity`, rules);
}

function* validateWeight(weight: number, path: string): Findings {
  if (weight <= 0 || weight > 100) yield invalid(path, weight, "must be in the range 1-100");
}

export function* validateNodeSelector(
  selector: NodeSelector,
  path: string,
  allowInvalidValues: boolean,
): Findings {
  const at = `${path}.nodeSelectorTerms`;
  const terms = selector.nodeSelectorTerms;
  if (terms.length === 0) yield required(at, "must have at least one node selector term");
  for (const [i, term] of terms.entries()) {
    yield* validateNodeSelectorTerm(term, `${at}[${i}]`, allowInvalidValues);
  }
}

function* validateNodeSelectorTerm(
  term: NodeSelectorTerm,
  path: string,
  allowInvalidValues: boolean,
): Findings {
  for (const [i, requirement] of (term.matchExpressions ?? []).entries()) {
    yield* validateExpression(requirement, `${path}.matchExpressions[${i}]`, allowInvalidValues);
  }
  for (const [i, requirement] of (term.matchFields ?? []).entries()) {
    yield* validateFieldExpression(requirement, `${path}.matchFields[${i}]`);
  }
}

const badOperator = "not a valid selector operator";

function* validateExpression(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  allowInvalidValues: boolean,
): Findings {
  const at = `${path}.values`;
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      yield required(at, "must be specified when `operator` is 'In' or 'NotIn'");
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      yield forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1) {
      yield required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'");
    }
  } else yield invalid(`${path}.operator`, operator, badOperator);
  yield* validateLabelName(key, `${path}.key`);
  if (allowInvalidValues) return;
  for (const [i, value] of values.entries()) {
    yield* invalidTexts(`${at}[${i}]`, value, checkLabelValue(value));
  }
}

function* validateFieldExpression(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
): Findings {
  if (operator !== "In" && operator !== "NotIn") {
    yield invalid(`${path}.operator`, operator, badOperator);
  } else if (values.length !== 1) {
    const detail =
      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    yield required(`${path}.values`, detail);
  }
  if (key !== "metadata.name") {
    yield invalid(`${path}.key`, key, "not a valid field selector key");
    return;
  }
  for (const [i, value] of values.entries()) {
    yield* invalidTexts(`${path}.values[${i}]`, value, checkDnsSubdomain(value));
  }
}

function* validatePodAffinity(
  affinity: PodAffinity | undefined,
  path: string,
  rules: PodRules,
): Findings {
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const [i, term] of terms.entries()) {
    const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`;
    yield* validatePodAffinityTerm(term, at, rules);
  }
  const weighted = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const [i, { weight, podAffinityTerm }] of weighted.entries()) {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    yield* validateWeight(weight, `${at}.weight`);
    yield* validatePodAffinityTerm(podAffinityTerm, `${at}.podAffinityTerm`, rules);
  }
}

function* validatePodAffinityTerm(term: PodAffinityTerm, path: string, rules: PodRules): Findings {
  const selectorRules = { allowInvalidValues: rules.allowInvalidSelectorValues === true };
  yield* validateLabelSelector(term.labelSelector, `${path}.labelSelector`, selectorRules);
  yield* validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`, selectorRules);
  for (const namespace of term.namespaces ?? []) {
    yield* invalidTexts(`${path}.namespace`, namespace, checkDnsLabel(namespace));
  }
  yield* validateLabelKeys(term, path);
  if (term.topologyKey === "") yield required(`${path}.topologyKey`, "can not be empty");
  yield* validateLabelName(term.topologyKey, `${path}.topologyKey`);
}

function* validateLabelKeys(term: PodAffinityTerm, path: string): Findings {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  for (const [name, keys] of Object.entries({ matchLabelKeys, mismatchLabelKeys })) {
    const at = `${path}.${name}`;
    if (keys.length > 0 && labelSelector === undefined) {
      yield forbidden(at, "must not be specified when labelSelector is not set");
      continue;
    }
    for (const [i, key] of keys.entries()) yield* validateLabelName(key, `${at}[${i}]`);
  }
  if (labelSelector !== undefined) {
    const seen = new Set(Object.keys(labelSelector.matchLabels ?? {}));
    for (const { key } of labelSelector.matchExpressions ?? []) {
      const i = matchLabelKeys.lastIndexOf(key);
      if (i >= 0 && seen.has(key)) {
        yield invalid(`${path}[${i}]`, key, "exists in both matchLabelKeys and labelSelector");
      }
      seen.add(key);
    }
  }
  for (const [i, key] of matchLabelKeys.entries()) {
    if (!mismatchLabelKeys.includes(key)) continue;
    const detail = "exists in both matchLabelKeys and mismatchLabelKeys";
    yield invalid(`${path}.matchLabelKeys[${i}]`, key, detail);
  }
}
