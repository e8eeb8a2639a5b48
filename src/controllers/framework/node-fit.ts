import type { NodeSelector, NodeSelectorRequirement } from "#api/core/v1/node-selector.ts";
import type { Node, Taint } from "#api/core/v1/node.ts";
import type { PodSpec } from "#api/core/v1/pod-spec.ts";

export type Toleration = NonNullable<PodSpec["tolerations"]>[number];

/** Whether `toleration` covers `taint`. Source: core/v1 toleration.go. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = "", operator = "Equal", value = "", effect = "" } = toleration;
  if (effect !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  if (operator === "Exists") return true;
  return (operator === "Equal" || operator === "") && value === (taint.value ?? "") && key !== "";
}

/** The first taint of one of `effects` that nothing tolerates. */
export function untolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return (taints ?? []).find(
    (taint) =>
      effects.includes(taint.effect) &&
      !(tolerations ?? []).some((toleration) => tolerates(toleration, taint)),
  );
}

/** `nodeSelector` and the required node affinity of a Pod against a node. */
export function affinityFits({ nodeSelector, affinity }: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  if (!Object.entries(nodeSelector ?? {}).every(([key, value]) => labels[key] === value))
    return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || selectsNode(required, node);
}

/** Any term will do; of a term everything must hold, and an empty term selects nothing. */
export function selectsNode({ nodeSelectorTerms }: NodeSelector, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  return (nodeSelectorTerms ?? []).some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    const fields = { "metadata.name": node.metadata.name ?? "" };
    return (
      matchExpressions.every((each) => holds(each, labels)) &&
      matchFields.every((each) => holds(each, fields))
    );
  });
}

function holds(
  { key, operator, values = [] }: NodeSelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return /^-?\d+$/.test(value ?? "") && Number(value) > Number(values[0]);
    case "Lt":
      return /^-?\d+$/.test(value ?? "") && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
