/** All Pods of the node and their workers. */
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import type { KubeletConfig } from "../config.ts";
import type { PodSandbox } from "../cri/messages.ts";
import type { RuntimeState } from "../runtime-events.ts";
import type { TokenManager } from "../token-manager.ts";
import type { WatchedObjects } from "../watched-objects.ts";
import { admitPod, preemptionVictims } from "./admission.ts";
import { isCritical, isMirrorPod, uidOf } from "./container-list.ts";
import { podDirectory, podLogDirectory } from "./pod-paths.ts";
import { readPodRuntime } from "./pod-runtime.ts";
import { refuseResize as refuseResizeOf } from "./resize.ts";
import type { PodServices } from "./pod-services.ts";
import { killPod, removePodRuntime } from "./pod-sync.ts";
import { createPodWorker, type PodWorker, type WakeCause } from "./pod-worker.ts";
import { labelNames } from "./runtime-labels.ts";
import type { StatusManager } from "./status-manager.ts";

export interface PodManager {
  list(): readonly PodWorker[];
  /** By `namespace/name`. */
  find(key: string): PodWorker | undefined;
  byUid(uid: string): PodWorker | undefined;
  add(pod: Pod): void;
  update(pod: Pod): void;
  remove(pod: Pod): void;
  /** Ends a Pod that came from a file; resolves when nothing of it is left. */
  removeStatic(pod: Pod): Promise<void>;
  wake(uid: string, cause: WakeCause): void;
  wakeAll(): void;
  /** Wakes the Pods whose runtime is not what their worker saw last; returns how many. */
  compare(seen: RuntimeState): number;
  /** Begins to end what runs for Pods that nobody knows; all that are known were added by then. */
  adopt(): Promise<void>;
}

export interface PodManagerOptions {
  readonly services: PodServices;
  readonly statuses: StatusManager;
  readonly objects: WatchedObjects;
  readonly tokens: TokenManager;
  readonly config: KubeletConfig;
  readonly node: () => Node;
}

/** Of Pods whose objects are gone. Source: kubelet.go SyncTerminatingRuntimePod. */
const orphanGraceSeconds = 1;
const orphanRetryMinMs = 250;
const orphanRetryMaxMs = 30_000;

