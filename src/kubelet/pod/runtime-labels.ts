/** What the kubelet writes on sandboxes and containers to know them again. */
import { createHash } from "node:crypto";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { RuntimeContainerStatus } from "../cri/messages.ts";
import { uidOf } from "./container-list.ts";

/** Source: kubelet/types/labels.go. */
export const labelNames = {
  podName: "io.kubernetes.pod.name",
  podNamespace: "io.kubernetes.pod.namespace",
  podUid: "io.kubernetes.pod.uid",
  containerName: "io.kubernetes.container.name",
} as const;

/** Source: kuberuntime/labels.go. */
export const annotationNames = {
  hash: "io.kubernetes.container.hash",
  restartCount: "io.kubernetes.container.restartCount",
  terminationMessagePath: "io.kubernetes.container.terminationMessagePath",
  terminationMessagePolicy: "io.kubernetes.container.terminationMessagePolicy",
  ports: "io.kubernetes.container.ports",
  preStop: "io.kubernetes.container.preStopHandler",
  podDeletionGracePeriod: "io.kubernetes.pod.deletionGracePeriod",
  podTerminationGracePeriod: "io.kubernetes.pod.terminationGracePeriod",
} as const;

export function podLabels(pod: Pod): Record<string, string> {
  return {
    [labelNames.podName]: pod.metadata?.name ?? "",
    [labelNames.podNamespace]: pod.metadata?.namespace ?? "",
    [labelNames.podUid]: uidOf(pod),
  };
}

export function containerLabels(pod: Pod, container: Container): Record<string, string> {
  return { ...podLabels(pod), [labelNames.containerName]: container.name };
}

export function containerAnnotations(
  pod: Pod,
  container: Container,
  restartCount: number,
): Record<string, string> {
  const grace = pod.spec.terminationGracePeriodSeconds;
  const deletionGrace = pod.metadata?.deletionGracePeriodSeconds;
  const preStop = container.lifecycle?.preStop;
  return {
    [annotationNames.hash]: containerHash(container),
    [annotationNames.restartCount]: String(restartCount),
    [annotationNames.terminationMessagePath]: container.terminationMessagePath ?? "",
    [annotationNames.terminationMessagePolicy]: container.terminationMessagePolicy ?? "",
    ...(deletionGrace !== undefined && {
      [annotationNames.podDeletionGracePeriod]: String(deletionGrace),
    }),
    ...(grace !== undefined && { [annotationNames.podTerminationGracePeriod]: String(grace) }),
    ...(preStop !== undefined && { [annotationNames.preStop]: JSON.stringify(preStop) }),
    ...((container.ports ?? []).length > 0 && {
      [annotationNames.ports]: JSON.stringify(container.ports),
    }),
  };
}

/** Changes when a running container no longer is what the spec says: only the image can change. */
export function containerHash({ name, image = "" }: Container): string {
  return createHash("sha256")
    .update(JSON.stringify([name, image]))
    .digest("hex")
    .slice(0, 8);
}

export function restartCountOf(container: RuntimeContainerStatus): number {
  return Number(container.annotations[annotationNames.restartCount] ?? 0);
}

export function hashOf(container: RuntimeContainerStatus): string {
  return container.annotations[annotationNames.hash] ?? "";
}
