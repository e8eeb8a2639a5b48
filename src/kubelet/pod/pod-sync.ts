/** Carries out a plan. Source: kuberuntime_manager.go SyncPod, KillPod. */
import { errorMessage } from "#base/error-message.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { PodSandboxConfig } from "../cri/messages.ts";
import { containerState, sandboxState } from "../cri/messages.ts";
import { isRuntimeError } from "../cri/runtime.ts";
import type { VolumePaths } from "../volumes/volume-manager.ts";
import type { WaitingReason } from "./container-statuses.ts";
import { containersOf, isHostNetwork, isSidecar, podDescription, uidOf } from "./container-list.ts";
import { killContainer, StartError, startContainer } from "./container-runner.ts";
import { podDns } from "./dns.ts";
import { kernelHostname, podHostname } from "./hostname.ts";
import type { PodPlan } from "./plan-pod.ts";
import { podLogDirectory } from "./pod-paths.ts";
import {
  type PodRuntime,
  podIpsOf,
  readPodRuntime,
  runningContainers,
} from "./pod-runtime.ts";
import { fieldContext, type PodServices } from "./pod-services.ts";
import { containerHash } from "./runtime-labels.ts";
import { sandboxConfig } from "./sandbox-config.ts";

export interface SyncInput {
  readonly pod: Pod;
  readonly runtime: PodRuntime;
  readonly plan: PodPlan;
  /** Why containers wait, by name; kept up to date here. */
  readonly waiting: Map<string, WaitingReason>;
  /** Ids of containers that were ended to get other resources, which is no crash. */
  readonly resized: ReadonlySet<string>;
  readonly signal: AbortSignal;
  /** Called when the Pod's addresses are known. */
  readonly sandboxReady: (runtime: PodRuntime) => void;
}

export interface SyncOutcome {
  /** Try again then, at the latest. */
  readonly retryAfterMs: number | undefined;
}

/** Rejects when the sandbox or a volume cannot be made: nothing can start without them. */
export async function syncPod(input: SyncInput, services: PodServices): Promise<SyncOutcome> {
  const { pod, plan, runtime } = input;
  if (plan.killPod && runtime.sandboxes.length > 0) await killPod({ pod, runtime }, services);
  else await Promise.all(plan.kill.map((kill) => killPlanned(pod, { kill, runtime }, services)));
  const nothing = plan.start.length + plan.startInit.length + plan.startEphemeral.length === 0;
  if (nothing && !plan.createSandbox) return { retryAfterMs: undefined };
  const cgroupParent = await services.cgroups.ensurePod(pod);
  const known = podIpsOf(runtime);
  const volumes = await services.volumes.setUp(pod, fieldContext(services, known));
  const config = sandboxConfigOf(pod, { attempt: plan.attempt, cgroupParent }, services);
  const ready = await sandboxFor(input, config, services);
  return startAll(input, { ...ready, config, volumes }, services);
}

interface ReadySandbox {
  readonly sandboxId: string;
  readonly runtime: PodRuntime;
}

async function sandboxFor(
  { pod, plan, runtime, sandboxReady }: SyncInput,
  config: PodSandboxConfig,
  services: PodServices,
): Promise<ReadySandbox> {
  if (!plan.createSandbox && plan.sandboxId !== undefined)
    return { sandboxId: plan.sandboxId, runtime };
  const { events, cri, world, directories } = services;
  await world.files.makeDirectory(podLogDirectory(directories, pod), 0o755);
  const handler = await services.runtimeHandler(pod);
  try {
    const sandboxId = await cri.runtime.runPodSandbox(config, handler);
    const now = await readPodRuntime(cri.runtime, uidOf(pod));
    sandboxReady(now);
    // Fields of the Pod's status could not be written before it had an address.
    if (!isHostNetwork(pod))
      await services.volumes.refresh(pod, fieldContext(services, podIpsOf(now)));
    return { sandboxId, runtime: now };
  } catch (error) {
    events.warning(pod, "FailedCreatePodSandBox", `Failed to create pod sandbox: ${errorMessage(error)}`);
    throw error;
  }
}

