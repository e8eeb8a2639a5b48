/** Resource use of the node and its Pods. Source: kubelet/apis/stats/v1alpha1, kubelet/stats/cri_stats_provider.go. */
import { rfc3339 } from "#base/clock.ts";
import type { ContainerStats } from "../cri/messages.ts";
import type { Kubelet } from "../kubelet.ts";
import { labelNames } from "../pod/runtime-labels.ts";
import { readNodeUsage } from "./node-usage.ts";

export interface Usage {
  readonly time: string;
  readonly usageNanoCores: number;
  readonly usageCoreNanoSeconds: number;
  readonly workingSetBytes: number;
  readonly usageBytes: number;
  readonly rssBytes: number;
}

export interface PodUsage {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly startTime: string;
  readonly containers: readonly ContainerUsage[];
}

export interface ContainerUsage extends Usage {
  readonly name: string;
  readonly startTime: string;
  readonly writableBytes: number;
}

/** What running Pods use, container by container. */
export async function podUsages({ pods, services }: Kubelet): Promise<PodUsage[]> {
  const stats = await services.cri.runtime.listContainerStats();
  const byPod = Map.groupBy(stats, ({ attributes }) => attributes?.labels[labelNames.podUid] ?? "");
  const usages: PodUsage[] = [];
  for (const [uid, own] of byPod) {
    const worker = pods.byUid(uid);
    if (worker === undefined) continue;
    const { name = "", namespace = "" } = worker.pod.metadata ?? {};
    const containers = own.flatMap((each) => {
      const instance = worker.runtime.containers.find(({ id }) => id === each.attributes?.id);
      if (each.cpu === undefined || instance === undefined) return [];
      const startTime = rfc3339(instance.startedAt / 1e6);
      return [{ ...usageOf(each), startTime, name: each.attributes?.metadata?.name ?? "" }];
    });
    const startTime = worker.status?.startTime ?? "";
    usages.push({ name, namespace, uid, startTime, containers });
  }
  return usages;
}

function usageOf({ cpu, memory, writableLayer }: ContainerStats) {
  return {
    time: rfc3339((cpu?.timestamp ?? 0) / 1e6),
    usageNanoCores: cpu?.usageNanoCores?.value ?? 0,
    usageCoreNanoSeconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
    workingSetBytes: memory?.workingSetBytes?.value ?? 0,
    usageBytes: memory?.usageBytes?.value ?? memory?.workingSetBytes?.value ?? 0,
    rssBytes: memory?.rssBytes?.value ?? 0,
    writableBytes: writableLayer?.usedBytes?.value ?? 0,
  };
}

export async function statsSummary(kubelet: Kubelet): Promise<object> {
  const { services, node } = kubelet;
  const usage = await readNodeUsage(services.world);
  const pods = await podUsages(kubelet);
  return {
    node: {
      nodeName: node.metadata?.name,
      startTime: usage.bootTime,
      cpu: {
        time: usage.time,
        usageNanoCores: 0,
        usageCoreNanoSeconds: usage.usageCoreNanoSeconds,
      },
      memory: {
        time: usage.time,
        availableBytes: usage.availableBytes,
        usageBytes: usage.usageBytes,
        workingSetBytes: usage.workingSetBytes,
      },
    },
    pods: pods.map(podStats),
  };
}

function podStats({ name, namespace, uid, startTime, containers }: PodUsage): object {
  const sum = (value: (usage: ContainerUsage) => number): number =>
    containers.reduce((total, each) => total + value(each), 0);
  const time = containers[0]?.time;
  return {
    podRef: { name, namespace, uid },
    startTime,
    containers: containers.map((each) => ({
      name: each.name,
      startTime: each.startTime,
      cpu: {
        time,
        usageNanoCores: each.usageNanoCores,
        usageCoreNanoSeconds: each.usageCoreNanoSeconds,
      },
      memory: {
        time,
        usageBytes: each.usageBytes,
        workingSetBytes: each.workingSetBytes,
        rssBytes: each.rssBytes,
      },
      rootfs: { time, usedBytes: each.writableBytes },
    })),
    cpu: {
      time,
      usageNanoCores: sum((each) => each.usageNanoCores),
      usageCoreNanoSeconds: sum((each) => each.usageCoreNanoSeconds),
    },
    memory: {
      time,
      usageBytes: sum((each) => each.usageBytes),
      workingSetBytes: sum((each) => each.workingSetBytes),
      rssBytes: sum((each) => each.rssBytes),
    },
  };
}
