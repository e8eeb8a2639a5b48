/**
 * Compacts a store every few minutes to where it was one interval ago, so that watchers and paged
 * lists have at least that long to go on. Of several servers on one store, one does it each time:
 * they agree through the version of a key.
 *
 * Source: apiserver `storage/etcd3/compact.go`.
 */
import type { Clock, Timer } from "#base/clock.ts";
import { silentLogger, type Logger } from "#base/log.ts";
import { CompactedError, type Revision, type Store } from "./store.ts";

/** Source: kube-apiserver's --etcd-compaction-interval. */
export const compactionIntervalMsDefault = 5 * 60 * 1000;
/** Its version counts the intervals, its value is the revision to compact at. */
export const compactRevisionKey = "compact_rev_key";

export interface CompactorOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log?: Logger;
  /** `compactionIntervalMsDefault` when absent. */
  readonly intervalMs?: number;
}

export function startCompactor(options: CompactorOptions): Disposable {
  const { store, clock, intervalMs = compactionIntervalMsDefault } = options;
  const log = options.log ?? silentLogger;
  let state: Interval = { interval: 0, revision: 0 };
  return repeat(clock, log, intervalMs, async () => {
    state = await endInterval(store, log, state);
  });
}

export interface RetentionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log?: Logger;
  /** History stays readable at least this long, and less than twice as long. */
  readonly retentionMs: number;
}

/** Compacts a store that is served alone, without a key of its own: etcd's periodic compaction. */
export function startRetention(options: RetentionOptions): Disposable {
  const { store, clock, retentionMs } = options;
  const log = options.log ?? silentLogger;
  let revision: Revision = 0;
  return repeat(clock, log, retentionMs, async () => {
    const before = revision;
    revision = store.revision;
    if (before > 0) await compact(store, log, before);
  });
}

function repeat(
  clock: Clock,
  log: Logger,
  everyMs: number,
  action: () => Promise<void>,
): Disposable {
  let timer: Timer;
  let stopped = false;
  const run = async (): Promise<void> => {
    try {
      await action();
    } catch (error) {
      if (!stopped) log.error("Compaction failed, will be tried again", error);
    }
    if (!stopped) timer = clock.after(everyMs, () => void run());
  };
  timer = clock.after(everyMs, () => void run());
  return {
    [Symbol.dispose]() {
      stopped = true;
      timer[Symbol.dispose]();
    },
  };
}

async function compact(store: Store, log: Logger, revision: Revision): Promise<void> {
  try {
    await store.compact(revision);
    log.debug("Compacted store", { revision });
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
  }
}

interface Interval {
  /** Number of intervals that have ended, by all servers' count. */
  readonly interval: number;
  /** Where to compact when this one ends; 0 for nowhere yet. */
  readonly revision: Revision;
}

/** Compacts unless another server has ended this interval. */
async function endInterval(
  store: Store,
  log: Logger,
  { interval, revision }: Interval,
): Promise<Interval> {
  const answer = await store.txn({
    compare: [{ key: compactRevisionKey, target: "version", relation: "=", number: interval }],
    success: [
      { op: "put", key: compactRevisionKey, value: Buffer.from(String(revision)), durability: "lazy" },
    ],
    failure: [{ op: "range", key: compactRevisionKey }],
  });
  if (!answer.succeeded) {
    const [result] = answer.results;
    const version = result?.op === "range" ? (result.entries[0]?.version ?? 0) : 0;
    return { interval: version, revision: answer.revision };
  }
  if (revision > 0) await compact(store, log, revision);
  return { interval: interval + 1, revision: answer.revision };
}
