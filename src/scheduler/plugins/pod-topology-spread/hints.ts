/** Which changes can help a pod that would have skewed its domains. */
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { TopologySpreadConstraint } from "#api/core/v1/pod-spec.ts";
import { labelSelectorOf } from "#apimachinery/selectors.ts";
import type { ClusterEvent, EventHint, EventName } from "../../cluster-events.ts";
import type { PodInfo } from "../../pod-info.ts";

export const spreadHints: readonly (EventName | EventHint)[] = [
  { on: "AssignedPod/add", helps: podMatters },
  { on: "AssignedPod/update-label", helps: podMatters },
  { on: "AssignedPod/delete", helps: podMatters },
  "Pod/update-label",
  "Pod/update-toleration",
  { on: "Node/add", helps: nodeMatters },
  { on: "Node/delete", helps: nodeMatters },
  {
    on: "Node/update-label",
    helps: (event, pod) => nodeMatters(event, pod) || nodeMatters({ ...event, object: event.old ?? {} }, pod),
  },
  "Node/update-taint",
];

function hardConstraints({ pod }: PodInfo): readonly TopologySpreadConstraint[] {
  const own = pod.spec.topologySpreadConstraints ?? [];
  return own.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule");
}

/** With default constraints nothing is known of what they select. */
function podMatters({ object, old }: ClusterEvent, pod: PodInfo): boolean {
  const constraints = hardConstraints(pod);
  if (constraints.length === 0 || object === undefined) return true;
  if ((object.metadata?.namespace ?? "") !== pod.namespace) return false;
  return [object, old].some(
    (other) =>
      other !== undefined &&
      constraints.some(({ labelSelector }) =>
        labelSelectorOf(labelSelector).matches((other as Pod).metadata?.labels ?? {}),
      ),
  );
}

function nodeMatters({ object }: ClusterEvent, pod: PodInfo): boolean {
  const labels = (object as Node | undefined)?.metadata?.labels ?? {};
  return hardConstraints(pod).every(({ topologyKey }) => Object.hasOwn(labels, topologyKey));
}
