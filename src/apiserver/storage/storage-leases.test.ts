import assert from "node:assert/strict";
import { test } from "node:test";
import { events } from "#api/core/v1/event.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createMemoryStore } from "#store/memory.ts";
import { ResourceStorage } from "./storage.ts";

const options = { dryRun: false, ttlSeconds: 3600 };

function event(name: string): object {
  return { metadata: { namespace: "default", name }, involvedObject: {} };
}

test("Events written in one minute share a lease and end with it", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock });
  const storage = new ResourceStorage({ store, clock, definition: events as ResourceDefinition });
  const key = (name: string): string => storage.keyOf("default", name);
  await storage.create(key("a"), event("a"), options);
  await clock.advance(30_000);
  await storage.create(key("b"), event("b"), options);
  assert.equal((await store.leases()).length, 1);
  await clock.advance(60_000);
  await storage.create(key("c"), event("c"), options);
  assert.equal((await store.leases()).length, 2);
  // The first lease was for 3600 s and the minute in which it is given away.
  await clock.advance(3_571_000);
  assert.equal(await storage.find(key("a")), undefined);
  assert.equal(await storage.find(key("b")), undefined);
  assert.ok(await storage.find(key("c")));
});

test("a lease that somebody revoked is replaced", async () => {
  const clock = createVirtualClock();
  await using store = createMemoryStore({ clock });
  const storage = new ResourceStorage({ store, clock, definition: events as ResourceDefinition });
  await storage.create(storage.keyOf("default", "a"), event("a"), options);
  for (const lease of await store.leases()) await store.revokeLease(lease);
  await storage.create(storage.keyOf("default", "b"), event("b"), options);
  assert.equal((await storage.find(storage.keyOf("default", "b")))?.kv.version, 1);
});
