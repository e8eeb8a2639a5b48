import type { Kubelet } from "../kubelet.ts";
import { runningContainers } from "../pod/pod-runtime.ts";

/** A Pod as the runtime knows it. */
export interface RunningPod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly image: string; readonly resources: object }[];
  };
  readonly status: object;
}

/** Pods with containers that run now, of `/runningpods`. Source: kubecontainer ToAPIPod. */
export function runningPods({ pods }: Pick<Kubelet, "pods">): RunningPod[] {
  return pods.list().flatMap(({ pod, runtime }) => {
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    const containers = runningContainers(runtime).map(({ metadata, image }) => ({
      name: metadata?.name ?? "",
      image: image?.image ?? "",
      resources: {},
    }));
    if (containers.length === 0) return [];
    return [{ metadata: { name, namespace, uid }, spec: { containers }, status: {} }];
  });
}
