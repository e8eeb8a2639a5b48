import { type KubeObject, objectKey, splitKey } from "#apimachinery/object.ts";
import type { Key } from "#store/store.ts";
import type { ResourceStorage } from "./storage.ts";

/**
 * All objects of a kind in memory, as current as the store: for what is asked at every request
 * (RBAC rules, namespaces, admission policies). In one process a commit is seen on its own stack.
 * Invariants: 1. after `start`, the set is the state of some revision that only grows.
 * 2. `generation` changes exactly when the content does.
 */
export class LiveSet<T extends KubeObject> implements Disposable {
  readonly #storage: ResourceStorage;
  readonly #objects = new Map<string, T>();
  readonly #listeners = new Set<(key: string, object: T | undefined) => void>();
  readonly #resources = new DisposableStack();
  #generation = 0;

  constructor(storage: ResourceStorage) {
    this.#storage = storage;
  }

  /** Loads the state and follows it. */
  async start(): Promise<void> {
    const range = this.#storage.rangeOf(this.#storage.prefix);
    const state = await this.#storage.range(range);
    const { entries } = this.#storage;
    for (const kv of state.entries) this.#set(this.#keyOf(kv.key), entries.of(kv).object as T);
    const watch = this.#storage.store.watch(
      { ...range, startRevision: state.revision + 1 },
      {
        onBatch: ({ events }) => {
          for (const event of events) {
            const key = this.#keyOf(event.kv.key);
            this.#set(key, event.type === "put" ? (entries.of(event.kv).object as T) : undefined);
          }
        },
        onClosed: () => {},
      },
    );
    this.#resources.use(watch);
  }

  get generation(): number {
    return this.#generation;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(objectKey(namespace, name));
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  inNamespace(namespace: string): T[] {
    return [...this.#objects].filter(([key]) => splitKey(key).namespace === namespace).map(([, object]) => object);
  }

  /** Calls `listener` after each change, with undefined for a removal. */
  onChange(listener: (key: string, object: T | undefined) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #keyOf(key: Key): string {
    const rest = key.slice(this.#storage.prefix.length);
    return /[\x80-\xff]/.test(rest) ? Buffer.from(rest, "latin1").toString("utf8") : rest;
  }

  #set(key: string, object: T | undefined): void {
    if (object === undefined) this.#objects.delete(key);
    else this.#objects.set(key, object);
    this.#generation++;
    for (const listener of this.#listeners) listener(key, object);
  }
}
