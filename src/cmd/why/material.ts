import type { Event } from "#api/core/v1/event.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Explanation } from "#scheduler/why.ts";

/** All that is known about a Pod. */
export interface Material {
  readonly namespace: string;
  readonly name: string;
  readonly pod: Pod | undefined;
  /** About the Pod; without one, those of its namespace that tell of Pods nobody could make. */
  readonly events: readonly Event[];
  readonly node: Node | undefined;
  /** Those that the Pod names; undefined where there is none. */
  readonly claims: ReadonlyMap<string, PersistentVolumeClaim | undefined>;
  /** The scheduler's last attempt, where it runs in this process. */
  readonly attempt: Explanation | undefined;
}

export interface Finding {
  /** What it is about: `scheduling`, `image`. */
  readonly about: "admission" | "scheduling" | "volume" | "image" | "container" | "probe" | "node" | "deletion" | "state";
  readonly sentence: string;
}

export function conditionOf({ status }: Pod, type: string) {
  return status?.conditions?.find((condition) => condition.type === type);
}
