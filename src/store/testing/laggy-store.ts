/** A store whose watches fall behind its answers, as those of another process do. For tests. */
import type { Random } from "#base/random.ts";
import type { Store, WatchQuery, WatchSink } from "../store.ts";
import { wrapStore } from "../wrap-store.ts";

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
  return wrapStore(store, {
    watch(query: WatchQuery, sink: WatchSink) {
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
  });
}
