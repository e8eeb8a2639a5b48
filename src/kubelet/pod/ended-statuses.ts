import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { ContainerStatuses } from "./container-statuses.ts";

const unknown = {
  exitCode: 137,
  reason: "ContainerStatusUnknown",
  message: "The container could not be located when the pod was terminated",
};

/**
 * The statuses of a Pod of which nothing runs nor will: what never started counts as failed, so that nobody waits for
 * it. Init containers whose turn never came stay as they are, and regular ones behind them. Pure.
 * Source: status_manager.go TerminatePod.
 */
export function endedStatuses(pod: Pod, { init, regular, ephemeral }: ContainerStatuses): ContainerStatuses {
  const lastStarted = init.findLastIndex(wasStarted);
  return {
    init: init.map((status, i) => (i <= lastStarted ? ended(status) : status)),
    regular: isInitialized(pod, { init, regular }) ? regular.map(ended) : regular,
    ephemeral,
  };
}

function isInitialized(pod: Pod, { init, regular }: Pick<ContainerStatuses, "init" | "regular">): boolean {
  if ((pod.spec.initContainers ?? []).length === 0 || regular.some(wasStarted)) return true;
  const last = init.at(-1);
  return last?.ready === true || last?.state?.terminated?.exitCode === 0;
}

function wasStarted({ state, lastState }: ContainerStatus): boolean {
  return [state, lastState].some((each) => each?.running !== undefined || each?.terminated !== undefined);
}

function ended(status: ContainerStatus): ContainerStatus {
  return status.state?.terminated ? status : { ...status, state: { terminated: unknown } };
}
