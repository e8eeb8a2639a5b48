import { kubernetesRelease } from "#apimachinery/release.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { TemplateFunction } from "./go-template.ts";

/** Addresses that hollow nodes and their Pods have. */
export interface Addresses {
  nodeAddress(nodeName: string): string;
  /** The same each time for one Pod. */
  podAddress(uid: string): string;
}

/** What KWOK lets templates call. Source: kwok pkg/utils/gotpl and pkg/kwok/controllers. */
export function stageFunctions({ nodeAddress, podAddress }: Addresses) {
  return (object: KubeObject): Readonly<Record<string, TemplateFunction>> => ({
    Version: () => kubernetesRelease.slice(1),
    NodeName: () => object.metadata?.name,
    NodeIP: () => nodeAddress(object.metadata?.name ?? ""),
    NodePort: () => 10250,
    NodeIPWith: (name) => nodeAddress(String(name)),
    PodIPWith: (name, hostNetwork, uid) => (hostNetwork === true ? nodeAddress(String(name)) : podAddress(String(uid))),
    NodeConditions: () => nodeConditions,
  });
}

const nodeConditions = [
  ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
  ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
  ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
  ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
  ["NetworkUnavailable", "False", "RouteCreated", "RouteController created a route"],
].map(([type, status, reason, message]) => ({ type, status, reason, message }));
