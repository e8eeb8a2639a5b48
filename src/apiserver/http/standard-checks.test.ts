import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createMemoryStore } from "#store/memory.ts";
import type { Store } from "#store/store.ts";
import { standardChecks } from "./standard-checks.ts";

test("a store that does not answer fails the etcd check after two seconds", async () => {
  const clock = createVirtualClock();
  await using memory = createMemoryStore({ clock });
  let range: Store["range"] = (query) => memory.range(query);
  const store = { range: (query: Parameters<Store["range"]>[0]) => range(query) } as Store;
  const { livez } = standardChecks(store, { clock, bootstrapped: () => true, stopping: () => false });
  const etcd = livez.find(({ name }) => name === "etcd") ?? assert.fail("no etcd check");
  assert.equal(await etcd.check(), undefined);
  range = () => new Promise(() => undefined);
  const late = etcd.check();
  await clock.advance(2_000);
  assert.equal(await late, "error getting data from etcd: context deadline exceeded");
});
