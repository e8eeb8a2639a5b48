import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { isSidecar, isStaticPod } from "./container-list.ts";
import { restartsAfter } from "./restart-policy.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

export interface PhaseContext {
  /** Nothing of the Pod runs any more and nothing will. */
  readonly terminal: boolean;
  /** A regular container was started in the present sandbox. */
  readonly initialized: boolean;
}

/** Counts of container statuses by what they mean for the phase. */
interface Tally {
  pendingInit: number;
  pendingSidecars: number;
  failedForGood: boolean;
  unknown: number;
  running: number;
  waiting: number;
  stopped: number;
  stoppedForGood: number;
  succeeded: number;
}

/** Source: kubelet_pods.go getPhase. */
export function phaseOf(
  pod: Pod,
  statuses: readonly ContainerStatus[],
  { terminal, initialized }: PhaseContext,
): PodPhase {
  const tally = tallyOf(pod, statuses);
  if (tally.failedForGood) return "Failed";
  if (tally.pendingInit > 0 || (tally.pendingSidecars > 0 && !initialized)) return "Pending";
  if (tally.waiting > 0) return "Pending";
  if (tally.unknown > 0) return "Pending";
  if (tally.running > 0) return "Running";
  if (tally.stopped === 0) return "Pending";
  const ended = tally.stopped === tally.succeeded ? "Succeeded" : "Failed";
  if (terminal && !isStaticPod(pod)) return ended;
  return tally.stopped === tally.stoppedForGood ? ended : "Running";
}

function tallyOf(pod: Pod, statuses: readonly ContainerStatus[]): Tally {
  const tally: Tally = {
    pendingInit: 0,
    pendingSidecars: 0,
    failedForGood: false,
    unknown: 0,
    running: 0,
    waiting: 0,
    stopped: 0,
    stoppedForGood: 0,
    succeeded: 0,
  };
  const byName = new Map(statuses.map((status) => [status.name, status]));
  for (const container of pod.spec.initContainers ?? []) {
    const status = byName.get(container.name);
    if (isSidecar(container)) tallySidecar(tally, status);
    else tallyInit(tally, { pod, container, status });
  }
  for (const container of pod.spec.containers) {
    tallyRegular(tally, { pod, container, status: byName.get(container.name) });
  }
  return tally;
}

interface Tallied {
  readonly pod: Pod;
  readonly container: Container;
  readonly status: ContainerStatus | undefined;
}

/** The exit code that counts: of the ended instance, or of the one before the one that waits. */
function exitCodeOf(status: ContainerStatus): number | undefined {
  if (status.state?.terminated) return status.state.terminated.exitCode;
  return status.state?.waiting ? status.lastState?.terminated?.exitCode : undefined;
}

function tallyInit(tally: Tally, { pod, container, status }: Tallied): void {
  const exitCode = status && exitCodeOf(status);
  if (exitCode === undefined) tally.pendingInit++;
  else if (exitCode !== 0 && !restartsAfter(container, pod, exitCode)) tally.failedForGood = true;
}

function tallySidecar(tally: Tally, status: ContainerStatus | undefined): void {
  const { state } = status ?? {};
  if (status === undefined) tally.unknown++;
  else if (state?.running) {
    if (status.started !== true) tally.pendingSidecars++;
    tally.running++;
  } else if (state?.terminated) return;
  else if (!state?.waiting) {
    tally.pendingSidecars++;
    tally.unknown++;
  } else if (!status.lastState?.terminated) {
    tally.pendingSidecars++;
    tally.waiting++;
  }
}

function tallyRegular(tally: Tally, { pod, container, status }: Tallied): void {
  const exitCode = status && exitCodeOf(status);
  if (status?.state?.running) tally.running++;
  else if (exitCode !== undefined) {
    tally.stopped++;
    if (!restartsAfter(container, pod, exitCode)) tally.stoppedForGood++;
    if (status?.state?.terminated && exitCode === 0) tally.succeeded++;
  } else if (status?.state?.waiting) tally.waiting++;
  else tally.unknown++;
}
