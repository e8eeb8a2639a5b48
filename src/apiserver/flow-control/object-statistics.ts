import type { Clock } from "#base/clock.ts";
import type { ResourceStorage } from "../storage/storage.ts";
import type { ObjectStatistics } from "./work-estimator.ts";

/** A count older than this is taken again when it is next wanted. Source: etcd3 storage stats, a minute. */
const ageMsMax = 60_000;
/** Objects whose size stands for that of all. */
const sampleMax = 100;

interface Counted {
  value: ObjectStatistics | undefined;
  atMs: number;
  isCounting: boolean;
}

/** How many objects a kind has and how large they are: counted when asked, at most once a minute. */
export class ObjectStatisticsCache {
  readonly #clock: Clock;
  readonly #known = new WeakMap<ResourceStorage, Counted>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What was counted last; undefined at first. */
  of(storage: ResourceStorage): ObjectStatistics | undefined {
    let known = this.#known.get(storage);
    if (known === undefined) this.#known.set(storage, (known = { value: undefined, atMs: -Infinity, isCounting: false }));
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - known.atMs > ageMsMax && !known.isCounting) {
      known.atMs = nowMs;
      void count(storage, known);
    }
    return known.value;
  }
}

async function count(storage: ResourceStorage, known: Counted): Promise<void> {
  known.isCounting = true;
  try {
    // The bytes as they are stored: nothing need be converted to be measured.
    const range = storage.rangeOf(storage.prefix);
    const { entries, count: total } = await storage.store.range({ ...range, limit: sampleMax });
    const bytes = entries.reduce((sum, { value }) => sum + value.length, 0);
    known.value = { count: total, averageBytes: entries.length === 0 ? 0 : Math.ceil(bytes / entries.length) };
  } catch {
    // The store is away: lists say so themselves.
    known.value = undefined;
  } finally {
    known.isCounting = false;
  }
}
