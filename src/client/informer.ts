/**
 * A cache of one resource that tells of changes.
 *
 * What is promised:
 * 1. The cache holds, for each object, states that the server has had, and moves only forward
 *    through them. It may skip states, never invents, repeats or reverses them; but a server that
 *    was set back to an older state sets the cache back too.
 * 2. The cache changes before handlers hear of it: whoever is told of a state reads that state,
 *    or a later one, from the lister.
 * 3. Each handler hears, for each object, `onAdd`, then any number of `onUpdate`, then `onDelete`;
 *    `old` of each is what the call before had as its newest state.
 * 4. Handlers hear changes in the server's order, except that a `replace` after a loss of history
 *    tells the differences in no promised order.
 * 5. A uid is part of the identity: an object deleted and made again under its name is an
 *    `onDelete` and an `onAdd`, also when the deletion itself was missed.
 * 6. `onDelete` has the state that the server deleted, or, when the deletion was missed, the last
 *    one known, with `missed` set.
 * 7. A handler that comes late hears `onAdd` for everything there before anything else.
 * 8. `synced` resolves when the first whole state is in the cache and was told to the handlers
 *    that there were then; `hasSynced` says so at once.
 * 9. Nothing is promised between two informers, and nothing is told twice: there is no resync.
 * 10. Calls are synchronous, one at a time. An error thrown by a handler is logged and keeps no
 *     other handler from hearing.
 */
import { type KubeObject, keyOfObject } from "#apimachinery/object.ts";
import type { Clock } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { ResourceClient, ResourceTarget } from "./client.ts";
import { createIndexer, type Index, type Indexer, type Lister } from "./indexer.ts";
import { type Selection, startReflector } from "./reflector.ts";
import { compareResourceVersions, newerResourceVersion } from "./resource-version.ts";

export interface Handlers<T> {
  /** `initial`: it was there before the handler or the informer began. */
  onAdd?(object: T, context: { readonly initial: boolean }): void;
  onUpdate?(object: T, old: T): void;
  onDelete?(object: T, context: { readonly missed: boolean }): void;
}

export interface Informer<T extends KubeObject> {
  readonly target: ResourceTarget;
  readonly lister: Lister<T>;
  readonly hasSynced: boolean;
  synced(): Promise<void>;
  /** The cache shows everything up to here; "" before the first state. */
  readonly resourceVersion: string;
  /** Calls `run` once when the cache shows `resourceVersion`; at once when it does already. */
  whenReached(resourceVersion: string, run: () => void): Disposable;
  addIndex(index: Index<T>): void;
  /** Disposing stops the calls. */
  subscribe(handlers: Handlers<T>): Disposable;
}

export interface InformerOptions<T> {
  readonly client: ResourceClient<T>;
  readonly selection?: Selection;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  /** Shrinks what is kept (drops managedFields, keeps metadata only). Must keep metadata's ids. */
  readonly transform?: (object: T) => T;
}

/** Starts to follow the server at once. */
export function startInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const { log, lifetime } = options;
  const transform = options.transform ?? ((object: T) => object);
  const indexer = createIndexer<T>();
  const progress = createProgress();
  const handlers = new Set<Handlers<T>>();
  const first = Promise.withResolvers<void>();
  let hasSynced = false;

  lifetime.defer(() => handlers.clear());

  function tell(call: (each: Handlers<T>) => void): void {
    for (const each of [...handlers]) {
      if (!handlers.has(each)) continue;
      try {
        call(each);
      } catch (error) {
        log.error("informer handler failed", error, { resource: options.client.target.plural });
      }
    }
  }

  /** `anyAge`: also a state that is older than the cached one. */
  function upsert(object: T, anyAge: boolean): void {
    const old = indexer.get(keyOfObject(object));
    if (old === undefined) {
      indexer.set(object);
      return tell((each) => each.onAdd?.(object, { initial: !hasSynced }));
    }
    const order = compareResourceVersions(versionOf(object), versionOf(old));
    if (order === 0 || (order < 0 && !anyAge)) return;
    if (object.metadata?.uid !== old.metadata?.uid) {
      remove(old, true);
      return upsert(object, anyAge);
    }
    indexer.set(object);
    tell((each) => each.onUpdate?.(object, old));
  }

  function remove(object: T, missed: boolean): void {
    if (indexer.delete(keyOfObject(object)) === undefined) return;
    tell((each) => each.onDelete?.(object, { missed }));
  }

  function replace(items: readonly T[]): void {
    const present = new Set<string>();
    for (const item of items) present.add(keyOfObject(item));
    for (const key of [...indexer.keys()]) {
      const gone = present.has(key) ? undefined : indexer.get(key);
      if (gone !== undefined) remove(gone, true);
    }
    for (const item of items) upsert(transform(item), true);
  }

  startReflector<T>({
    client: options.client,
    selection: options.selection ?? {},
    clock: options.clock,
    random: options.random,
    log,
    lifetime,
    sink: {
      replace(items, resourceVersion) {
        replace(items);
        progress.restart(resourceVersion);
        if (!hasSynced) {
          hasSynced = true;
          first.resolve();
        }
      },
      onEvent({ type, object }) {
        if (type === "DELETED") remove(transform(object), false);
        else upsert(transform(object), false);
        progress.reach(versionOf(object));
      },
      onProgress: progress.reach,
    },
  });

  return {
    target: options.client.target,
    lister: indexer,
    get hasSynced() {
      return hasSynced;
    },
    synced: () => first.promise,
    get resourceVersion() {
      return progress.resourceVersion;
    },
    whenReached: progress.whenReached,
    addIndex: indexer.addIndex,
    subscribe(added) {
      const own = { ...added };
      introduce(indexer, own, log);
      handlers.add(own);
      return { [Symbol.dispose]: () => void handlers.delete(own) };
    },
  };
}

function introduce<T extends KubeObject>(indexer: Indexer<T>, own: Handlers<T>, log: Logger): void {
  for (const object of indexer.list()) {
    try {
      own.onAdd?.(object, { initial: true });
    } catch (error) {
      log.error("informer handler failed", error);
    }
  }
}

/** How far the cache has come, and who waits for it to come further. */
function createProgress() {
  const waiting = new Set<{ readonly resourceVersion: string; readonly run: () => void }>();
  let current = "";

  function restart(resourceVersion: string): void {
    current = resourceVersion;
    reach(resourceVersion);
  }

  function reach(resourceVersion: string): void {
    current = newerResourceVersion(current, resourceVersion);
    for (const waiter of waiting) {
      if (compareResourceVersions(current, waiter.resourceVersion) < 0) continue;
      waiting.delete(waiter);
      waiter.run();
    }
  }

  return {
    get resourceVersion() {
      return current;
    },
    reach,
    restart,
    whenReached(resourceVersion: string, run: () => void): Disposable {
      const waiter = { resourceVersion, run };
      if (compareResourceVersions(current, resourceVersion) >= 0) run();
      else waiting.add(waiter);
      return { [Symbol.dispose]: () => void waiting.delete(waiter) };
    },
  };
}

function versionOf(object: KubeObject): string {
  return object.metadata?.resourceVersion ?? "";
}
