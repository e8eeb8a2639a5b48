import type { TopologySpreadConstraint } from "#api/core/v1/pod-spec.ts";
import { hostnameKey, zoneKey } from "./constraint.ts";

/** Arguments of PodTopologySpread. Source: kubescheduler.config.k8s.io/v1 PodTopologySpreadArgs. */
export interface SpreadArgs {
  readonly defaultConstraints: readonly TopologySpreadConstraint[];
  /** Those that the scheduler has of itself: nodes without the labels are not left out. */
  readonly systemDefaults: boolean;
}

interface Given {
  readonly defaultConstraints?: readonly TopologySpreadConstraint[];
  readonly defaultingType?: string;
}

const systemConstraints: readonly TopologySpreadConstraint[] = [
  { topologyKey: hostnameKey, maxSkew: 3, whenUnsatisfiable: "ScheduleAnyway" },
  { topologyKey: zoneKey, maxSkew: 5, whenUnsatisfiable: "ScheduleAnyway" },
];

export function readSpreadArgs(given: unknown): SpreadArgs {
  const { defaultConstraints = [], defaultingType = "System" } = (given ?? {}) as Given;
  if (defaultingType === "List") return { defaultConstraints, systemDefaults: false };
  if (defaultingType !== "System") {
    throw new Error(
      `defaultingType: Unsupported value: ${JSON.stringify(defaultingType)}: supported values: "List", "System"`,
    );
  }
  if (defaultConstraints.length > 0) {
    throw new Error('defaultingType: Invalid value: "System": when .defaultConstraints are specified');
  }
  return { defaultConstraints: systemConstraints, systemDefaults: true };
}
