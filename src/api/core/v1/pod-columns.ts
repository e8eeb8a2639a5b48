import { ageColumn, ageText, column, nameColumn } from "#apimachinery/columns.ts";
import type { Column } from "#apimachinery/resource.ts";
import type { ContainerStatus } from "./container-status.ts";
import type { Pod } from "./pod.ts";
import { isSidecar } from "./pod-resources.ts";

/** What `kubectl get pods` prints. Source: pkg/printers/internalversion. */
export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  column("Ready", (pod) => summaryOf(pod).ready, {
    description: "Containers that are ready, of all.",
  }),
  column("Status", (pod) => summaryOf(pod).status, { description: "What the containers are at." }),
  column("Restarts", (pod, nowMs) => restartsText(pod, nowMs), {
    description: "How often containers started again, and when last.",
  }),
  ageColumn,
  column("IP", (pod) => pod.status?.podIPs?.[0]?.ip || "<none>", { description: "Address of the Pod.", wide: true }),
  column("Node", (pod) => pod.spec.nodeName || "<none>", { description: "Node that it is placed on.", wide: true }),
  column("Nominated Node", (pod) => pod.status?.nominatedNodeName || "<none>", {
    description: "Node where room is made for it.",
    wide: true,
  }),
  column("Readiness Gates", readinessGatesText, { description: "Conditions of its own that hold, of all.", wide: true }),
];

/** Of Pods that have ended. */
export function podRowConditions({ status }: Pod): object[] | undefined {
  const { phase } = status ?? {};
  if (phase !== "Succeeded" && phase !== "Failed") return undefined;
  const message = phase === "Succeeded" ? "The pod has completed successfully." : "The pod failed.";
  return [{ type: "Completed", status: "True", reason: phase, message }];
}

interface Summary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: number;
  readonly lastRestart: string;
}

const scheduledGated = "SchedulingGated";

function summaryOf(pod: Pod): Summary {
  const status = pod.status ?? {};
  const statuses = status.containerStatuses ?? [];
  const initStatuses = status.initContainerStatuses ?? [];
  const sidecars = new Set(
    (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name),
  );
  const sidecarStatuses = initStatuses.filter(({ name }) => sidecars.has(name));
  const total = pod.spec.containers.length + sidecars.size;
  let readyCount = sidecarStatuses.filter(isStartedAndReady).length;
  let reason = status.reason || status.phase || "";
  const gated = (status.conditions ?? []).some(
    ({ type, reason: why }) => type === "PodScheduled" && why === scheduledGated,
  );
  if (gated) reason = scheduledGated;
  const initReason = initializingReason(pod, initStatuses, sidecars);
  let counted = initStatuses;
  if (initReason !== undefined) reason = initReason;
  if (initReason === undefined || isInitialized(pod)) {
    counted = [...statuses, ...sidecarStatuses];
    const running = runningReason(statuses, reason);
    reason = running.reason;
    readyCount += running.ready;
    if (reason === "Completed" && running.anyRunning) {
      reason = isPodReady(pod) ? "Running" : "NotReady";
    }
  }
  return {
    ready: `${readyCount}/${total}`,
    status: deletionReason(pod, reason),
    restarts: counted.reduce((sum, { restartCount }) => sum + restartCount, 0),
    lastRestart: latestEnd(counted),
  };
}

function isStartedAndReady({ started, ready }: ContainerStatus): boolean {
  return started === true && ready;
}

function isInitialized({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => type === "Initialized" && value === "True",
  );
}

function isPodReady({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => type === "Ready" && value === "True",
  );
}

/** `Init:1/3` and the like, until every init container is done. */
function initializingReason(
  { spec }: Pod,
  statuses: readonly ContainerStatus[],
  sidecars: ReadonlySet<string>,
): string | undefined {
  const total = (spec.initContainers ?? []).length;
  for (const [i, status] of statuses.entries()) {
    const { terminated, waiting } = status.state ?? {};
    if (terminated !== undefined && terminated.exitCode === 0) continue;
    if (sidecars.has(status.name) && status.started === true) continue;
    if (terminated !== undefined) {
      if (terminated.reason) return `Init:${terminated.reason}`;
      return terminated.signal
        ? `Init:Signal:${terminated.signal}`
        : `Init:ExitCode:${terminated.exitCode}`;
    }
    if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
    return `Init:${i}/${total}`;
  }
  return undefined;
}

function runningReason(
  statuses: readonly ContainerStatus[],
  initial: string,
): { reason: string; ready: number; anyRunning: boolean } {
  let reason = initial;
  let ready = 0;
  let anyRunning = false;
  for (const { state = {}, ready: isReady } of statuses.toReversed()) {
    const { waiting, terminated, running } = state;
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated?.reason) reason = terminated.reason;
    else if (terminated !== undefined) {
      reason = terminated.signal
        ? `Signal:${terminated.signal}`
        : `ExitCode:${terminated.exitCode}`;
    } else if (isReady && running !== undefined) {
      anyRunning = true;
      ready++;
    }
  }
  return { reason, ready, anyRunning };
}

function deletionReason({ metadata, status }: Pod, reason: string): string {
  if (metadata.deletionTimestamp === undefined) return reason;
  if (status?.reason === "NodeLost") return "Unknown";
  return status?.phase === "Failed" || status?.phase === "Succeeded" ? reason : "Terminating";
}

function latestEnd(statuses: readonly ContainerStatus[]): string {
  const ends = statuses.map(({ lastState }) => lastState?.terminated?.finishedAt ?? "");
  return ends.sort().at(-1) ?? "";
}

function restartsText(pod: Pod, nowMs: number): string {
  const { restarts, lastRestart } = summaryOf(pod);
  if (restarts === 0 || lastRestart === "") return String(restarts);
  return `${restarts} (${ageText(lastRestart, nowMs)} ago)`;
}

function readinessGatesText({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const met = gates.filter(({ conditionType }) =>
    (status?.conditions ?? []).some(
      ({ type, status: value }) => type === conditionType && value === "True",
    ),
  );
  return `${met.length}/${gates.length}`;
}
