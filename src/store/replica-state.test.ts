import assert from "node:assert/strict";
import { test } from "node:test";
import { nextTurn } from "#base/os/turn.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createMemoryStore } from "./memory.ts";
import { ReplicaState } from "./replica-state.ts";
import { CompactedError } from "./store.ts";

test("history goes in many turns, and is out of reach at once", async () => {
  const clock = createVirtualClock();
  await using remote = createMemoryStore({ clock });
  const { state } = await ReplicaState.load(remote, { prefix: "/r/", clock });
  using _state = state;
  const count = 7000;
  for (let i = 1; i <= count; i++) {
    const kv = { key: "/r/a", value: Buffer.from("x"), lease: 0n, createRevision: 2, modRevision: i + 1, version: i };
    assert.equal(state.apply(i + 1, [kv]), true);
  }
  assert.equal(state.stats().historyBytes, count - 1);
  state.forget(6001);
  state.forget(6501);
  const { oldestRevision, historyBytes } = state.stats();
  assert.equal(oldestRevision, 6502);
  assert.ok(historyBytes > 4000, `${historyBytes} bytes are left after one turn`);
  assert.throws(() => state.range({ key: "/r/a", revision: 6500 }), CompactedError);
  assert.equal(state.range({ key: "/r/a", revision: 6501 }).entries[0]?.version, 6500);
  while (state.stats().historyBytes > 500) await nextTurn();
  assert.equal(state.stats().historyBytes, 500);
  assert.equal(state.range({ key: "/r/a", revision: 6501 }).entries[0]?.version, 6500);
});
