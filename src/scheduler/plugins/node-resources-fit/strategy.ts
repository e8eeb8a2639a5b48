/** How full a node may be to be liked. Source: noderesources least/most_allocated.go. */
import { type NodeScorer, nodeScoreMax } from "../../framework.ts";
import type { NodeInfo } from "../../node-info.ts";
import type { PodInfo } from "../../pod-info.ts";
import { columnOf, cpuColumn, memoryColumn } from "../../resource-vector.ts";
import type { ScoringStrategy, ShapePoint, WeightedResource } from "./args.ts";

/** Share of a resource, and its mark from 0 to 100: integers. */
type Mark = (requested: number, capacity: number) => number;

export function strategyScorer(pod: PodInfo, strategy: ScoringStrategy): NodeScorer {
  const mark = markOf(strategy);
  const parts = countedResources(pod, strategy.resources, "nonZero");
  // Upstream rounds the mean of this strategy, and cuts it off elsewhere.
  const mean = strategy.type === "RequestedToCapacityRatio" ? Math.round : Math.floor;
  const skipZero = strategy.type === "RequestedToCapacityRatio";
  return {
    score(node) {
      let sum = 0;
      let weights = 0;
      for (const { column, weight, wanted } of parts) {
        const capacity = node.allocatable[column] ?? 0;
        if (capacity === 0) continue;
        const score = mark(takenOf(node, column, "nonZero") + wanted, capacity);
        if (skipZero && score <= 0) continue;
        sum += score * weight;
        weights += weight;
      }
      return weights === 0 ? 0 : mean(sum / weights);
    },
  };
}

export type Counting = "nonZero" | "exact";

export interface CountedResource {
  readonly column: number;
  readonly weight: number;
  /** By the pod. */
  readonly wanted: number;
}

/** Extended resources that the pod does not ask for say nothing about a node. */
export function countedResources(
  pod: PodInfo,
  resources: readonly WeightedResource[],
  counting: Counting,
): CountedResource[] {
  return resources.flatMap(({ name, weight }) => {
    const column = columnOf(name);
    const wanted = wantedOf(pod, column, counting);
    return wanted === 0 && isScalar(name) ? [] : [{ column, weight, wanted }];
  });
}

function wantedOf({ requests }: PodInfo, column: number, counting: Counting): number {
  if (counting === "nonZero" && column === cpuColumn) return requests.nonZeroMilliCpu;
  if (counting === "nonZero" && column === memoryColumn) return requests.nonZeroMemoryBytes;
  const at = requests.amounts.columns.indexOf(column);
  return at < 0 ? 0 : (requests.amounts.values[at] as number);
}

export function takenOf(node: NodeInfo, column: number, counting: Counting): number {
  if (counting === "nonZero" && column === cpuColumn) return node.nonZeroMilliCpu;
  if (counting === "nonZero" && column === memoryColumn) return node.nonZeroMemoryBytes;
  return node.requested[column] ?? 0;
}

function isScalar(name: string): boolean {
  return name.includes("/") || name.startsWith("hugepages-") || name.startsWith("attachable-volumes-");
}

function markOf({ type, shape }: ScoringStrategy): Mark {
  switch (type) {
    case "LeastAllocated":
      return (requested, capacity) =>
        requested > capacity ? 0 : Math.floor(((capacity - requested) * nodeScoreMax) / capacity);
    case "MostAllocated":
      return (requested, capacity) => Math.floor((Math.min(requested, capacity) * nodeScoreMax) / capacity);
    case "RequestedToCapacityRatio": {
      const curve = brokenLine(shape);
      return (requested, capacity) => curve(requested > capacity ? 100 : Math.floor((requested * 100) / capacity));
    }
  }
}

/** Marks of a configuration go to 10, ours to 100. */
function brokenLine(shape: readonly ShapePoint[]): (utilization: number) => number {
  const points = shape.map(({ utilization, score }) => ({ x: utilization, y: score * 10 }));
  return (x) => {
    const next = points.findIndex((point) => x <= point.x);
    const after = points[next];
    if (after === undefined) return points.at(-1)?.y ?? 0;
    const before = points[next - 1];
    if (before === undefined) return after.y;
    return before.y + Math.trunc(((after.y - before.y) * (x - before.x)) / (after.x - before.x));
  };
}
