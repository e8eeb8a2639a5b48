/**
 * A store whose values are encrypted below and plain above: the one place where bytes meet the store.
 *
 * Invariants: 1. Whoever reads a stored value gets the same plain array each time, and the writer's own where it is
 * known (`Store`, invariant 6). 2. Watches stay in order, and are called on the stack of the commit unless a key
 * must be asked for; `revision` is then what all of them have been told. 3. After a change of keys no value is shown that they cannot read.
 * Values in conditions are not supported: the same bytes are never encrypted alike.
 */
import { errorMessage } from "#base/error-message.ts";
import type { Key, KeyValue, Op, OpResult, RangeQuery, RangeResult, Revision, Store, StoreEvent, Txn, TxnResult } from "#store/store.ts";
import { StoreUnavailableError, type Watch, type WatchBatch, type WatchQuery, type WatchSink } from "#store/store.ts";
import { wrapStore } from "#store/wrap-store.ts";
import { nextTurn } from "#base/os/turn.ts";
import type { Plain, Transformer } from "./transformer.ts";

/** Batches of one watch that wait for a key. */
export const waitingBatchesMax = 1_000;

/** Values that are read in one turn. */
const sliceMax = 100;

/** A value that cannot be read, or written, with the keys that there are. */
export class TransformError extends Error {
  override readonly name = "TransformError";
}

/** The transformer in force; another `generation` means other keys. */
export type CurrentTransformer = () => { readonly generation: number; readonly transformer: Transformer };

export interface EncryptedStore extends Store {
  /** Whether a value shall be written anew, although it has not changed. */
  isStale(kv: KeyValue): Promise<boolean>;
}

/** Is told of each value that was transformed, or could not be. */
export type Observe = (type: "from_storage" | "to_storage", stored: Uint8Array | undefined, isDone: boolean) => void;

/** Errors of reads and writes: those of `store`, and `TransformError`. */
export function encryptStore(store: Store, current: CurrentTransformer, observe: Observe = () => {}): EncryptedStore {
  const values = new Values(current, observe);
  const outstanding = new Outstanding();
  return wrapStore(store, {
    get revision() {
      return outstanding.before(store.revision);
    },
    async range(query: RangeQuery) {
      return values.rangeOf(await store.range(query), query);
    },
    txn: (txn: Txn) => encryptedTxn(store, values, txn),
    watch: (query: WatchQuery, sink: WatchSink) => watchPlain(store, values, { query, sink, outstanding }),
    isStale: (kv: KeyValue) => values.isStale(kv),
  });
}

type Maybe<T> = T | Promise<T>;

interface Known {
  readonly plain: Uint8Array;
  readonly generation: number;
}

class Values {
  readonly #current: CurrentTransformer;
  readonly #observe: Observe;
  /** Plain values by stored ones. Values that are stored as they are have no entry. */
  readonly #known = new WeakMap<Uint8Array, Known>();
  readonly #stored = new WeakMap<Uint8Array, Uint8Array>();
  readonly #events = new WeakMap<StoreEvent, StoreEvent>();

  constructor(current: CurrentTransformer, observe: Observe) {
    this.#current = current;
    this.#observe = observe;
  }

  encrypt(key: Key, plain: Uint8Array): Uint8Array {
    const { generation, transformer } = this.#current();
    try {
      const stored = transformer.toStorage(plain, key);
      this.#observe("to_storage", stored, true);
      if (stored !== plain) this.#remember(stored, { plain, generation });
      return stored;
    } catch (cause) {
      this.#observe("to_storage", undefined, false);
      throw new TransformError(errorMessage(cause), { cause });
    }
  }

