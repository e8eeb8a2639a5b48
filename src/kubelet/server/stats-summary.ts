/** Resource use of the node and its Pods. Source: kubelet/apis/stats/v1alpha1, kubelet/stats/cri_stats_provider.go. */
import { parseQuantity, quantityValue } from "#apimachinery/quantity.ts";
import { rfc3339 } from "#base/clock.ts";
import type { ContainerStats } from "../cri/messages.ts";
import type { Kubelet } from "../kubelet.ts";
import { labelNames } from "../pod/runtime-labels.ts";
import { type NodeUsage, readInterfaces, readNodeUsage, readProcessCount } from "./node-usage.ts";
import type { CpuSample, UsageRates } from "./usage-rates.ts";

export interface Usage {
  /** To the second; `timeMs` is exact. */
  readonly time: string;
  readonly timeMs: number;
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
  const timeMs = (cpu?.timestamp ?? 0) / 1e6;
  return {
    time: rfc3339(timeMs),
    timeMs,
    usageCoreNanoSeconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
    workingSetBytes: memory?.workingSetBytes?.value ?? 0,
    usageBytes: memory?.usageBytes?.value ?? memory?.workingSetBytes?.value ?? 0,
    rssBytes: memory?.rssBytes?.value ?? 0,
    writableBytes: writableLayer?.usedBytes?.value ?? 0,
  };
}

/** The Summary of stats/v1alpha1. CPU rates are those since the look before. */
export async function statsSummary(kubelet: Kubelet, rates: UsageRates) {
  const { world } = kubelet.services;
  const usage = await readNodeUsage(world);
  const pods = await podUsages(kubelet);
  const rateOf = rates.look(samplesOf(usage, pods));
  return { node: await nodeStats(kubelet, usage, rateOf), pods: pods.map((pod) => podStats(pod, rateOf)) };
}

function samplesOf(node: NodeUsage, pods: readonly PodUsage[]): Map<string, CpuSample> {
  const sample = ({ timeMs, usageCoreNanoSeconds }: CpuSample): CpuSample => ({
    timeMs,
    usageCoreNanoSeconds,
  });
  const samples = new Map([["", sample(node)]]);
  for (const { uid, containers } of pods)
    for (const each of containers) samples.set(`${uid}/${each.name}`, sample(each));
  return samples;
}

type Rates = ReadonlyMap<string, number>;

async function nodeStats({ node, services }: Kubelet, usage: NodeUsage, rateOf: Rates) {
  const { world, directories } = services;
  const { time } = usage;
  const interfaces = await readInterfaces(world);
  const processes = await readProcessCount(world);
  const capacity = node.status?.capacity?.["ephemeral-storage"];
  const capacityBytes = capacity === undefined ? 0 : quantityValue(parseQuantity(capacity));
  const availableBytes = await world.files.freeBytes(directories.root);
  const fs = { time, availableBytes, capacityBytes, usedBytes: Math.max(0, capacityBytes - availableBytes) };
  return {
    nodeName: node.metadata?.name,
    startTime: usage.bootTime,
    cpu: cpuStats(usage, rateOf.get("")),
    memory: {
      time,
      availableBytes: usage.availableBytes,
      usageBytes: usage.usageBytes,
      workingSetBytes: usage.workingSetBytes,
      rssBytes: usage.rssBytes,
      pageFaults: usage.pageFaults,
      majorPageFaults: usage.majorPageFaults,
    },
    network: { time, ...interfaces.find(({ name }) => name === "eth0"), interfaces },
    fs,
    runtime: { imageFs: fs, containerFs: fs },
    rlimit: { time, maxpid: processes.max, curproc: processes.current },
  };
}

interface CpuStats {
  readonly time: string;
  readonly usageCoreNanoSeconds: number;
  readonly usageNanoCores?: number;
}

function cpuStats(
  { time, usageCoreNanoSeconds }: Pick<Usage, "time" | "usageCoreNanoSeconds">,
  usageNanoCores: number | undefined,
): CpuStats {
  return { time, ...(usageNanoCores !== undefined && { usageNanoCores }), usageCoreNanoSeconds };
}

function podStats({ name, namespace, uid, startTime, containers }: PodUsage, rateOf: Rates): object {
  const sum = (value: (usage: ContainerUsage) => number): number =>
    containers.reduce((total, each) => total + value(each), 0);
  const rate = (each: ContainerUsage) => rateOf.get(`${uid}/${each.name}`);
  const time = containers[0]?.time ?? startTime;
  const usageCoreNanoSeconds = sum((each) => each.usageCoreNanoSeconds);
  const known = containers.some((each) => rate(each) !== undefined);
  return {
    podRef: { name, namespace, uid },
    startTime,
    containers: containers.map((each) => ({
      name: each.name,
      startTime: each.startTime,
      cpu: cpuStats(each, rate(each)),
      memory: memoryStats(each),
      rootfs: { time: each.time, usedBytes: each.writableBytes },
    })),
    cpu: cpuStats({ time, usageCoreNanoSeconds }, known ? sum((each) => rate(each) ?? 0) : undefined),
    memory: memoryStats({
      time,
      usageBytes: sum((each) => each.usageBytes),
      workingSetBytes: sum((each) => each.workingSetBytes),
      rssBytes: sum((each) => each.rssBytes),
    }),
    "ephemeral-storage": { time, usedBytes: sum((each) => each.writableBytes) },
  };
}

function memoryStats({
  time,
  usageBytes,
  workingSetBytes,
  rssBytes,
}: Pick<Usage, "time" | "usageBytes" | "workingSetBytes" | "rssBytes">): object {
  return { time, usageBytes, workingSetBytes, rssBytes };
}
