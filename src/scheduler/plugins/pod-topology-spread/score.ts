/** Prefers domains with fewer matching pods. Source: podtopologyspread/scoring.go. */
import type { Cluster } from "../../cluster.ts";
import { type NodeScorer, nodeScoreMax } from "../../framework.ts";
import type { NodeInfo } from "../../node-info.ts";
import type { PodInfo } from "../../pod-info.ts";
import { type Constraint, hasAllKeys, hostnameKey } from "./constraint.ts";
import { createDomains, type Domains } from "./domains.ts";

interface Counted {
  readonly constraint: Constraint;
  readonly domains: Domains;
  /** Each node is a domain of its own, whatever others call themselves. */
  readonly byNode: boolean;
  /** Larger for constraints with more domains, which differ less. */
  weight: number;
}

/** `allKeys`: nodes that lack a label are no good at all; otherwise that constraint is passed over. */
export function spreadScorer(
  pod: PodInfo,
  constraints: readonly Constraint[],
  { cluster, allKeys }: { readonly cluster: Cluster; readonly allKeys: boolean },
): NodeScorer {
  const { namespace } = pod;
  const counts = (node: NodeInfo): boolean => !allKeys || hasAllKeys(node, constraints);
  const counted: Counted[] = constraints.map((constraint) => ({
    constraint,
    domains: createDomains(cluster.nodes, constraint, { namespace, counts }),
    byNode: constraint.topologyKey === hostnameKey,
    weight: 0,
  }));
  let ignored = new Uint8Array(0);
  let round = 0;

  return {
    prepare(feasible, count) {
      if (ignored.length < cluster.nodes.length) ignored = new Uint8Array(cluster.nodes.length);
      round++;
      let left = 0;
      const seen = counted.map(() => 0);
      for (let i = 0; i < count; i++) {
        const node = cluster.nodes[feasible[i] as number] as NodeInfo;
        ignored[node.index] = allKeys && !hasAllKeys(node, constraints) ? 1 : 0;
        if (ignored[node.index] === 1) continue;
        left++;
        for (let at = 0; at < counted.length; at++) {
          const part = (counted[at] as Counted).domains.partOf(node);
          if (part === undefined || part.domain.mark === round) continue;
          part.domain.mark = round;
          seen[at] = (seen[at] as number) + 1;
        }
      }
      for (const [at, each] of counted.entries()) {
        each.weight = Math.log((each.byNode ? left : (seen[at] as number)) + 2);
      }
    },
    score(node) {
      if (ignored[node.index] === 1) return 0;
      let score = 0;
      for (const { constraint, domains, byNode, weight } of counted) {
        const part = domains.partOf(node);
        if (part === undefined) continue;
        const pods = byNode ? part.pods : part.domain.pods;
        score += pods * weight + (constraint.maxSkew - 1);
      }
      return Math.round(score);
    },
    normalize(scores, feasible, count) {
      let min = Infinity;
      let max = 0;
      for (let i = 0; i < count; i++) {
        const at = feasible[i] as number;
        if (ignored[at] === 1) continue;
        min = Math.min(min, scores[at] as number);
        max = Math.max(max, scores[at] as number);
      }
      for (let i = 0; i < count; i++) {
        const at = feasible[i] as number;
        if (ignored[at] === 1) scores[at] = 0;
        else if (max === 0) scores[at] = nodeScoreMax;
        else scores[at] = Math.trunc((nodeScoreMax * (max + min - (scores[at] as number))) / max);
      }
    },
    changed(node) {
      for (const { domains } of counted) domains.changed(node);
    },
  };
}