  async isStale({ key, value }: KeyValue): Promise<boolean> {
    const stored = this.#stored.get(value) ?? value;
    try {
      return (await this.#current().transformer.fromStorage(stored, key)).stale;
    } catch (cause) {
      throw new TransformError(errorMessage(cause), { cause });
    }
  }

  kv(kv: KeyValue): Maybe<KeyValue> {
    if (kv.value.length === 0) return kv;
    const shown = (value: Uint8Array): KeyValue => (value === kv.value ? kv : { ...kv, value });
    const plain = this.#plain(kv.key, kv.value);
    return plain instanceof Promise ? plain.then(shown) : shown(plain);
  }

  /** Errors of a list name the key, as upstream's do. */
  async rangeOf<R extends RangeResult>(result: R, query: RangeQuery): Promise<R> {
    const named = (kv: KeyValue): ((error: unknown) => never) => (error) => {
      if (query.end === undefined) throw error;
      const key = JSON.stringify(Buffer.from(kv.key, "latin1").toString());
      throw new TransformError(`unable to transform key ${key}: ${errorMessage(error)}`, { cause: error });
    };
    const entries: KeyValue[] = [];
    for (let at = 0; at < result.entries.length; at += sliceMax) {
      // Others come in between: keys take their time.
      if (at > 0) await nextTurn();
      const slice = result.entries.slice(at, at + sliceMax);
      entries.push(...(await each(slice, (kv) => attempt(() => this.kv(kv), named(kv)))));
    }
    return { ...result, entries };
  }

  /** The same plain event for every watcher. */
  event(event: StoreEvent): Maybe<StoreEvent> {
    const known = this.#events.get(event);
    if (known !== undefined) return known;
    const before = event.prevKv === undefined ? undefined : this.#before(event, event.prevKv);
    const after = this.kv(event.kv);
    const made = (kv: KeyValue, prevKv: KeyValue | undefined): StoreEvent => {
      const { type } = event;
      const plain = kv === event.kv && prevKv === event.prevKv ? event : { type, kv, ...(prevKv && { prevKv }) };
      this.#events.set(event, plain);
      return plain;
    };
    if (!(before instanceof Promise) && !(after instanceof Promise)) return made(after, before);
    return Promise.all([after, before]).then(([kv, prevKv]) => made(kv, prevKv));
  }

  /** What was there before a put matters less than that the put is told. */
  #before({ type }: StoreEvent, prevKv: KeyValue): Maybe<KeyValue | undefined> {
    if (type === "delete") return this.kv(prevKv);
    try {
      const plain = this.kv(prevKv);
      return plain instanceof Promise ? plain.catch(() => undefined) : plain;
    } catch {
      return undefined;
    }
  }

  #plain(key: Key, stored: Uint8Array): Maybe<Uint8Array> {
    const { generation, transformer } = this.#current();
    const known = this.#known.get(stored);
    if (known?.generation === generation) return known.plain;
    const read = ({ bytes }: Plain): Uint8Array => {
      this.#observe("from_storage", stored, true);
      if (bytes === stored) return stored;
      const plain = known?.plain ?? bytes;
      this.#remember(stored, { plain, generation });
      return plain;
    };
    const refused = (cause: unknown): never => {
      this.#observe("from_storage", stored, false);
      throw new TransformError(errorMessage(cause), { cause });
    };
    const result = attempt(() => transformer.fromStorage(stored, key), refused);
    return result instanceof Promise ? result.then(read) : read(result);
  }

  #remember(stored: Uint8Array, known: Known): void {
    this.#known.set(stored, known);
    this.#stored.set(known.plain, stored);
  }
}

/** Calls `run`; both ways of failing go to `refused`. */
function attempt<T>(run: () => Maybe<T>, refused: (error: unknown) => never): Maybe<T> {
  try {
    const result = run();
    return result instanceof Promise ? result.catch(refused) : result;
  } catch (error) {
    return refused(error);
  }
}

/** The list of results; `items` itself when nothing has changed. */
function each<T>(items: readonly T[], change: (item: T) => Maybe<T>): Maybe<readonly T[]> {
  let changed = false;
  let waits = false;
  const results = items.map((item) => {
    const result = change(item);
    changed ||= result !== item;
    waits ||= result instanceof Promise;
    return result;
  });
  if (waits) return Promise.all(results);
  return changed ? (results as readonly T[]) : items;
}

