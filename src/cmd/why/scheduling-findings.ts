/** Why a Pod has no node, in plain sentences. */
import type { Pod } from "#api/core/v1/pod.ts";
import type { Explanation, RefusalGroup } from "#scheduler/why.ts";
import { conditionOf, type Finding, type Material } from "./material.ts";

/** Names of nodes told in a sentence. */
const nodesToldMax = 5;

export function schedulingFindings(material: Material, pod: Pod): Finding[] {
  const gates = pod.spec.schedulingGates ?? [];
  if (gates.length > 0) {
    const names = gates.map(({ name }) => name).join(", ");
    return [told(`Nobody may schedule it before its scheduling gates are removed: ${names}.`)];
  }
  const found = [...claimFindings(material), ...attemptFindings(material.attempt)];
  const condition = conditionOf(pod, "PodScheduled");
  if (material.attempt === undefined && condition?.status === "False") {
    found.push(told(`The scheduler found no node: ${condition.message ?? condition.reason}`));
  }
  if (pod.status?.nominatedNodeName) {
    found.push(told(`Less important Pods are leaving node ${pod.status.nominatedNodeName} to make room for it.`));
  }
  if (found.length > 0) return found;
  const { schedulerName } = pod.spec;
  return [told(`No scheduler has looked at it yet. It asks for the scheduler "${schedulerName}": does that run?`)];
}

function told(sentence: string): Finding {
  return { about: "scheduling", sentence };
}

function claimFindings({ claims }: Material): Finding[] {
  return [...claims].flatMap(([name, claim]): Finding[] => {
    if (claim === undefined) return [{ about: "volume", sentence: `Its PersistentVolumeClaim ${name} does not exist.` }];
    const phase = claim.status?.phase ?? "Pending";
    if (phase === "Bound") return [];
    const wanted = claim.spec.storageClassName ? `storage class ${claim.spec.storageClassName}` : "no storage class";
    return [{ about: "volume", sentence: `Its PersistentVolumeClaim ${name} is ${phase} (${wanted}).` }];
  });
}

function attemptFindings(attempt: Explanation | undefined): Finding[] {
  if (attempt === undefined || attempt.outcome === "Scheduled") return [];
  const { outcome, nodeCount, refusals, message } = attempt;
  if (outcome === "Error") return [told(`Scheduling failed, and is tried again: ${message}.`)];
  if (outcome === "Gated") return [told(`It is held back: ${message}.`)];
  if (nodeCount === 0) return [told("There is no node at all.")];
  return refusals.map((group) => told(sentenceOf(group, nodeCount)));
}

function sentenceOf(group: RefusalGroup, total: number): string {
  const { nodeCount: count, nodes } = group;
  const names = nodes.slice(0, nodesToldMax).join(", ") + (count > nodesToldMax ? ", ..." : "");
  const where = nodes.length === 0 ? "" : ` (${names})`;
  return `${count} of ${total} nodes: ${meaningOf(group)}${where}.`;
}

/** By plugin: what its reasons mean to whoever wrote the Pod. */
const meanings: Readonly<Record<string, (reason: string) => string | undefined>> = {
  NodeResourcesFit: (reason) => {
    const resource = /^Insufficient (.*)$/.exec(reason)?.[1];
    if (resource !== undefined) return `not enough ${resource} left for what it requests`;
    return reason === "Too many pods" ? "no room for one more Pod" : undefined;
  },
  NodeAffinity: () => "their labels are not what its nodeSelector or node affinity asks for",
  NodeName: () => "it asks for another node by name",
  NodeUnschedulable: () => "cordoned: they take no new Pods",
  TaintToleration: (reason) => {
    const taint = /taint\(?s?\)? \{(.*)\}/.exec(reason)?.[1]?.replace(/: $/, "");
    return taint === undefined ? undefined : `it does not tolerate their taint ${taint}`;
  },
  NodePorts: () => "a host port that it wants is taken",
  InterPodAffinity: (reason) => `its rules about other Pods do not hold there (${reason})`,
  PodTopologySpread: (reason) => `it would be spread less evenly than it asks for (${reason})`,
  VolumeBinding: (reason) => `its volumes cannot be had there (${reason})`,
  VolumeZone: () => "its volumes are in another zone",
  NodeVolumeLimits: () => "no more volumes of this kind can be attached",
  DynamicResources: (reason) => `the devices that it claims cannot be had there (${reason})`,
};

function meaningOf({ plugin, reason }: RefusalGroup): string {
  return meanings[plugin]?.(reason) ?? `${reason} (${plugin})`;
}