export function createPodManager(options: PodManagerOptions): PodManager {
  const { services, statuses, objects, tokens, config } = options;
  const { log } = services.world;
  const workers = new Map<string, PodWorker>();
  const uids = new Map<string, string>();

  function add(pod: Pod): void {
    if (isMirrorPod(pod)) return statuses.rewrite(uids.get(keyOfObject(pod)) ?? "");
    const uid = uidOf(pod);
    objects.register(pod);
    const refused = isNew(pod) ? admit(pod) : undefined;
    if (refused !== undefined) services.events.warning(pod, refused.reason, refused.message);
    workers.set(
      uid,
      createPodWorker({ pod, services, statuses, refused, refuseResize, ended: retryResizes }),
    );
    uids.set(keyOfObject(pod), uid);
  }

  function othersThan(pod: Pod): Pod[] {
    const running = [...workers.values()].filter(({ state }) => state === "running");
    return running.map((worker) => worker.pod).filter((other) => uidOf(other) !== uidOf(pod));
  }

  function refuseResize(pod: Pod) {
    return refuseResizeOf(pod, options.node(), othersThan(pod));
  }

  /** What a Pod leaves behind may be what another waits for. */
  function retryResizes(): void {
    for (const worker of workers.values()) if (worker.resizeDeferred) worker.wake({});
  }

  /** Why the Pod is refused; a critical one makes room for itself. */
  function admit(pod: Pod) {
    const { allowedUnsafeSysctls } = config;
    const input = { pod, node: options.node(), others: othersThan(pod), allowedUnsafeSysctls };
    const refusal = admitPod(input);
    if (refusal === undefined || !isCritical(pod)) return refusal;
    const victims = preemptionVictims(input);
    if (victims === undefined) return refusal;
    const message = "Preempted in order to admit critical pod";
    for (const victim of victims) {
      services.events.warning(victim, "Preempting", message);
      workers.get(uidOf(victim))?.fail({ reason: "Preempting", message });
    }
    return undefined;
  }

  async function removeStatic(pod: Pod): Promise<void> {
    const uid = uidOf(pod);
    const worker = workers.get(uid);
    if (worker === undefined) return;
    const key = keyOfObject(pod);
    await worker.remove(pod);
    workers.delete(uid);
    if (uids.get(key) === uid) uids.delete(key);
    objects.unregister(uid);
    tokens.forget(uid);
  }

  /** Tries until it is done: right after a start the runtime may not be able to. */
  async function removeOrphans(): Promise<void> {
    const { clock } = services.world;
    for (let delayMs = orphanRetryMinMs; !services.lifetime.ended; delayMs *= 2) {
      try {
        const sandboxes = await services.cri.runtime.listPodSandboxes();
        const orphans = new Map<string, PodSandbox>();
        for (const sandbox of sandboxes) {
          const uid = sandbox.labels[labelNames.podUid];
          if (uid !== undefined && !workers.has(uid)) orphans.set(uid, sandbox);
        }
        await Promise.all([...orphans.values()].map(removeOrphan));
        return;
      } catch (error) {
        if (services.lifetime.ended) return;
        log.warn("orphaned pods not removed yet", { error });
        const wait = Math.min(delayMs, orphanRetryMaxMs);
        await clock.sleep(wait, services.lifetime.signal).catch(() => undefined);
      }
    }
  }

  async function removeOrphan(sandbox: PodSandbox): Promise<void> {
    const { runtime } = services.cri;
    const pod = orphanOf(sandbox);
    const state = await readPodRuntime(runtime, uidOf(pod));
    await killPod({ pod, runtime: state, graceSeconds: orphanGraceSeconds }, services);
    await removePodRuntime(state, services);
    await services.volumes.tearDown(uidOf(pod));
    await services.world.files.remove(podDirectory(services.directories, uidOf(pod)));
    await services.world.files.remove(podLogDirectory(services.directories, pod));
  }

  return {
    list: () => [...workers.values()],
    byUid: (uid) => workers.get(uid),
    find: (key) => workers.get(uids.get(key) ?? ""),
    add,
    update(pod) {
      const worker = workers.get(uidOf(pod));
      if (worker === undefined) return;
      objects.register(pod);
      worker.update(pod);
    },
    remove(pod) {
      removeStatic(pod).catch((error: unknown) =>
        log.error("pod not removed", error, { pod: keyOfObject(pod) }),
      );
    },
    removeStatic,
    wake: (uid, cause) => workers.get(uid)?.wake(cause),
    wakeAll: () => workers.forEach((worker) => worker.wake({})),
    compare(seen) {
      const states = statesByPod(seen);
      let missed = 0;
      for (const [uid, worker] of workers) {
        if (worker.busy || sameStates(states.get(uid) ?? new Map(), worker)) continue;
        missed++;
        worker.wake({});
      }
      return missed;
    },
    async adopt() {
      await services.cgroups.removeOrphans(new Set(workers.keys()));
      void removeOrphans();
    },
  };
}

/** Has not been started by an earlier life of this kubelet. */
function isNew({ status, metadata }: Pod): boolean {
  return status?.startTime === undefined && metadata?.deletionTimestamp === undefined;
}

function orphanOf({ labels }: PodSandbox): Pod {
  return {
    metadata: {
      name: labels[labelNames.podName] ?? "",
      namespace: labels[labelNames.podNamespace] ?? "",
      uid: labels[labelNames.podUid] ?? "",
    },
    spec: { containers: [] },
  };
}

function statesByPod({ sandboxes, containers }: RuntimeState): Map<string, Map<string, number>> {
  const states = new Map<string, Map<string, number>>();
  for (const { id, labels, state } of [...sandboxes, ...containers]) {
    const uid = labels[labelNames.podUid] ?? "";
    const own = states.get(uid) ?? new Map<string, number>();
    states.set(uid, own.set(id, state));
  }
  return states;
}

function sameStates(seen: ReadonlyMap<string, number>, { runtime }: PodWorker): boolean {
  const known = [...runtime.sandboxes, ...runtime.containers];
  return known.length === seen.size && known.every(({ id, state }) => seen.get(id) === state);
}
