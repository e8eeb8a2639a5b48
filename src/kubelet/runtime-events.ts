/**
 * Tells of changes in the runtime as they happen. Invariants: 1. An event of a container or sandbox
 * is told with the Pod that it belongs to. 2. When the stream of events breaks, everything counts
 * as changed once it is back. 3. A slow look at the whole runtime finds what no event told, and
 * counts it. Source: kubelet/pleg, event driven instead of by the second.
 */
import type { Lifetime } from "#base/lifetime.ts";
import type { Gauge } from "#base/metrics.ts";
import type { World } from "#base/world.ts";
import type { PodSandbox, RuntimeContainer } from "./cri/messages.ts";
import type { RuntimeEvent, RuntimeService } from "./cri/runtime.ts";
import type { WakeCause } from "./pod/pod-worker.ts";
import { labelNames } from "./pod/runtime-labels.ts";

export interface RuntimeEventsOptions {
  readonly runtime: RuntimeService;
  readonly world: World;
  readonly lifetime: Lifetime;
  /** A container or sandbox of the Pod ended, or was removed. */
  readonly changed: (uid: string, cause: WakeCause) => void;
  /** All Pods may have changed. */
  readonly lost: () => void;
  /** The whole runtime; returns how many changes nobody had told of. */
  readonly relisted: (seen: RuntimeState) => number;
  readonly missed?: Pick<Gauge, "inc">;
}

export interface RuntimeState {
  readonly sandboxes: readonly PodSandbox[];
  readonly containers: readonly RuntimeContainer[];
}

const relistMs = 60_000;
const reconnectMs = 1000;

export function followRuntime(options: RuntimeEventsOptions): void {
  const { runtime, world, lifetime } = options;
  const { clock, log } = world;
  const owners = new Map<string, string>();
  let stream: Disposable | undefined;

  function note(seen: RuntimeState): void {
    owners.clear();
    for (const { id, labels } of [...seen.sandboxes, ...seen.containers]) {
      const uid = labels[labelNames.podUid];
      if (uid !== undefined) owners.set(id, uid);
    }
  }

  async function list(): Promise<RuntimeState> {
    const [sandboxes, containers] = await Promise.all([
      runtime.listPodSandboxes(),
      runtime.listContainers(),
    ]);
    const seen = { sandboxes, containers };
    note(seen);
    return seen;
  }

  async function tell({ kind, id }: RuntimeEvent): Promise<void> {
    const uid = owners.get(id) ?? (await list(), owners.get(id));
    if (uid === undefined || lifetime.ended) return;
    options.changed(uid, kind === "oom" ? { outOfMemory: true } : { stopped: id });
  }

  function connect(): void {
    stream = runtime.followEvents({
      event(event) {
        const { kind, id } = event;
        if (kind === "created" || kind === "started") return;
        tell(event).catch((error: unknown) =>
          log.warn("runtime event not resolved", { id, error }),
        );
      },
      closed(error) {
        if (lifetime.ended) return;
        log.warn("runtime events ended", { error });
        clock.after(reconnectMs, () => {
          if (lifetime.ended) return;
          connect();
          options.lost();
        });
      },
    });
  }

  async function relist(): Promise<void> {
    try {
      const missed = options.relisted(await list());
      if (missed > 0) options.missed?.inc(missed);
    } catch (error) {
      log.warn("runtime not listed", { error });
    }
    if (!lifetime.ended) arm();
  }

  let timer: Disposable | undefined;
  function arm(): void {
    timer = clock.after(relistMs, () => void relist());
  }

  connect();
  arm();
  lifetime.defer(() => {
    stream?.[Symbol.dispose]();
    timer?.[Symbol.dispose]();
  });
}
