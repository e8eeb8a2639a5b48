/**
 * What to do so that the runtime has what a Pod's spec asks for. Pure.
 * Source: kuberuntime computePodActions, computeInitContainerActions, PodSandboxChanged.
 */
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { RuntimeContainerStatus } from "../cri/messages.ts";
import { containerState, namespaceMode, sandboxState } from "../cri/messages.ts";
import { asContainer, isHostNetwork, isSidecar } from "./container-list.ts";
import { latestContainer, type PodRuntime, podIpsOf } from "./pod-runtime.ts";
import { restartsAfter, restartsOnFailure } from "./restart-policy.ts";
import { containerHash, hashOf } from "./runtime-labels.ts";

export interface PodPlan {
  /** End everything, the sandbox too, before anything else of the plan. */
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  /** The sandbox to use when none is created. */
  readonly sandboxId: string | undefined;
  /** Of a sandbox to be created. */
  readonly attempt: number;
  readonly kill: readonly ContainerKill[];
  /** In the order they are started in. */
  readonly startEphemeral: readonly Container[];
  readonly startInit: readonly Container[];
  readonly start: readonly Container[];
}

export interface ContainerKill {
  readonly containerId: string;
  readonly container: Container;
  /** Text of the Killing event. */
  readonly message: string;
  readonly reason: KillReason;
}

export type KillReason = "" | "StartupProbe" | "LivenessProbe" | "FailedPostStartHook" | "Unknown";

export type ProbeResult = "success" | "failure" | "unknown";

/** Latest probe results by container id; undefined when there is none yet. */
export interface ProbeResults {
  liveness(containerId: string): ProbeResult | undefined;
  startup(containerId: string): ProbeResult | undefined;
}

export function planPod(pod: Pod, runtime: PodRuntime, probes: ProbeResults): PodPlan {
  const sandbox = sandboxNeed(pod, runtime);
  const plan = emptyPlan(sandbox);
  if (sandbox.create) return planFresh(pod, runtime, { ...plan, killPod: true });
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map(asContainer);
  const startEphemeral = ephemeral.filter(
    ({ name }) => latestContainer(runtime, name) === undefined,
  );
  const init = planInitContainers(pod, runtime, probes);
  const begun: PodPlan = { ...plan, startEphemeral, startInit: init.start, kill: init.kill };
  if (init.failed) return { ...begun, startInit: [], killPod: true };
  if (!init.initialized) return begun;
  const regular = planRegularContainers(pod, runtime, probes);
  const finished = regular.keep === 0 && regular.start.length === 0;
  return {
    ...begun,
    start: regular.start,
    kill: [...begun.kill, ...regular.kill],
    killPod: finished,
    ...(finished && { startInit: [] }),
  };
}

/** Whether nothing is to be done. */
export function isIdle(plan: PodPlan): boolean {
  return (
    !plan.killPod &&
    !plan.createSandbox &&
    plan.kill.length === 0 &&
    plan.start.length === 0 &&
    plan.startInit.length === 0 &&
    plan.startEphemeral.length === 0
  );
}

interface SandboxNeed {
  readonly create: boolean;
  readonly attempt: number;
  readonly sandboxId: string | undefined;
}

export function sandboxNeed(pod: Pod, { sandboxes }: PodRuntime): SandboxNeed {
  const [newest] = sandboxes;
  if (newest === undefined) return { create: true, attempt: 0, sandboxId: undefined };
  const next = { create: true, attempt: (newest.metadata?.attempt ?? 0) + 1, sandboxId: newest.id };
  const ready = sandboxes.filter(({ state }) => state === sandboxState.ready);
  if (ready.length > 1 || newest.state !== sandboxState.ready) return next;
  const onNode = newest.linux?.namespaces?.options?.network === namespaceMode.node;
  if (onNode !== isHostNetwork(pod)) return { ...next, sandboxId: undefined };
  if (!isHostNetwork(pod) && podIpsOf({ sandboxes, containers: [] }).length === 0) return next;
  return { create: false, attempt: newest.metadata?.attempt ?? 0, sandboxId: newest.id };
}

function emptyPlan(sandbox: SandboxNeed): PodPlan {
  return {
    killPod: false,
    createSandbox: sandbox.create,
    sandboxId: sandbox.create ? undefined : sandbox.sandboxId,
    attempt: sandbox.attempt,
    kill: [],
    startEphemeral: [],
    startInit: [],
    start: [],
  };
}

/** Of a Pod without a usable sandbox. */
function planFresh(pod: Pod, runtime: PodRuntime, plan: PodPlan): PodPlan {
  const ranBefore = runtime.containers.length > 0;
  if (!restartsOnFailure(pod) && plan.attempt !== 0 && ranBefore) {
    return { ...plan, createSandbox: false };
  }
  const start = pod.spec.containers.filter((container) => {
    const last = latestContainer(runtime, container.name);
    const succeeded = last?.state === containerState.exited && last.exitCode === 0;
    return !(pod.spec.restartPolicy === "OnFailure" && succeeded);
  });
  if (start.length === 0) return { ...plan, createSandbox: !regularCreated(pod, runtime) };
  const [firstInit] = pod.spec.initContainers ?? [];
  return firstInit === undefined ? { ...plan, start } : { ...plan, startInit: [firstInit] };
}

interface ListPlan {
  readonly start: Container[];
  readonly kill: ContainerKill[];
}

interface InitPlan extends ListPlan {
  /** Regular containers may start. */
  readonly initialized: boolean;
  /** An init container failed for good. */
  readonly failed: boolean;
}

/**
 * Walks from the last init container to the first: the newest one that ran says how far the Pod
 * came, since what completed earlier may have been removed from the runtime.
 */
