/** Starts and ends single containers. Source: kuberuntime_container.go. */
import { errorMessage } from "#base/error-message.ts";
import { join } from "node:path";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Probe } from "#api/core/v1/probe.ts";
import type { Mount, PodSandboxConfig } from "../cri/messages.ts";
import { ImageError, type PulledImage } from "../images/image-manager.ts";
import type { VolumePaths } from "../volumes/volume-manager.ts";
import { containerConfig } from "./container-config.ts";
import { isHostNetwork, uidOf } from "./container-list.ts";
import { type Environment, environmentOf } from "./environment.ts";
import { podHostname } from "./hostname.ts";
import { nodeHostsFile, podHostsFile } from "./hosts-file.ts";
import { runHook } from "./lifecycle-hooks.ts";
import type { KillReason } from "./plan-pod.ts";
import { containerDirectory, podDirectory, podLogDirectory } from "./pod-paths.ts";
import { latestContainer, type PodRuntime } from "./pod-runtime.ts";
import { fieldContext, type PodServices } from "./pod-services.ts";
import { restartCountOf } from "./runtime-labels.ts";
import { rootViolation } from "./security.ts";
import { serviceEnvironment } from "./service-env.ts";

export interface StartContainer {
  readonly pod: Pod;
  readonly container: Container;
  readonly runtime: PodRuntime;
  readonly sandboxId: string;
  readonly sandboxConfig: PodSandboxConfig;
  readonly podIps: readonly string[];
  readonly volumes: VolumePaths;
  /** Aborting gives up waiting for images and hooks. */
  readonly signal: AbortSignal;
}

/** Why a container did not start; reason and message are those of its waiting state. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Rejects with a `StartError`, which was told in an event already. */
export async function startContainer(start: StartContainer, services: PodServices): Promise<void> {
  const { pod, container } = start;
  const { events, cri } = services;
  const failed = (reason: string, error: unknown): StartError => {
    const message = errorMessage(error);
    events.warning(pod, "Failed", `Error: ${message}`, container.name);
    return new StartError(reason, message);
  };
  const image = await ensureImage(start, services);
  const config = await prepareContainer(start, image, services).catch((error: unknown) => {
    throw failed("CreateContainerConfigError", error);
  });
  const { sandboxId, sandboxConfig } = start;
  const containerId = await cri.runtime
    .createContainer({ sandboxId, sandboxConfig, config })
    .catch((error: unknown) => {
      throw failed("CreateContainerError", error);
    });
  events.normal(pod, "Created", "Container created", container.name);
  await cri.runtime.startContainer(containerId).catch((error: unknown) => {
    throw failed("RunContainerError", error);
  });
  events.normal(pod, "Started", "Container started", container.name);
  await postStart(start, containerId, services);
}

async function ensureImage(start: StartContainer, services: PodServices): Promise<PulledImage> {
  const { pod, container, sandboxConfig } = start;
  try {
    const pullSecrets = await services.pullSecrets(pod);
    return await unlessAborted(
      services.images.ensure({ pod, container, sandboxConfig, pullSecrets }),
      start.signal,
    );
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    services.events.warning(pod, "Failed", `Error: ${error.reason}`, container.name);
    throw new StartError(error.reason, error.message, error.retryAfterMs);
  }
}

async function prepareContainer(start: StartContainer, image: PulledImage, services: PodServices) {
  const { pod, container, runtime } = start;
  const violation = rootViolation(pod, container, image.user);
  if (violation !== undefined) throw new Error(violation);
  const environment = await containerEnvironment(start, services);
  const last = latestContainer(runtime, container.name);
  const restartCount = last === undefined ? 0 : restartCountOf(last) + 1;
  const { files } = services.world;
  await files.makeDirectory(
    join(podLogDirectory(services.directories, pod), container.name),
    0o755,
  );
  const mounts = [
    ...(await services.volumes.mountsOf({
      pod,
      container,
      paths: start.volumes,
      lookup: environment.lookup,
    })),
    ...(await hostsMount(start, services)),
    ...(await terminationMount(start, services)),
  ];
  const target = pod.spec.ephemeralContainers?.find(({ name }) => name === container.name);
  const targetName = target?.targetContainerName ?? "";
  const targetId = targetName === "" ? undefined : latestContainer(runtime, targetName)?.id;
  return containerConfig({
    pod,
    container,
    restartCount,
    imageRef: image.ref,
    imageUser: image.user,
    environment,
    mounts,
    memoryCapacityBytes: services.node.memoryCapacityBytes,
    seccompDirectory: services.node.seccompDirectory,
    ...(targetId !== undefined && { targetId }),
  });
}

async function containerEnvironment(
  start: StartContainer,
  services: PodServices,
): Promise<Environment> {
  const { pod, container } = start;
  const environment = await environmentOf({
    pod,
    container,
    objects: services.objects,
    fields: fieldContext(services, start.podIps),
    serviceEnv: serviceEnvironment(services.services(), {
      namespace: pod.metadata?.namespace ?? "",
      enableServiceLinks: pod.spec.enableServiceLinks !== false,
    }),
  });
  for (const warning of environment.warnings) {
    services.events.warning(pod, "InvalidEnvironmentVariableNames", warning, container.name);
  }
  return environment;
}

