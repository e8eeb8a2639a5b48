import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import { CompactedError, type Revision, type Store } from "#store/store.ts";

/** Source: --etcd-compaction-interval. */
export const compactionIntervalMsDefault = 5 * 60_000;

export interface CompactorOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
}

/**
 * Forgets history: at each interval what was the newest revision at the one before. So every
 * revision can be read and watched from for at least one interval.
 * Source: apiserver/pkg/storage/etcd3/compact.go.
 */
export function startCompactor({ store, clock, log, intervalMs }: CompactorOptions): Disposable {
  const resources = new DisposableStack();
  let before: Revision = store.revision;
  const schedule = (): void => {
    if (resources.disposed) return;
    timer = clock.after(intervalMs, () => void tick());
  };
  const tick = async (): Promise<void> => {
    const target = before;
    before = store.revision;
    try {
      if (target > 1) await store.compact(target);
    } catch (error) {
      // Another server of the same store was first.
      if (!(error instanceof CompactedError)) log.error("compaction failed", error, { revision: target });
    }
    schedule();
  };
  let timer: Disposable | undefined;
  resources.defer(() => timer?.[Symbol.dispose]());
  schedule();
  return resources;
}
