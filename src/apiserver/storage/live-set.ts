import type { Clock } from "#base/clock.ts";
import { type KubeObject, objectKey, splitKey } from "#apimachinery/object.ts";
import { isStatusError } from "#apimachinery/status.ts";
import { CompactedError, type Key } from "#store/store.ts";
import type { Entry } from "./entry.ts";
import type { ResourceStorage } from "./storage.ts";

const retryMs = 1000;

/**
 * All objects of a kind in memory, as current as the store: for what is asked at every request
 * (RBAC rules, namespaces, admission policies). In one process a commit is seen on its own stack.
 * Invariants: 1. after `start`, the set is the state of some revision that only grows.
 * 2. `generation` changes exactly when the content does.
 */
export class LiveSet<T extends KubeObject> implements Disposable {
  readonly #storage: ResourceStorage;
  readonly #clock: Clock;
  /** Objects are read when somebody asks: a start on many takes no longer for it. */
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(key: string, object: T | undefined) => void>();
  #watch: Disposable | undefined;
  #isDisposed = false;
  #generation = 0;

  constructor(storage: ResourceStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** As `start`, but what cannot be read now is tried again: the set is empty until then. */
  async startLeniently(): Promise<void> {
    await this.start().catch((error: unknown) => {
      if (!isStatusError(error)) throw error;
      this.#startLater();
    });
  }

  /** Loads the state and follows it. */
  async start(): Promise<void> {
    const range = this.#storage.rangeOf(this.#storage.prefix);
    const state = await this.#storage.range(range);
    const { entries } = this.#storage;
    const gone = new Set(this.#entries.keys());
    for (const kv of state.entries) {
      const key = this.#keyOf(kv.key);
      gone.delete(key);
      this.#set(key, entries.of(kv));
    }
    for (const key of gone) this.#set(key, undefined);
    if (this.#isDisposed) return;
    this.#watch = this.#storage.store.watch(
      { ...range, startRevision: state.revision + 1 },
      {
        onBatch: ({ events }) => {
          for (const event of events) {
            const key = this.#keyOf(event.kv.key);
            this.#set(key, event.type === "put" ? entries.of(event.kv) : undefined);
          }
        },
        // Whatever ended it, a set that nobody disposed goes on. A store of another process may have compacted what this one had yet to
        // see; anything else, such as a key that is away, may be over in a moment.
        onClosed: (error) => (error instanceof CompactedError ? this.#startAgain() : this.#startLater()),
      },
    );
  }

  #startAgain(): void {
    if (this.#isDisposed) return;
    this.start().catch(() => this.#startLater());
  }

  #startLater(): void {
    if (this.#isDisposed) return;
    this.#watch = this.#clock.after(retryMs, () => this.#startAgain());
  }

  get generation(): number {
    return this.#generation;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#entries.get(objectKey(namespace, name))?.object as T | undefined;
  }

  *values(): Iterable<T> {
    for (const { object } of this.#entries.values()) yield object as T;
  }

  inNamespace(namespace: string): T[] {
    const found = [...this.#entries].filter(([key]) => splitKey(key).namespace === namespace);
    return found.map(([, { object }]) => object as T);
  }

  /** Calls `listener` after each change, with undefined for a removal. */
  onChange(listener: (key: string, object: T | undefined) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#watch?.[Symbol.dispose]();
  }

  #keyOf(key: Key): string {
    const rest = key.slice(this.#storage.prefix.length);
    return /[\x80-\xff]/.test(rest) ? Buffer.from(rest, "latin1").toString("utf8") : rest;
  }

  #set(key: string, entry: Entry | undefined): void {
    if (entry === undefined) this.#entries.delete(key);
    else this.#entries.set(key, entry);
    this.#generation++;
    if (this.#listeners.size === 0) return;
    const object = entry?.object as T | undefined;
    for (const listener of this.#listeners) listener(key, object);
  }
}