async function encryptedTxn(store: Store, values: Values, txn: Txn): Promise<TxnResult> {
  const encrypted = (op: Op): Op => (op.op === "put" ? { ...op, value: values.encrypt(op.key, op.value) } : op);
  const { compare, success, failure } = txn;
  const result = await store.txn({
    compare,
    success: success.map(encrypted),
    ...(failure && { failure: failure.map(encrypted) }),
  });
  const ops = result.succeeded ? success : (failure ?? []);
  const results = await Promise.all(result.results.map((each, i) => plainResult(values, each, ops[i])));
  return { ...result, results };
}

/** The write has happened: what was there before and cannot be read is left out. */
async function plainResult(values: Values, result: OpResult, op: Op | undefined): Promise<OpResult> {
  const readable = async (kv: KeyValue): Promise<KeyValue[]> => {
    try {
      return [await values.kv(kv)];
    } catch {
      return [];
    }
  };
  switch (result.op) {
    case "put": {
      const [prevKv] = result.prevKv === undefined ? [] : await readable(result.prevKv);
      return { op: "put", ...(prevKv !== undefined && { prevKv }) };
    }
    case "delete":
      return { ...result, prevKvs: (await Promise.all(result.prevKvs.map(readable))).flat() };
    case "range":
      return op?.op === "range" ? values.rangeOf(result, op) : result;
  }
}

/** The first revision that each watch has yet to be told, where it waits for a key. */
class Outstanding {
  readonly #first = new Map<object, Revision>();

  /** As far as all watches have come, when the store itself has come to `revision`. */
  before(revision: Revision): Revision {
    let least = revision;
    for (const first of this.#first.values()) least = Math.min(least, first - 1);
    return least;
  }

  set(watch: object, first: Revision | undefined): void {
    if (first === undefined) this.#first.delete(watch);
    else this.#first.set(watch, first);
  }
}

interface WatchSpec {
  readonly query: WatchQuery;
  readonly sink: WatchSink;
  readonly outstanding: Outstanding;
}

function watchPlain(store: Store, values: Values, { query, sink, outstanding }: WatchSpec): Watch {
  const identity = {};
  /** Revisions of the batches that wait. */
  const waiting: Revision[] = [];
  let before: Promise<void> = Promise.resolve();
  let isOver = false;
  let watch: Watch | undefined;

  function close(): void {
    isOver = true;
    outstanding.set(identity, undefined);
    watch?.[Symbol.dispose]();
  }

  function end(error: Error): void {
    if (isOver) return;
    close();
    sink.onClosed(error);
  }

  function inTurn(revision: Revision, run: () => Maybe<void>): void {
    waiting.push(revision);
    outstanding.set(identity, waiting[0]);
    const told = (): void => {
      waiting.shift();
      if (!isOver) outstanding.set(identity, waiting[0]);
    };
    before = before.then(run).then(told, end);
  }

  function deliver(batch: WatchBatch): Maybe<void> {
    const shown = (events: readonly StoreEvent[]): void => {
      if (!isOver) sink.onBatch(events === batch.events ? batch : { ...batch, events });
    };
    const events = each(batch.events, (event) => values.event(event));
    return events instanceof Promise ? events.then(shown) : shown(events);
  }

  function onBatch(batch: WatchBatch): void {
    if (isOver) return;
    if (waiting.length >= waitingBatchesMax) return end(new StoreUnavailableError("a watch waits for a key too long"));
    if (waiting.length > 0) return inTurn(batch.revision, () => deliver(batch));
    try {
      const delivered = deliver(batch);
      if (delivered instanceof Promise) inTurn(batch.revision, () => delivered);
    } catch (error) {
      end(error as Error);
    }
  }

  watch = store.watch(query, {
    onBatch,
    onClosed(error) {
      if (waiting.length > 0) inTurn(store.revision, () => end(error));
      else end(error);
    },
  });
  // What came at once may have ended it.
  if (isOver) watch[Symbol.dispose]();
  const { requestProgress } = watch;
  return { requestProgress: () => requestProgress.call(watch), [Symbol.dispose]: close };
}
