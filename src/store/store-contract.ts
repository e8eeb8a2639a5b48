/**
 * The contract of `store.ts` as tests, one for each sentence, for every implementation. They run
 * under a prefix of their own and count revisions from where they begin, so a store may be shared.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  prefixEnd,
  type Key,
  type KeyValue,
  type Op,
  type Revision,
  type Store,
  type StoreEvent,
  type TxnResult,
  type Watch,
  type WatchBatch,
  type WatchQuery,
} from "./store.ts";
import { compareTests } from "./contract/compare-tests.ts";
import { leaseTests } from "./contract/lease-tests.ts";
import { modelTests } from "./contract/model-tests.ts";
import { rangeTests } from "./contract/range-tests.ts";
import { revisionTests } from "./contract/revision-tests.ts";
import { watchTests } from "./contract/watch-tests.ts";

export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  /** Lets time pass on the store's clock. */
  passSeconds(seconds: number): Promise<void>;
}

export interface StoreTestOptions {
  readonly name: string;
  /** A store for one test, closed after it. */
  open(): Promise<OpenedStore>;
  /** Tests that cannot hold here, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
  /** Skips all, when what the store needs is absent. */
  readonly skipAll?: string | false;
  /** Random histories of the model test; 100 when absent. */
  readonly modelRuns?: number;
}

/** What one test gets. */
export interface StoreTestContext {
  readonly store: Store;
  /** Every key of the test begins with it. */
  readonly prefix: Key;
  readonly all: { readonly key: Key; readonly end: Key };
  readonly modelRuns: number;
  passSeconds(seconds: number): Promise<void>;
  put(name: string, text: string, lease?: bigint): Promise<TxnResult>;
  remove(name: string): Promise<TxnResult>;
  get(name: string, revision?: Revision): Promise<KeyValue | undefined>;
}

export type StoreTests = Readonly<Record<string, (context: StoreTestContext) => Promise<void>>>;

const suites: Readonly<Record<string, StoreTests>> = {
  revisions: revisionTests,
  ranges: rangeTests,
  compares: compareTests,
  watches: watchTests,
  leases: leaseTests,
  model: modelTests,
};

let testCount = 0;

export function runStoreTests(options: StoreTestOptions): void {
  const skipAll = options.skipAll ?? false;
  describe(`store contract on ${options.name}`, { skip: skipAll }, () => {
    for (const [suite, tests] of Object.entries(suites)) {
      for (const [name, run] of Object.entries(tests)) {
        const skip = options.skip?.find((entry) => entry.tests.includes(name))?.reason ?? false;
        test(`${suite}: ${name}`, { skip }, () => runTest(options, run));
      }
    }
  });
}

async function runTest(
  options: StoreTestOptions,
  run: (context: StoreTestContext) => Promise<void>,
): Promise<void> {
  await using opened = await options.open();
  const { store } = opened;
  const prefix = `/contract/${testCount++}/`;
  await run({
    store,
    prefix,
    all: { key: prefix, end: prefixEnd(prefix) },
    modelRuns: options.modelRuns ?? 100,
    passSeconds: (seconds) => opened.passSeconds(seconds),
    put: (name, text, lease) =>
      store.txn({ compare: [], success: [putOp(prefix + name, text, lease)] }),
    remove: (name) => store.txn({ compare: [], success: [{ op: "delete", key: prefix + name }] }),
    async get(name, revision) {
      const at = revision === undefined ? {} : { revision };
      return (await store.range({ key: prefix + name, ...at })).entries[0];
    },
  });
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

export function putOp(key: Key, text: string, lease?: bigint): Op {
  return { op: "put", key, value: bytes(text), ...(lease === undefined ? {} : { lease }) };
}

/** `name=value` of each entry, names without the test's prefix. */
export function shown(entries: readonly KeyValue[], prefix: Key): string[] {
  return entries.map((kv) => `${kv.key.slice(prefix.length)}=${Buffer.from(kv.value).toString()}`);
}

/** An event in short: `put a=1`, `delete a`, with `(was 0)` when it tells the state before. */
export function eventText({ type, kv, prevKv }: StoreEvent, prefix: Key): string {
  const name = kv.key.slice(prefix.length);
  const was = prevKv === undefined ? "" : ` (was ${Buffer.from(prevKv.value).toString()})`;
  return type === "put"
    ? `put ${name}=${Buffer.from(kv.value).toString()}${was}`
    : `delete ${name}${was}`;
}

/** A watch that keeps what it gets. */
export class Collector implements Disposable {
  readonly batches: WatchBatch[] = [];
  closed: Error | undefined;
  readonly #watch: Watch;
  #changed = Promise.withResolvers<void>();

  constructor(store: Store, query: WatchQuery, onBatch?: (batch: WatchBatch) => void) {
    this.#watch = store.watch(query, {
      onBatch: (batch) => {
        assert.equal(this.closed, undefined, "a batch after onClosed");
        this.batches.push(batch);
        onBatch?.(batch);
        this.#wake();
      },
      onClosed: (error) => {
        assert.equal(this.closed, undefined, "onClosed twice");
        this.closed = error;
        this.#wake();
      },
    });
  }

  /** Resolves when the condition holds; rejects when the watch ends before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.closed !== undefined) throw new Error("the watch ended", { cause: this.closed });
      await this.#changed.promise;
    }
  }

  requestProgress(): boolean {
    return this.#watch.requestProgress();
  }

  /** `revision: event, event` of each batch, revisions counted from `base`. */
  texts(prefix: Key, base: Revision): string[] {
    return this.batches.map(({ revision, events }) => {
      const texts = events.map((event) => eventText(event, prefix));
      return [`+${revision - base}:`, texts.join(", ")].join(" ").trim();
    });
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
