import assert from "node:assert/strict";
import { test } from "node:test";
import { isStatusError } from "#apimachinery/status.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createMemoryStore } from "#store/memory.ts";
import { openReplica } from "#store/replica.ts";
import { portClaims } from "./port-claims.ts";

async function setUp() {
  const clock = createVirtualClock();
  const remote = createMemoryStore({ clock });
  const open = async () => {
    const claims = portClaims(await openReplica({ remote, clock, prefix: "/registry/" }), clock);
    assert.ok(claims !== undefined);
    return claims;
  };
  return { clock, remote, mine: await open(), theirs: await open() };
}

test("a port that one server gives out, no other takes until it is released", async () => {
  const { mine, theirs } = await setUp();
  assert.deepEqual(await mine.take([30_001, 30_002]), []);
  assert.deepEqual(await theirs.take([30_000, 30_002]), [30_002]);
  // None of them was taken.
  assert.deepEqual(await mine.take([30_000]), []);
  await mine.release([30_001, 30_002]);
  assert.deepEqual(await theirs.take([30_002]), []);
});

test("claims of a server that died end by themselves", async () => {
  const { clock, mine, theirs } = await setUp();
  await mine.take([30_001]);
  await clock.advance(70_000);
  assert.deepEqual(await theirs.take([30_001]), []);
});

test("an embedded store needs none; one that is away makes the request fail", async () => {
  const { clock, remote, mine } = await setUp();
  assert.equal(portClaims(remote, clock), undefined);
  await remote[Symbol.asyncDispose]();
  await assert.rejects(mine.take([30_001]), (error) => isStatusError(error) && error.status.code === 503);
});
