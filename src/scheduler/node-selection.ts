/**
 * Node selectors, compiled. Source: k8s.io/component-helpers scheduling/corev1/nodeaffinity.
 */
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from "#api/core/v1/node-selector.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Labels } from "#apimachinery/label-requirement.ts";
import { getOwn } from "#apimachinery/maps.ts";

/** What is matched: labels, and `metadata.name` for matchFields. */
export interface Selected {
  readonly name: string;
  readonly labels: Labels;
}

export type NodeMatcher = (node: Selected) => boolean;

const never: NodeMatcher = () => false;

/** Terms are alternatives; an empty term, or no terms, match nothing. */
export function nodeSelectorMatcher(selector: NodeSelector): NodeMatcher {
  const terms = selector.nodeSelectorTerms.map(nodeTermMatcher);
  return (node) => terms.some((matches) => matches(node));
}

/** Requirements all have to hold. A term without any, or with a wrong one, matches nothing. */
export function nodeTermMatcher(term: NodeSelectorTerm): NodeMatcher {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return never;
  const byLabel = matchExpressions.map(requirementTest);
  const byField = matchFields.map(requirementTest);
  return (node) =>
    byLabel.every(({ key, test }) => test(getOwn(node.labels, key))) &&
    byField.every(({ key, test }) => key === "metadata.name" && test(node.name));
}

interface Test {
  readonly key: string;
  readonly test: (value: string | undefined) => boolean;
}

function requirementTest({ key, operator, values = [] }: NodeSelectorRequirement): Test {
  const listed = new Set(values);
  switch (operator) {
    case "In":
      return { key, test: (value) => value !== undefined && listed.has(value) };
    case "NotIn":
      return { key, test: (value) => value === undefined || !listed.has(value) };
    case "Exists":
      return { key, test: (value) => value !== undefined };
    case "DoesNotExist":
      return { key, test: (value) => value === undefined };
    case "Gt":
      return { key, test: (value) => compares(value, values, (a, b) => a > b) };
    case "Lt":
      return { key, test: (value) => compares(value, values, (a, b) => a < b) };
    default:
      return { key, test: () => false };
  }
}

function compares(
  value: string | undefined,
  values: readonly string[],
  test: (value: bigint, bound: bigint) => boolean,
): boolean {
  const integer = /^[-+]?[0-9]+$/;
  const [bound = ""] = values;
  if (value === undefined || !integer.test(value) || !integer.test(bound)) return false;
  return test(BigInt(value), BigInt(bound));
}

/** What a pod requires of its node: nodeSelector and required node affinity. */
export function requiredNodeMatcher({ spec }: Pod): NodeMatcher | undefined {
  const labels = Object.entries(spec.nodeSelector ?? {});
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (labels.length === 0 && required === undefined) return undefined;
  const affinity = required === undefined ? undefined : nodeSelectorMatcher(required);
  return (node) =>
    labels.every(([key, value]) => getOwn(node.labels, key) === value) && (affinity === undefined || affinity(node));
}

/** The only nodes that can match, when every term names them in `matchFields`. */
export function namedNodes(selector: NodeSelector | undefined): ReadonlySet<string> | undefined {
  const terms = selector?.nodeSelectorTerms ?? [];
  if (terms.length === 0) return undefined;
  const all = new Set<string>();
  for (const { matchFields = [] } of terms) {
    let named: Set<string> | undefined;
    for (const { key, operator, values = [] } of matchFields) {
      if (key !== "metadata.name" || operator !== "In") continue;
      const listed = new Set(values);
      named = named === undefined ? listed : named.intersection(listed);
    }
    if (named === undefined) return undefined;
    for (const name of named) all.add(name);
  }
  return all;
}
