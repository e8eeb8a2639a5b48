/** Wishes of the pod, and of pods that run already. */
import { type AffinityTerm, termMatches } from "../../affinity-term.ts";
import { type Context, type NodeScorer, type Normalize, nodeScoreMax } from "../../framework.ts";
import type { PodInfo } from "../../pod-info.ts";
import { type Add, createTopologyCounter } from "../../topology-counter.ts";
import { namespaceLabelsOf } from "./filter.ts";
import type { InterPodAffinityArgs } from "./plugin.ts";

export function affinityScorer(
  pod: PodInfo,
  { args, cluster, listers }: Context<InterPodAffinityArgs>,
): NodeScorer | undefined {
  const { preferredAffinity, preferredAntiAffinity } = pod.terms;
  const own = preferredAffinity.length > 0 || preferredAntiAffinity.length > 0;
  if (!own && (args.ignorePreferredTermsOfExistingPods || cluster.podsWithTerms === 0)) return undefined;
  const labelsOf = namespaceLabelsOf(listers);

  function addMatching(terms: readonly AffinityTerm[], other: PodInfo, { add, factor }: Weighing): void {
    for (const term of terms) {
      if (termMatches(term, other, labelsOf)) add(term.topologyKey, factor * (term.weight || 1));
    }
  }

  const sums = createTopologyCounter(cluster.nodes, (node, add) => {
    if (own) {
      for (const other of node.pods.values()) {
        addMatching(preferredAffinity, other, { add, factor: 1 });
        addMatching(preferredAntiAffinity, other, { add, factor: -1 });
      }
    }
    for (const { terms } of node.podsWithTerms.values()) {
      addMatching(terms.requiredAffinity, pod, { add, factor: args.hardPodAffinityWeight });
      if (args.ignorePreferredTermsOfExistingPods) continue;
      addMatching(terms.preferredAffinity, pod, { add, factor: 1 });
      addMatching(terms.preferredAntiAffinity, pod, { add, factor: -1 });
    }
  });

  return {
    score(node) {
      let score = 0;
      for (const key of sums.keys) score += sums.sumFor(node, key);
      return score;
    },
    normalize: spreadOut,
    changed: (node) => void sums.changed(node),
  };
}

interface Weighing {
  readonly add: Add;
  readonly factor: number;
}

/** The least becomes 0, the greatest 100. */
const spreadOut: Normalize = (scores, feasible, count) => {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < count; i++) {
    const score = scores[feasible[i] as number] as number;
    if (score < min) min = score;
    if (score > max) max = score;
  }
  const range = max - min;
  for (let i = 0; i < count; i++) {
    const at = feasible[i] as number;
    scores[at] = range > 0 ? Math.trunc(nodeScoreMax * (((scores[at] as number) - min) / range)) : 0;
  }
};
