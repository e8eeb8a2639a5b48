/** The cgroup of a Pod: where it stands and what is written there. Pure. Source: kubelet/cm. */
import { join } from "node:path";
import type { Pod } from "#api/core/v1/pod.ts";
import { uidOf } from "../pod/container-list.ts";
import { qosClassOf } from "../pod/qos.ts";
import { podLimits, quotaPeriodUs } from "../pod/resources.ts";

/** `/root/burstable/pod1234`: Guaranteed Pods stand in the root itself. */
export function podCgroup(root: string, pod: Pod): string {
  const qos = qosClassOf(pod);
  const parent = qos === "Guaranteed" ? root : join(root, qos.toLowerCase());
  return join("/", parent, `pod${uidOf(pod)}`);
}

export interface CgroupSetting {
  readonly controller: "cpu" | "memory" | "pids";
  readonly file: string;
  readonly value: string;
}

/** `podPidsMax`: -1 for no limit. */
export function podCgroupSettings(
  pod: Pod,
  version: 1 | 2,
  podPidsMax: number,
): readonly CgroupSetting[] {
  const { cpuShares, cpuQuotaUs, memoryBytes } = podLimits(pod);
  const pids: CgroupSetting[] =
    podPidsMax > 0 ? [{ controller: "pids", file: "pids.max", value: String(podPidsMax) }] : [];
  const memoryFile = version === 1 ? "memory.limit_in_bytes" : "memory.max";
  const memory: CgroupSetting[] =
    memoryBytes === undefined
      ? []
      : [{ controller: "memory", file: memoryFile, value: String(memoryBytes) }];
  return [...cpuSettings(version, cpuShares, cpuQuotaUs), ...memory, ...pids];
}

function cpuSettings(version: 1 | 2, shares: number, quotaUs: number | undefined): CgroupSetting[] {
  const cpu = (file: string, value: number | string): CgroupSetting => ({
    controller: "cpu",
    file,
    value: String(value),
  });
  if (version === 2) {
    return [
      cpu("cpu.weight", weightOfShares(shares)),
      cpu("cpu.max", `${quotaUs ?? "max"} ${quotaPeriodUs}`),
    ];
  }
  return [
    cpu("cpu.shares", shares),
    cpu("cpu.cfs_period_us", quotaPeriodUs),
    cpu("cpu.cfs_quota_us", quotaUs ?? -1),
  ];
}

/** From 2..262144 to 1..10000. Source: kubelet/cm cpuSharesToCPUWeight. */
export function weightOfShares(shares: number): number {
  return Math.trunc(1 + ((shares - 2) * 9999) / 262_142);
}
