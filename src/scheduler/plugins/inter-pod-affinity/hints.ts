/** Which pods' changes can help a pod whose terms were not met. */
import type { Pod } from "#api/core/v1/pod.ts";
import { type AffinityTerm, termMatches } from "../../affinity-term.ts";
import type { ClusterEvent, EventHint, EventName } from "../../cluster-events.ts";
import { type PodInfo, podInfoOf } from "../../pod-info.ts";

export const hintedByTerms: readonly (EventName | EventHint)[] = [
  { on: "AssignedPod/add", helps: (event, pod) => newcomerHelps(event, pod) },
  {
    on: "AssignedPod/update-label",
    helps: (event, pod) => newcomerHelps(event, pod) || leaverHelps(event, pod),
  },
  { on: "AssignedPod/delete", helps: (event, pod) => leaverHelps(event, pod) },
  "Pod/update-label",
  "Node/add",
  "Node/update-label",
  "Namespace/add",
  "Namespace/update-label",
];

/** Hints may err on the side of one attempt too many: any namespace that a selector may mean counts. */
function anyMatches(terms: readonly AffinityTerm[], pod: PodInfo): boolean {
  return terms.some((term) => termMatches({ ...term, namespaces: openNamespaces(term, pod) }, pod, () => undefined));
}

function openNamespaces(term: AffinityTerm, { namespace }: PodInfo): ReadonlySet<string> {
  return term.namespaceSelector.nothing ? term.namespaces : new Set([namespace]);
}

function newcomerHelps({ object }: ClusterEvent, pod: PodInfo): boolean {
  return object === undefined || anyMatches(pod.terms.requiredAffinity, podInfoOf(object as Pod));
}

function leaverHelps({ object, old = object }: ClusterEvent, pod: PodInfo): boolean {
  if (old === undefined) return true;
  const gone = podInfoOf(old as Pod);
  return anyMatches(pod.terms.requiredAntiAffinity, gone) || anyMatches(gone.terms.requiredAntiAffinity, pod);
}
