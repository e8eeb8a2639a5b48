import type { World } from "#base/world.ts";
import type { Machine } from "../node/machine.ts";
import type { NodePressure } from "../node/node-status.ts";
import { uidOf } from "../pod/container-list.ts";
import type { PodEvents } from "../pod/pod-events.ts";
import type { PodManager } from "../pod/pod-manager.ts";
import { type NodeDirectories, volumeDirectory } from "../pod/pod-paths.ts";
import type { PodWorker } from "../pod/pod-worker.ts";
import { readNodeUsage } from "../server/node-usage.ts";
import type { PodUsage } from "../server/stats-summary.ts";
import {
  diskAvailableMinShare,
  evictionMessage,
  isCrossed,
  localStorageExcess,
  memoryAvailableMinBytes,
  type PodConsumption,
  rankForEviction,
  type SignalState,
} from "./eviction-plan.ts";
import type { ImageCollector } from "./image-collector.ts";

/** Watches over memory and disk, and ends Pods when one runs out. Source: kubelet/eviction. */
export interface EvictionManager {
  readonly pressure: NodePressure;
  /** Looks once; at most one Pod is evicted for the node's sake. */
  check(): Promise<void>;
}

export interface EvictionOptions {
  readonly manager: PodManager;
  readonly world: World;
  readonly machine: Machine;
  readonly directories: NodeDirectories;
  readonly images: ImageCollector;
  readonly events: PodEvents;
  /** Called for every Pod evicted for the node's sake. */
  readonly count: (signal: string) => void;
  readonly usages: () => Promise<readonly PodUsage[]>;
  /** The pressure has changed. */
  readonly changed: () => void;
}

/** How long a pressure is still reported after it was seen last. Source: evictionPressureTransitionPeriod. */
const transitionMs = 300_000;

export function createEvictionManager(options: EvictionOptions): EvictionManager {
  const { manager, world, machine, directories, images } = options;
  const { clock } = world;
  let lastMemoryMs = -Infinity;
  let lastDiskMs = -Infinity;
  let reported = "";

  async function signals(): Promise<SignalState[]> {
    const { availableBytes } = await readNodeUsage(world);
    return [
      { signal: "memory.available", availableBytes, thresholdBytes: memoryAvailableMinBytes },
      {
        signal: "nodefs.available",
        availableBytes: await world.files.freeBytes(directories.root),
        thresholdBytes: machine.diskBytes * diskAvailableMinShare,
      },
    ];
  }

  function pressure(): NodePressure {
    const recent = (sinceMs: number): boolean => clock.monotonicMs() - sinceMs < transitionMs;
    return { memory: recent(lastMemoryMs), disk: recent(lastDiskMs), pids: false };
  }

  async function relieve(state: SignalState): Promise<void> {
    if (state.signal === "memory.available") lastMemoryMs = clock.monotonicMs();
    else {
      lastDiskMs = clock.monotonicMs();
      await images.reclaim();
      const after = (await signals()).find(({ signal }) => signal === state.signal);
      if (after !== undefined && !isCrossed(after)) return;
    }
    const usages = await options.usages();
    const consumptions = running().map((worker) => consumptionOf(worker, usages));
    const [worst] = rankForEviction(state.signal, consumptions);
    if (worst === undefined) return;
    options.count(state.signal);
    evict(worst, evictionMessage(state, worst));
  }

  function running(): PodWorker[] {
    return manager.list().filter(({ state }) => state === "running");
  }

  function evict({ pod }: Pick<PodConsumption, "pod">, message: string): void {
    options.events.warning(pod, "Evicted", message);
    manager.byUid(uidOf(pod))?.fail({ reason: "Evicted", message }, evictionGraceSeconds);
  }

  async function checkLocalStorage(): Promise<void> {
    const limited = running().filter(({ pod }) => hasStorageLimit(pod));
    if (limited.length === 0) return;
    const usages = await options.usages();
    for (const worker of limited) {
      const { pod } = worker;
      const containers = new Map(
        [...consumptionOf(worker, usages).containers].map(
          ([name, use]) => [name, use.diskBytes] as const,
        ),
      );
      const emptyDirs = await emptyDirSizes(worker, { world, directories });
      const message = localStorageExcess({ pod, emptyDirs, containers });
      if (message !== undefined) evict({ pod }, message);
    }
  }

  return {
    get pressure() {
      return pressure();
    },
    async check() {
      const crossed = (await signals()).filter(
        (state) => state.thresholdBytes > 0 && isCrossed(state),
      );
      for (const state of crossed.slice(0, 1)) await relieve(state);
      const now = JSON.stringify(pressure());
      if (now !== reported) options.changed();
      reported = now;
      await checkLocalStorage();
    },
  };
}

/** Hard thresholds leave no time. Source: eviction_manager.go immediateEvictionGracePeriodSeconds. */
const evictionGraceSeconds = 1;

function hasStorageLimit({ spec }: PodWorker["pod"]): boolean {
  return (
    (spec.volumes ?? []).some(
      ({ emptyDir }) => emptyDir?.sizeLimit !== undefined && emptyDir.medium !== "Memory",
    ) ||
    spec.containers.some(({ resources }) => resources?.limits?.["ephemeral-storage"] !== undefined)
  );
}

function consumptionOf({ pod }: PodWorker, usages: readonly PodUsage[]): PodConsumption {
  const own = usages.find(({ uid }) => uid === uidOf(pod))?.containers ?? [];
  const containers = new Map(
    own.map(
      (use) =>
        [use.name, { memoryBytes: use.workingSetBytes, diskBytes: use.writableBytes }] as const,
    ),
  );
  return {
    pod,
    containers,
    memoryBytes: own.reduce((sum, use) => sum + use.workingSetBytes, 0),
    diskBytes: own.reduce((sum, use) => sum + use.writableBytes, 0),
  };
}

async function emptyDirSizes(
  { pod }: PodWorker,
  { world, directories }: Pick<EvictionOptions, "world" | "directories">,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    if (emptyDir === undefined || emptyDir.medium === "Memory") continue;
    const path = volumeDirectory(directories, uidOf(pod), {
      plugin: "kubernetes.io~empty-dir",
      name,
    });
    const { stdout } = await world.processes.run("du", ["-sk", path]);
    sizes.set(name, Number(stdout.split("\t")[0] ?? 0) * 1024 || 0);
  }
  return sizes;
}
