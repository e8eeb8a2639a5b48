import type { Clock } from "#base/clock.ts";
import type { ApiTable } from "./api-table.ts";
import { LiveSet } from "./storage/live-set.ts";

/** Kinds kept in memory, each once, however many ask for it. */
export class LiveSets implements Disposable {
  readonly #table: ApiTable;
  readonly #clock: Clock;
  readonly #sets = new Map<string, LiveSet<object>>();
  #started = false;

  constructor(table: ApiTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /** Loaded by `start`, or soon when that was before. */
  of<T extends object>(group: string, version: string, plural: string): LiveSet<T> {
    const key = `${group}/${version}/${plural}`;
    let set = this.#sets.get(key);
    if (set === undefined) {
      const endpoint = this.#table.find(group, version, plural);
      if (endpoint === undefined) throw new Error(`no resource ${key}`);
      set = new LiveSet(endpoint.storage, this.#clock);
      this.#sets.set(key, set);
      if (this.#started) void set.start();
    }
    // What is filed under a resource has its type.
    return set as unknown as LiveSet<T>;
  }

  /** Resolves when all that were asked for are loaded. */
  async start(): Promise<void> {
    this.#started = true;
    // A token whose Secret cannot be read is refused; all else must be known before anyone is let in.
    const secrets = this.#sets.get("/v1/secrets");
    await Promise.all([...this.#sets.values()].map((set) => (set === secrets ? set.startLeniently() : set.start())));
  }

  [Symbol.dispose](): void {
    for (const set of this.#sets.values()) set[Symbol.dispose]();
  }
}
