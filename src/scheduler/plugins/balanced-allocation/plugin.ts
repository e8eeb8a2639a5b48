import { definePlugin, nodeScoreMax } from "../../framework.ts";
import { readResources, type WeightedResource } from "../node-resources-fit/args.ts";
import { countedResources, takenOf } from "../node-resources-fit/strategy.ts";

interface Args {
  readonly resources: readonly WeightedResource[];
}

interface Given {
  readonly resources?: readonly WeightedResource[];
}

/**
 * Likes nodes where the shares of resources in use are close to each other.
 * Source: scheduler NodeResourcesBalancedAllocation.
 */
export const balancedAllocation = definePlugin<Args>({
  name: "NodeResourcesBalancedAllocation",
  args: { resources: readResources(undefined) },
  readArgs: (given) => ({ resources: readResources(((given ?? {}) as Given).resources) }),
  score(pod, { args }) {
    const parts = countedResources(pod, args.resources, "exact");
    // Pods that ask for nothing would all gather on the best balanced node.
    if (parts.every(({ wanted }) => wanted === 0)) return undefined;
    const shares: number[] = [];
    return {
      score(node) {
        shares.length = 0;
        for (const { column, wanted } of parts) {
          const capacity = node.allocatable[column] ?? 0;
          if (capacity === 0) continue;
          shares.push(Math.min(1, (takenOf(node, column, "exact") + wanted) / capacity));
        }
        return Math.trunc((1 - deviation(shares)) * nodeScoreMax);
      },
    };
  },
});

function deviation(shares: readonly number[]): number {
  const [first = 0, second = 0] = shares;
  if (shares.length < 2) return 0;
  if (shares.length === 2) return Math.abs((first - second) / 2);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const squares = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0);
  return Math.sqrt(squares / shares.length);
}
