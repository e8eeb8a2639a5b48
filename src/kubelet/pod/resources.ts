/** From quantities to what the kernel is told. Source: kubelet/cm/helpers_linux.go, kubelet/qos. */
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { quantityMilliValue, quantityValue } from "#apimachinery/quantity.ts";
import type { LinuxResources } from "../cri/runtime.ts";
import { isSidecar } from "./container-list.ts";
import { qosClassOf } from "./qos.ts";

const sharesPerCpu = 1024;
const sharesMin = 2;
const sharesMax = 262_144;
export const quotaPeriodUs = 100_000;
const quotaMinUs = 1000;

export function sharesOfMilliCpu(milliCpu: number): number {
  if (milliCpu === 0) return sharesMin;
  return clamp(Math.trunc((milliCpu * sharesPerCpu) / 1000), sharesMin, sharesMax);
}

/** 0 for no limit. */
export function quotaOfMilliCpu(milliCpu: number): number {
  if (milliCpu === 0) return 0;
  return Math.max(quotaMinUs, Math.trunc((milliCpu * quotaPeriodUs) / 1000));
}

const guaranteedScore = -997;
const bestEffortScore = 1000;
const systemCritical = 2_000_000_000;

/** Source: kubelet/qos/policy.go GetContainerOOMScoreAdjust. */
export function oomScoreAdj(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  if ((pod.spec.priority ?? 0) >= systemCritical) return guaranteedScore;
  const qos = qosClassOf(pod);
  if (qos === "Guaranteed") return guaranteedScore;
  if (qos === "BestEffort") return bestEffortScore;
  const own = burstableScore(container, memoryCapacityBytes);
  if (!isSidecar(container)) return own;
  // A sidecar should not be killed before the containers that it serves.
  const scores = pod.spec.containers.map((each) => burstableScore(each, memoryCapacityBytes));
  return Math.min(own, ...scores);
}

function burstableScore(container: Container, capacityBytes: number): number {
  const requestBytes = quantityValue(container.resources?.requests?.["memory"] ?? "0");
  const score = 1000 - Math.trunc((1000 * requestBytes) / capacityBytes);
  if (score < 1000 + guaranteedScore) return 1000 + guaranteedScore;
  return score === bestEffortScore ? score - 1 : score;
}

export function linuxResources(
  pod: Pod,
  container: Container,
  node: { readonly memoryCapacityBytes: number },
): LinuxResources {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const cpuLimitMilli = quantityMilliValue(limits["cpu"] ?? "0");
  const cpuRequestMilli = quantityMilliValue(requests["cpu"] ?? limits["cpu"] ?? "0");
  const memoryLimitInBytes = quantityValue(limits["memory"] ?? "0");
  return {
    cpuShares: sharesOfMilliCpu(cpuRequestMilli),
    cpuPeriod: quotaPeriodUs,
    cpuQuota: quotaOfMilliCpu(cpuLimitMilli),
    memoryLimitInBytes,
    oomScoreAdj: oomScoreAdj(pod, container, node.memoryCapacityBytes),
  };
}

/** What a Pod as a whole may use; undefined where some container has no limit. */
export interface PodLimits {
  readonly cpuShares: number;
  readonly cpuQuotaUs: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Source: kubelet/cm/helpers_linux.go ResourceConfigForPod. */
export function podLimits(pod: Pod): PodLimits {
  const requestMilli = podAmount(pod, "requests", "cpu").amount;
  const cpu = podAmount(pod, "limits", "cpu");
  const memory = podAmount(pod, "limits", "memory");
  return {
    cpuShares: sharesOfMilliCpu(requestMilli),
    cpuQuotaUs: cpu.whole && cpu.amount > 0 ? quotaOfMilliCpu(cpu.amount) : undefined,
    memoryBytes: memory.whole && memory.amount > 0 ? memory.amount : undefined,
  };
}

/**
 * The most that the Pod uses at any time: its regular containers and sidecars together, or an init
 * container and the sidecars before it; plus overhead. CPU in thousandths, memory in bytes.
 * `whole`: every container states it. Source: component-helpers/resource PodRequests.
 */
export function podAmount(
  pod: Pod,
  list: "requests" | "limits",
  resource: string,
): { readonly amount: number; readonly whole: boolean } {
  const read = (quantity: string | undefined): number =>
    resource === "cpu" ? quantityMilliValue(quantity ?? "0") : quantityValue(quantity ?? "0");
  const amountOf = (container: Container): string | undefined =>
    container.resources?.[list]?.[resource];
  const overhead = read(pod.spec.overhead?.[resource]);
  const podLevel = pod.spec.resources?.[list]?.[resource];
  if (podLevel !== undefined) return { amount: read(podLevel) + overhead, whole: true };
  let whole = true;
  const add = (container: Container): number => {
    const quantity = amountOf(container);
    if (quantity === undefined) whole = false;
    return read(quantity);
  };
  let sidecars = 0;
  let peak = 0;
  for (const container of pod.spec.initContainers ?? []) {
    const amount = add(container);
    if (isSidecar(container)) sidecars += amount;
    peak = Math.max(peak, isSidecar(container) ? sidecars : sidecars + amount);
  }
  const regular = pod.spec.containers.reduce((sum, container) => sum + add(container), 0);
  return { amount: Math.max(peak, regular + sidecars) + overhead, whole };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
