import type { Pod } from "#api/core/v1/pod.ts";
import type { EventRecorder } from "#client/events.ts";
import { fieldPathOf, findContainer } from "./container-list.ts";

/** Events about a Pod, or about a container of it when one is named. */
export interface PodEvents {
  normal(pod: Pod, reason: string, message: string, containerName?: string): void;
  warning(pod: Pod, reason: string, message: string, containerName?: string): void;
}

export function createPodEvents(recorder: EventRecorder): PodEvents {
  return {
    normal: (pod, reason, message, name) => recorder.normal(regarding(pod, name), reason, message),
    warning: (pod, reason, message, name) =>
      recorder.warning(regarding(pod, name), reason, message),
  };
}

function regarding(pod: Pod, containerName: string | undefined) {
  const named = { kind: "Pod", apiVersion: "v1", metadata: pod.metadata };
  const found = containerName === undefined ? undefined : findContainer(pod, containerName);
  return found === undefined ? named : { ...named, fieldPath: fieldPathOf(found) };
}
