/** Whether a node takes a Pod. Pure. Source: kubelet/lifecycle/predicate.go. */
import type { NodeSelectorTerm } from "#api/core/v1/node-selector.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { quantityMilliValue, quantityValue } from "#apimachinery/quantity.ts";
import { isCritical } from "./container-list.ts";
import { podAmount } from "./resources.ts";
import { forbiddenSysctl } from "./security.ts";

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

export interface AdmissionInput {
  readonly pod: Pod;
  readonly node: Node;
  /** Pods of the node that have not ended, without this one. */
  readonly others: readonly Pod[];
  readonly allowedUnsafeSysctls: readonly string[];
}

export function admitPod(input: AdmissionInput): Refusal | undefined {
  const { pod, node, allowedUnsafeSysctls } = input;
  const sysctl = forbiddenSysctl(pod, allowedUnsafeSysctls);
  if (sysctl !== undefined) return refusal("SysctlForbidden", sysctl);
  const operatingSystem = pod.spec.os?.name;
  if (operatingSystem !== undefined && operatingSystem !== "linux") {
    return refusal(
      "PodOSNotSupported",
      "Failed to admit pod as the OS field doesn't match node OS",
    );
  }
  if (!matchesNode(pod, node)) {
    const message =
      "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
    return refusal("NodeAffinity", message);
  }
  return outOfResource(input) ?? portConflict(input);
}

/**
 * Pods to end so that a critical Pod fits, the least important first; undefined when ending all
 * that may be ended is not enough. Source: kubelet/preemption/preemption.go.
 */
export function preemptionVictims(input: AdmissionInput): readonly Pod[] | undefined {
  const byImportance = input.others
    .filter((other) => !isCritical(other))
    .toSorted((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0));
  const victims = new Set<Pod>();
  const fits = (): boolean => {
    const others = input.others.filter((other) => !victims.has(other));
    return admitPod({ ...input, others }) === undefined;
  };
  for (const victim of byImportance) {
    if (fits()) break;
    victims.add(victim);
  }
  if (!fits()) return undefined;
  // Some may have been added before one that alone is enough.
  for (const victim of [...victims]) {
    victims.delete(victim);
    if (!fits()) victims.add(victim);
  }
  return [...victims];
}

function refusal(reason: string, message: string): Refusal {
  return { reason, message: `Pod was rejected: ${message}` };
}

function outOfResource({ pod, node, others }: AdmissionInput): Refusal | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const podsMax = quantityValue(allocatable["pods"] ?? "0");
  if (others.length + 1 > podsMax)
    return outOf("pods", { asked: 1, used: others.length, have: podsMax });
  for (const resource of requestedResources(pod)) {
    const asked = podAmount(pod, "requests", resource).amount;
    if (asked === 0) continue;
    const quantity = allocatable[resource] ?? "0";
    const have = resource === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity);
    const used = others.reduce(
      (sum, other) => sum + podAmount(other, "requests", resource).amount,
      0,
    );
    if (asked + used > have) return outOf(resource, { asked, used, have });
  }
  return undefined;
}

function outOf(
  resource: string,
  { asked, used, have }: { readonly asked: number; readonly used: number; readonly have: number },
): Refusal {
  return refusal(
    `OutOf${resource}`,
    `Node didn't have enough resource: ${resource}, requested: ${asked}, used: ${used}, capacity: ${have}`,
  );
}

function requestedResources(pod: Pod): readonly string[] {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const named = all.flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
  return [...new Set([...named, ...Object.keys(pod.spec.resources?.requests ?? {})])].toSorted();
}

function portConflict({ pod, others }: AdmissionInput): Refusal | undefined {
  const taken = others.flatMap(hostPorts);
  const clash = hostPorts(pod).some((mine) =>
    taken.some(
      (other) =>
        mine.port === other.port &&
        mine.protocol === other.protocol &&
        (mine.ip === other.ip || mine.ip === "0.0.0.0" || other.ip === "0.0.0.0"),
    ),
  );
  if (!clash) return undefined;
  const message =
    "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
  return refusal("NodePorts", message);
}

function hostPorts(pod: Pod): { port: number; protocol: string; ip: string }[] {
  return pod.spec.containers.flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort = 0, protocol = "TCP", hostIP }) => ({
        port: hostPort,
        protocol,
        ip: hostIP || "0.0.0.0",
      })),
  );
}

/** Source: component-helpers/scheduling/corev1/nodeaffinity. */
export function matchesNode(pod: Pod, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(
    ([key, value]) => labels[key] === value,
  );
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!selected || required === undefined) return selected;
  const fields = { "metadata.name": node.metadata?.name ?? "" };
  return required.nodeSelectorTerms.some((term) => matchesTerm(term, labels, fields));
}

function matchesTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  labels: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, string>>,
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const holds = (
    { operator, values = [] }: { operator: string; values?: string[] | undefined },
    value: string | undefined,
  ): boolean => {
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
        return value !== undefined && Number(value) > Number(values[0]);
      case "Lt":
        return value !== undefined && Number(value) < Number(values[0]);
      default:
        return false;
    }
  };
  return (
    matchExpressions.every((each) => holds(each, labels[each.key])) &&
    matchFields.every((each) => holds(each, fields[each.key]))
  );
}
