import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createMemoryStore } from "./memory.ts";
import type { Watch, WatchBatch } from "./store.ts";

interface Watching {
  readonly key: string;
  readonly end: string | undefined;
  readonly seen: string[];
  readonly expected: string[];
  watch: Watch | undefined;
}

const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
const step = fc.oneof(
  fc.record({ watch: key, end: fc.option(fc.oneof(key, fc.constant("\0")), { nil: undefined }) }),
  fc.record({ drop: fc.nat(20) }),
  fc.record({ put: fc.uniqueArray(key, { minLength: 1, maxLength: 3 }) }),
  fc.record({ put: fc.uniqueArray(key, { minLength: 1, maxLength: 1 }) }),
);

function covers({ key: from, end }: Watching, at: string): boolean {
  return end === undefined ? at === from : at >= from && (end === "\0" || at < end);
}

test("watches that come and go in any order get exactly what is theirs", async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
    await using store = createMemoryStore({ clock: createVirtualClock() });
    const watching: Watching[] = [];
    for (const each of steps) {
      if ("watch" in each) {
        const entry: Watching = {
          key: each.watch,
          end: each.end,
          seen: [],
          expected: [],
          watch: undefined,
        };
        const onBatch = ({ revision, events }: WatchBatch): void => {
          entry.seen.push(`${revision}: ${events.map((event) => event.kv.key).join()}`);
        };
        const range =
          each.end === undefined ? { key: each.watch } : { key: each.watch, end: each.end };
        entry.watch = store.watch(range, { onBatch, onClosed: () => {} });
        watching.push(entry);
      } else if ("drop" in each) {
        const entry = watching[each.drop];
        entry?.watch?.[Symbol.dispose]();
        if (entry !== undefined) entry.watch = undefined;
      } else {
        const success = each.put.map(
          (at) => ({ op: "put", key: at, value: Buffer.alloc(1) }) as const,
        );
        const { revision } = await store.txn({ compare: [], success });
        for (const entry of watching) {
          const keys = each.put.filter((at) => covers(entry, at));
          if (entry.watch !== undefined && keys.length > 0) {
            entry.expected.push(`${revision}: ${keys.join()}`);
          }
        }
      }
    }
    await Promise.resolve();
    for (const { seen, expected } of watching) assert.deepEqual(seen, expected);
  });
  await fc.assert(property, { numRuns: 300 });
});

test("a sink may end its own and other watches while a revision is delivered", async () => {
  await using store = createMemoryStore({ clock: createVirtualClock() });
  const range = { key: "a", end: "b" };
  const seen: string[] = [];
  const onClosed = (): void => {};
  const first = store.watch(range, {
    onBatch: () => {
      seen.push("first");
      first[Symbol.dispose]();
      second[Symbol.dispose]();
    },
    onClosed,
  });
  const second = store.watch(range, { onBatch: () => seen.push("second"), onClosed });
  store.watch(range, { onBatch: () => seen.push("third"), onClosed });
  await Promise.resolve();
  const op = { op: "put", key: "a", value: Buffer.alloc(1) } as const;
  await store.txn({ compare: [], success: [op] });
  await store.txn({ compare: [], success: [op] });
  assert.deepEqual(seen, ["first", "third", "third"]);
});