function sandboxConfigOf(
  pod: Pod,
  { attempt, cgroupParent }: { readonly attempt: number; readonly cgroupParent: string },
  services: PodServices,
): PodSandboxConfig {
  const { node, directories } = services;
  return sandboxConfig({
    pod,
    attempt,
    cgroupParent,
    hostname: kernelHostname(pod, podHostname(pod, node.dns.domain)),
    dns: podDns(pod, node.dns, node.resolvConf),
    logDirectory: podLogDirectory(directories, pod),
  });
}

interface Started extends ReadySandbox {
  readonly config: PodSandboxConfig;
  readonly volumes: VolumePaths;
}

/** Ephemeral, init, regular; a failed init container holds back what comes after it. */
async function startAll(
  input: SyncInput,
  ready: Started,
  services: PodServices,
): Promise<SyncOutcome> {
  const { plan, signal } = input;
  const retries: number[] = [];
  const start = async (container: Container): Promise<boolean> => {
    if (signal.aborted) return false;
    const retryAfterMs = await tryStart(input, { container, ready }, services);
    if (retryAfterMs !== undefined) retries.push(retryAfterMs);
    return retryAfterMs === undefined;
  };
  for (const container of plan.startEphemeral) await start(container);
  let held = false;
  for (const container of plan.startInit) {
    const started = await start(container);
    if (!started && !isSidecar(container)) held = true;
    if (held) break;
  }
  if (!held) for (const container of plan.start) await start(container);
  return { retryAfterMs: retries.length > 0 ? Math.min(...retries) : undefined };
}

/** After a failure that no clock of its own limits. Source: kubelet.go backOffPeriod. */
const startRetryMs = 10_000;

/** When to try again; undefined after success. */
async function tryStart(
  input: SyncInput,
  { container, ready }: { readonly container: Container; readonly ready: Started },
  services: PodServices,
): Promise<number | undefined> {
  const { pod, waiting } = input;
  const remainingMs = crashDelayMs(input, container, services);
  if (remainingMs > 0) {
    const delayMs = services.crashes.delayMs(crashKey(pod, container));
    const where = `container=${container.name} pod=${podDescription(pod)}`;
    const message = `back-off ${goDuration(delayMs)} restarting failed ${where}`;
    waiting.set(container.name, { reason: "CrashLoopBackOff", message });
    const told = `Back-off restarting failed container ${container.name} in pod ${podDescription(pod)}`;
    services.events.warning(pod, "BackOff", told, container.name);
    return remainingMs;
  }
  try {
    const podIps = isHostNetwork(pod) ? services.node.ips : podIpsOf(ready.runtime);
    await startContainer(
      {
        pod,
        container,
        podIps,
        runtime: input.runtime,
        sandboxId: ready.sandboxId,
        sandboxConfig: ready.config,
        volumes: ready.volumes,
        signal: input.signal,
      },
      services,
    );
    waiting.delete(container.name);
    return undefined;
  } catch (error) {
    if (input.signal.aborted) return 0;
    const known =
      error instanceof StartError ? error : new StartError("RunContainerError", errorMessage(error));
    waiting.set(container.name, { reason: known.reason, message: known.message });
    return known.retryAfterMs ?? startRetryMs;
  }
}

function crashDelayMs(
  { pod, runtime, resized }: SyncInput,
  container: Container,
  { crashes }: PodServices,
): number {
  // Of one that the plan has just ended, the instance before it counts.
  const last = runtime.containers.find(
    ({ id, metadata, state }) =>
      metadata?.name === container.name && state === containerState.exited && !resized.has(id),
  );
  return last === undefined ? 0 : crashes.admit(crashKey(pod, container), last.finishedAt / 1e6);
}

/** A new image starts anew. Source: kuberuntime helpers.go GetBackoffKey. */
function crashKey(pod: Pod, container: Container): string {
  return `${crashKeys(pod)}${container.name}/${containerHash(container)}`;
}

/** What the keys of all containers of the Pod begin with. */
export function crashKeys(pod: Pod): string {
  return `${uidOf(pod)}/`;
}

