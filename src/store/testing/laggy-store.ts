/** A store whose watches fall behind its answers, as those of another process do. For tests. */
import type { Random } from "#base/random.ts";
import type { Store, WatchSink } from "../store.ts";

const turnsMax = 40;

/** Each batch of a watch comes some turns of the event loop late; the order stays. */
export function laggyStore(store: Store, random: Random): Store {
  const late = (sink: WatchSink): WatchSink => {
    let before = Promise.resolve();
    const afterSomeTurns = (call: () => void): void => {
      before = before.then(async () => {
        for (let turns = random.below(turnsMax); turns > 0; turns--) await Promise.resolve();
        call();
      });
    };
    return {
      onBatch: (batch) => afterSomeTurns(() => sink.onBatch(batch)),
      onClosed: (error) => afterSomeTurns(() => sink.onClosed(error)),
    };
  };
  return {
    get revision() {
      return store.revision;
    },
    range: (query) => store.range(query),
    txn: (txn) => store.txn(txn),
    watch(query, sink) {
      let over = false;
      const { onBatch, onClosed } = late(sink);
      const watch = store.watch(query, {
        onBatch: (batch) => over || onBatch(batch),
        onClosed: (error) => over || onClosed(error),
      });
      return {
        requestProgress: () => watch.requestProgress(),
        [Symbol.dispose]() {
          over = true;
          watch[Symbol.dispose]();
        },
      };
    },
    compact: (revision) => store.compact(revision),
    grantLease: (ttlSeconds, id) => store.grantLease(ttlSeconds, id),
    keepLeaseAlive: (id) => store.keepLeaseAlive(id),
    revokeLease: (id) => store.revokeLease(id),
    leaseStatus: (id) => store.leaseStatus(id),
    leases: () => store.leases(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
