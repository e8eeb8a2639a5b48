/** Arguments of NodeResourcesFit. Source: kubescheduler.config.k8s.io/v1 NodeResourcesFitArgs. */
export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}

export interface ShapePoint {
  /** Percent, 0..100. */
  readonly utilization: number;
  /** 0..10. */
  readonly score: number;
}

export interface ScoringStrategy {
  readonly type: "LeastAllocated" | "MostAllocated" | "RequestedToCapacityRatio";
  readonly resources: readonly WeightedResource[];
  readonly shape: readonly ShapePoint[];
}

export interface ResourcesFitArgs {
  readonly ignoredResources: ReadonlySet<string>;
  readonly ignoredResourceGroups: ReadonlySet<string>;
  readonly scoringStrategy: ScoringStrategy;
}

interface Given {
  readonly ignoredResources?: readonly string[];
  readonly ignoredResourceGroups?: readonly string[];
  readonly scoringStrategy?: {
    readonly type?: string;
    readonly resources?: readonly { readonly name: string; readonly weight?: number }[];
    readonly requestedToCapacityRatio?: { readonly shape?: readonly ShapePoint[] };
  };
}

const defaultResources: readonly WeightedResource[] = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];

export function readResourcesFitArgs(given: unknown): ResourcesFitArgs {
  const { ignoredResources, ignoredResourceGroups, scoringStrategy } = (given ?? {}) as Given;
  return {
    ignoredResources: new Set(ignoredResources),
    ignoredResourceGroups: new Set(ignoredResourceGroups),
    scoringStrategy: {
      type: readType(scoringStrategy?.type ?? "LeastAllocated"),
      resources: readResources(scoringStrategy?.resources),
      shape: scoringStrategy?.requestedToCapacityRatio?.shape ?? [],
    },
  };
}

/** Without a list: cpu and memory alike. */
export function readResources(
  given: readonly { readonly name: string; readonly weight?: number }[] | undefined,
): readonly WeightedResource[] {
  if (given === undefined || given.length === 0) return defaultResources;
  return given.map(({ name, weight }) => ({ name, weight: weight || 1 }));
}

function readType(type: string): ScoringStrategy["type"] {
  if (type === "LeastAllocated" || type === "MostAllocated" || type === "RequestedToCapacityRatio") return type;
  throw new Error(
    `scoringStrategy.type: Unsupported value: ${JSON.stringify(type)}: supported values: ` +
      '"LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"',
  );
}