/** /etc/hosts, unless the container mounts its own. */
async function hostsMount(start: StartContainer, services: PodServices): Promise<Mount[]> {
  const { pod, container, podIps } = start;
  const own = (container.volumeMounts ?? []).some(({ mountPath }) => mountPath === "/etc/hosts");
  if (own || (podIps.length === 0 && !isHostNetwork(pod))) return [];
  const { directories, node, world } = services;
  const aliases = pod.spec.hostAliases ?? [];
  const content = isHostNetwork(pod)
    ? nodeHostsFile(node.hostsFile, aliases)
    : podHostsFile(podIps, podHostname(pod, node.dns.domain), aliases);
  const hostPath = join(podDirectory(directories, uidOf(pod)), "etc-hosts");
  await world.files.makeDirectory(podDirectory(directories, uidOf(pod)));
  await world.files.write(hostPath, content, 0o644);
  return [{ hostPath, containerPath: "/etc/hosts" }];
}

/** A file of its own for every instance, which it may leave a last message in. */
async function terminationMount(start: StartContainer, services: PodServices): Promise<Mount[]> {
  const { pod, container } = start;
  const containerPath = container.terminationMessagePath ?? "";
  if (containerPath === "") return [];
  const { directories, world } = services;
  const directory = containerDirectory(directories, uidOf(pod), container.name);
  await world.files.makeDirectory(directory);
  const hostPath = join(directory, world.random.uuid().slice(0, 8));
  await world.files.write(hostPath, "");
  await world.files.chmod(hostPath, 0o666);
  return [{ hostPath, containerPath }];
}

async function postStart(
  start: StartContainer,
  containerId: string,
  services: PodServices,
): Promise<void> {
  const { pod, container, podIps, signal } = start;
  const handler = container.lifecycle?.postStart;
  if (handler === undefined) return;
  const [podIp = services.node.ips[0] ?? ""] = podIps;
  try {
    const using = {
      runtime: services.cri.runtime,
      network: services.network,
      clock: services.world.clock,
    };
    await unlessAborted(runHook(handler, { container, containerId, podIp, signal }, using), signal);
  } catch (error) {
    if (signal.aborted) return;
    services.events.warning(pod, "FailedPostStartHook", `PostStartHook failed`, container.name);
    services.world.log.info("postStart hook failed", {
      pod: uidOf(pod),
      container: container.name,
      error,
    });
    await killContainer(
      {
        pod,
        container,
        containerId,
        podIp,
        reason: "FailedPostStartHook",
        message: "FailedPostStartHook",
      },
      services,
    );
    throw new StartError("PostStartHookError", `PostStartHook failed`);
  }
}

export interface KillContainer {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
  readonly reason: KillReason;
  /** Of the Killing event. @default `Stopping container NAME` */
  readonly message?: string;
  /** Instead of the Pod's. */
  readonly graceSeconds?: number | undefined;
  /** Resolves when the containers that must go first have gone. */
  readonly turn?: Promise<void>;
  readonly signal?: AbortSignal;
}

/** Containers always get a moment. Source: kuberuntime minimumGracePeriodInSeconds. */
const graceMinSeconds = 2;

/** preStop hook, then the stop signal, then SIGKILL when the grace is over. */
export async function killContainer(kill: KillContainer, services: PodServices): Promise<void> {
  const { pod, container, containerId } = kill;
  const { clock } = services.world;
  const startedMs = clock.monotonicMs();
  const wholeSeconds = kill.graceSeconds ?? graceSecondsOf(kill);
  const leftSeconds = (): number =>
    wholeSeconds - Math.floor((clock.monotonicMs() - startedMs) / 1000);
  const message = kill.message ?? `Stopping container ${container.name}`;
  services.events.normal(pod, "Killing", message, container.name);
  if (wholeSeconds > 0) await preStop(kill, wholeSeconds, services);
  if (kill.turn !== undefined && leftSeconds() > 0)
    await within(kill.turn, leftSeconds() * 1000, services);
  const graceSeconds = kill.graceSeconds === 0 ? 0 : Math.max(graceMinSeconds, leftSeconds());
  await services.cri.runtime.stopContainer(containerId, graceSeconds);
}

/** A probe's own grace counts when the probe is the reason. */
function graceSecondsOf({ pod, container, reason }: KillContainer): number {
  const probe: Probe | undefined =
    reason === "LivenessProbe"
      ? container.livenessProbe
      : reason === "StartupProbe"
        ? container.startupProbe
        : undefined;
  const deletion = pod.metadata?.deletionGracePeriodSeconds;
  const own = pod.spec.terminationGracePeriodSeconds ?? 30;
  return deletion ?? probe?.terminationGracePeriodSeconds ?? own;
}

async function preStop(
  kill: KillContainer,
  graceSeconds: number,
  services: PodServices,
): Promise<void> {
  const { pod, container, containerId, podIp } = kill;
  const handler = container.lifecycle?.preStop;
  if (handler === undefined) return;
  const controller = new AbortController();
  const signal = kill.signal
    ? AbortSignal.any([kill.signal, controller.signal])
    : controller.signal;
  const using = {
    runtime: services.cri.runtime,
    network: services.network,
    clock: services.world.clock,
  };
  const hook = runHook(handler, { container, containerId, podIp, signal }, using).catch(
    (error: unknown) => {
      if (signal.aborted) return;
      services.events.warning(pod, "FailedPreStopHook", "PreStopHook failed", container.name);
      services.world.log.info("preStop hook failed", {
        pod: uidOf(pod),
        container: container.name,
        error,
      });
    },
  );
  await within(
    unlessAborted(hook, signal).catch(() => undefined),
    graceSeconds * 1000,
    services,
  );
  controller.abort();
}

/** Waits for `done`, but no longer than `limitMs`. */
async function within(
  done: Promise<void>,
  limitMs: number,
  { world }: Pick<PodServices, "world">,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _timer = world.clock.after(limitMs, resolve);
  await Promise.race([done, promise]);
}

/** Rejects with the signal's reason when it aborts first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
