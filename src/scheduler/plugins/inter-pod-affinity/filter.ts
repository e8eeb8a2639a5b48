/** Required terms: the pod's own, and those of pods that run already. */
import { getOwn } from "#apimachinery/maps.ts";
import { type NamespaceLabels, termMatches } from "../../affinity-term.ts";
import { type Context, type NodeFilter, unresolvable, unschedulable } from "../../framework.ts";
import type { Listers } from "../../listers.ts";
import type { NodeInfo } from "../../node-info.ts";
import type { PodInfo } from "../../pod-info.ts";
import { createTopologyCounter } from "../../topology-counter.ts";

const noneBeside = unresolvable("node(s) didn't match pod affinity rules");
const oneBeside = unschedulable("node(s) didn't match pod anti-affinity rules");
const unwelcome = unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");

export function namespaceLabelsOf({ namespaces }: Listers): NamespaceLabels {
  return (namespace) => {
    const found = namespaces.get(namespace);
    return found === undefined ? undefined : (found.metadata?.labels ?? {});
  };
}

export function affinityFilter(pod: PodInfo, { cluster, listers }: Context): NodeFilter | undefined {
  const { requiredAffinity, requiredAntiAffinity } = pod.terms;
  const own = requiredAffinity.length > 0 || requiredAntiAffinity.length > 0;
  if (!own && cluster.podsWithTerms === 0) return undefined;
  const labelsOf = namespaceLabelsOf(listers);
  const matchesAll = (other: PodInfo): boolean => requiredAffinity.every((term) => termMatches(term, other, labelsOf));

  const wanted = createTopologyCounter(requiredAffinity.length > 0 ? cluster.nodes : [], (node, add) => {
    for (const other of node.pods.values()) {
      if (matchesAll(other)) for (const { topologyKey } of requiredAffinity) add(topologyKey, 1);
    }
  });
  const unwanted = createTopologyCounter(requiredAntiAffinity.length > 0 ? cluster.nodes : [], (node, add) => {
    for (const other of node.pods.values()) {
      for (const term of requiredAntiAffinity) if (termMatches(term, other, labelsOf)) add(term.topologyKey, 1);
    }
  });
  const refusing = createTopologyCounter(cluster.nodes, (node, add) => {
    for (const other of node.podsWithTerms.values()) {
      for (const term of other.terms.requiredAntiAffinity) {
        if (termMatches(term, pod, labelsOf)) add(term.topologyKey, 1);
      }
    }
  });
  /** The first of a group that wants to be together has nobody to be with. */
  const selfMatch = matchesAll(pod);

  function affinityMet(node: NodeInfo): boolean {
    let beside = true;
    for (const { topologyKey } of requiredAffinity) {
      if (getOwn(node.labels, topologyKey) === undefined) return false;
      if (wanted.sumFor(node, topologyKey) <= 0) beside = false;
    }
    return beside || (wanted.empty && selfMatch);
  }

  function refused(node: NodeInfo): boolean {
    if (refusing.empty) return false;
    for (const key of refusing.keys) if (refusing.sumFor(node, key) > 0) return true;
    return false;
  }

  return {
    check(node) {
      if (!affinityMet(node)) return noneBeside;
      for (const { topologyKey } of requiredAntiAffinity) {
        if (unwanted.sumFor(node, topologyKey) > 0) return oneBeside;
      }
      return refused(node) ? unwelcome : undefined;
    },
    changed(node) {
      const affinity = requiredAffinity.length > 0 && wanted.changed(node);
      const antiAffinity = requiredAntiAffinity.length > 0 && unwanted.changed(node);
      return refusing.changed(node) || affinity || antiAffinity;
    },
  };
}