/** `10s`, `1m20s`, `5m0s`. */
function goDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.trunc(seconds / 60)}m${seconds % 60}s`;
}

function killPlanned(
  pod: Pod,
  { kill, runtime }: { readonly kill: PodPlan["kill"][number]; readonly runtime: PodRuntime },
  services: PodServices,
): Promise<void> {
  const [podIp = services.node.ips[0] ?? ""] = podIpsOf(runtime);
  return killContainer({ ...kill, pod, podIp }, services).catch(ignoreGone);
}

export interface KillPod {
  readonly pod: Pod;
  readonly runtime: PodRuntime;
  /** Instead of the Pod's. */
  readonly graceSeconds?: number | undefined;
  readonly signal?: AbortSignal;
}

/** Ends all containers, sidecars after the others and in reverse order, then the sandboxes. */
export async function killPod(kill: KillPod, services: PodServices): Promise<void> {
  const { pod, runtime } = kill;
  const [podIp = services.node.ips[0] ?? ""] = podIpsOf(runtime);
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const byName = new Map(containersOf(pod).map(({ container }) => [container.name, container]));
  const ended = new Map<string, Promise<void>>();
  const running = runningContainers(runtime).map((status) => ({
    id: status.id,
    name: status.metadata?.name ?? "",
  }));
  const end = ({ id, name }: { id: string; name: string }, turn: Promise<void>): void => {
    const container = byName.get(name) ?? { name };
    const done = killContainer(
      {
        pod,
        container,
        containerId: id,
        podIp,
        reason: "",
        turn,
        graceSeconds: kill.graceSeconds,
        ...(kill.signal && { signal: kill.signal }),
      },
      services,
    ).catch(ignoreGone);
    ended.set(name, done);
  };
  for (const each of running) if (!sidecars.includes(each.name)) end(each, Promise.resolve());
  for (const name of sidecars.toReversed()) {
    const each = running.find((status) => status.name === name);
    if (each !== undefined)
      end(
        each,
        Promise.all(ended.values()).then(() => undefined),
      );
  }
  await Promise.all(ended.values());
  await Promise.all(
    runtime.sandboxes.map(({ id }) => services.cri.runtime.stopPodSandbox(id).catch(ignoreGone)),
  );
}

/** Stops everything again, now with less time: the stop that is under way keeps its own. */
export async function hastenKill(
  { runtime, graceSeconds = 0 }: KillPod,
  { cri }: PodServices,
): Promise<void> {
  await Promise.all(
    runningContainers(runtime).map(({ id }) =>
      cri.runtime.stopContainer(id, graceSeconds).catch(ignoreGone),
    ),
  );
}

/** Removes what the runtime keeps of a Pod that has ended. */
export async function removePodRuntime(runtime: PodRuntime, { cri }: PodServices): Promise<void> {
  await Promise.all(
    runtime.containers.map(({ id }) => cri.runtime.removeContainer(id).catch(ignoreGone)),
  );
  for (const { id } of runtime.sandboxes) {
    await cri.runtime.stopPodSandbox(id).catch(ignoreGone);
    await cri.runtime.removePodSandbox(id).catch(ignoreGone);
  }
}

/** Instances before the last dead one of each container, and old sandboxes that nothing is left of. */
export async function removeOldInstances(
  pod: Pod,
  runtime: PodRuntime,
  { cri }: PodServices,
): Promise<void> {
  const removed = new Set<string>();
  for (const { container } of containersOf(pod)) {
    const instances = runtime.containers.filter(
      ({ metadata }) => metadata?.name === container.name,
    );
    for (const old of instances.slice(2)) {
      if (old.state === containerState.running) continue;
      await cri.runtime.removeContainer(old.id).catch(ignoreGone);
      removed.add(old.id);
    }
  }
  const left = runtime.containers.filter(({ id }) => !removed.has(id));
  for (const [i, sandbox] of runtime.sandboxes.entries()) {
    const next = runtime.sandboxes[i - 1];
    if (next === undefined || sandbox.state === sandboxState.ready) continue;
    // A container belongs to the sandbox that was the newest when it was made.
    const used = left.some(
      ({ createdAt }) => createdAt >= sandbox.createdAt && createdAt < next.createdAt,
    );
    if (used) continue;
    await cri.runtime.stopPodSandbox(sandbox.id).catch(ignoreGone);
    await cri.runtime.removePodSandbox(sandbox.id).catch(ignoreGone);
  }
}

function ignoreGone(error: unknown): void {
  if (!isRuntimeError(error, "NOT_FOUND")) throw error;
}