function planInitContainers(pod: Pod, runtime: PodRuntime, probes: ProbeResults): InitPlan {
  const all = pod.spec.initContainers ?? [];
  if (all.length === 0) return { initialized: true, failed: false, start: [], kill: [] };
  let initialized = regularCreated(pod, runtime);
  let reached = initialized;
  const start: Container[] = [];
  const kill: ContainerKill[] = [];
  for (const [i, container] of [...all.entries()].toReversed()) {
    const status = latestContainer(runtime, container.name);
    const sidecar = isSidecar(container);
    if (status === undefined) {
      if (reached && sidecar) start.push(container);
      continue;
    }
    if (reached && !sidecar) continue;
    const step = sidecar
      ? planSidecar(container, status, probes)
      : planInitContainer(pod, container, status);
    if (step.failed) return { initialized: false, failed: true, start: [], kill };
    if (step.kill) kill.push(step.kill);
    if (step.done) {
      const next = all[i + 1];
      if (next === undefined) initialized = true;
      else if (!reached) start.push(next);
    }
    if (step.start) start.push(container);
    reached = true;
  }
  const [first] = all;
  if (!reached && first !== undefined) start.push(first);
  return { initialized, failed: false, start: start.reverse(), kill };
}

interface InitStep {
  readonly start?: boolean;
  readonly kill?: ContainerKill;
  /** The next one may start. */
  readonly done?: boolean;
  readonly failed?: boolean;
}

function planSidecar(
  container: Container,
  status: RuntimeContainerStatus,
  probes: ProbeResults,
): InitStep {
  const named = `Init container ${container.name}`;
  if (status.state === containerState.created) return {};
  if (status.state === containerState.exited) return { start: true };
  if (status.state !== containerState.running) {
    return { start: true, kill: killOf(container, status, "Unknown", unknownText(named)) };
  }
  if (container.startupProbe !== undefined) {
    const startup = probes.startup(status.id);
    if (startup === "failure") {
      const message = `${named} failed startup probe`;
      return { start: true, kill: killOf(container, status, "StartupProbe", message) };
    }
    if (startup !== "success") return {};
  }
  if (probes.liveness(status.id) === "failure") {
    const message = `${named} failed liveness probe`;
    return { done: true, start: true, kill: killOf(container, status, "LivenessProbe", message) };
  }
  return { done: true };
}

function planInitContainer(
  pod: Pod,
  container: Container,
  status: RuntimeContainerStatus,
): InitStep {
  const { state } = status;
  if (state === containerState.created || state === containerState.running) return {};
  if (state === containerState.exited) {
    if (status.exitCode === 0) return { done: true };
    return restartsAfterInit(container, pod, status.exitCode) ? { start: true } : { failed: true };
  }
  if (!restartsAfterInit(container, pod, 137)) return { failed: true };
  const message = unknownText(`Init container ${container.name}`);
  return { start: true, kill: killOf(container, status, "Unknown", message) };
}

/** For an init container the policy Always means OnFailure. */
function restartsAfterInit(container: Container, pod: Pod, exitCode: number): boolean {
  return exitCode !== 0 && restartsAfter(container, pod, exitCode);
}

interface RegularPlan extends ListPlan {
  /** How many stay as they are. */
  readonly keep: number;
}

function planRegularContainers(pod: Pod, runtime: PodRuntime, probes: ProbeResults): RegularPlan {
  const start: Container[] = [];
  const kill: ContainerKill[] = [];
  let keep = 0;
  for (const container of pod.spec.containers) {
    const status = latestContainer(runtime, container.name);
    if (status === undefined || status.state !== containerState.running) {
      if (!shouldStart(container, pod, status)) continue;
      start.push(container);
      if (status?.state === containerState.unknown) {
        const message = unknownText(`Container ${JSON.stringify(container.name)}`);
        kill.push(killOf(container, status, "Unknown", message));
      }
      continue;
    }
    const fault = faultOf(container, status, probes);
    if (fault === undefined) {
      keep++;
      continue;
    }
    const restart = fault.reason === "" || restartsAfter(container, pod, 137);
    const message = restart ? `${fault.message}, will be restarted` : fault.message;
    kill.push(killOf(container, status, fault.reason, message));
    if (restart) start.push(container);
  }
  return { start, kill, keep };
}

/** Source: kubelet/container ShouldContainerBeRestarted. */
function shouldStart(
  container: Container,
  pod: Pod,
  status: RuntimeContainerStatus | undefined,
): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false;
  if (status === undefined || status.state !== containerState.exited) return true;
  return restartsAfter(container, pod, status.exitCode);
}

/** Why a running container must go; undefined when it is well. */
function faultOf(
  container: Container,
  status: RuntimeContainerStatus,
  probes: ProbeResults,
): { readonly message: string; readonly reason: KillReason } | undefined {
  const named = `Container ${container.name}`;
  if (hashOf(status) !== containerHash(container)) {
    return { message: `${named} definition changed`, reason: "" };
  }
  if (probes.liveness(status.id) === "failure") {
    return { message: `${named} failed liveness probe`, reason: "LivenessProbe" };
  }
  if (probes.startup(status.id) === "failure") {
    return { message: `${named} failed startup probe`, reason: "StartupProbe" };
  }
  return undefined;
}

function killOf(
  container: Container,
  { id }: RuntimeContainerStatus,
  reason: KillReason,
  message: string,
): ContainerKill {
  return { containerId: id, container, reason, message };
}

function unknownText(named: string): string {
  return `${named} is in unknown state, try killing it before restart`;
}

/** Some regular container was created, so the init containers are behind the Pod. */
function regularCreated(pod: Pod, runtime: PodRuntime): boolean {
  return pod.spec.containers.some(({ name }) => latestContainer(runtime, name) !== undefined);
}
