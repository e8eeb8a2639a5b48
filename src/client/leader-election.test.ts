import assert from "node:assert/strict";
import { test } from "node:test";
import { failure } from "#apimachinery/status.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createFakeApi } from "#testing/fake-api.ts";
import { createClient, type ResourceTarget } from "./client.ts";
import { startLeaderElection } from "./leader-election.ts";

const leases: ResourceTarget = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  scope: "Namespaced",
};

function setUp() {
  const clock = createVirtualClock();
  const api = createFakeApi({ clock, random: createVirtualRandom(1) });
  const leading = new Set<string>();
  const log: string[] = [];
  function join(identity: string, seed: number): Lifetime {
    const lifetime = new Lifetime(identity);
    startLeaderElection({
      client: createClient({ transport: api.transport, userAgent: identity }),
      clock,
      random: createVirtualRandom(seed),
      log: silentLogger,
      lifetime,
      namespace: "kube-system",
      name: "boss",
      identity,
      lead(term) {
        leading.add(identity);
        log.push(`+${identity}`);
        term.defer(() => {
          leading.delete(identity);
          log.push(`-${identity}`);
        });
      },
      lost: () => log.push(`lost ${identity}`),
    });
    return lifetime;
  }
  const spec = () =>
    (
      api.get(leases, "kube-system/boss") as
        | { spec?: { holderIdentity?: string; leaseTransitions?: number } }
        | undefined
    )?.spec;
  return { clock, api, leading, log, join, spec };
}

test("one of several leads, and keeps leading", async () => {
  const { clock, leading, join } = setUp();
  join("a", 1);
  await clock.settle();
  join("b", 2);
  for (let i = 0; i < 60; i++) {
    await clock.advance(1000);
    assert.deepEqual([...leading], ["a"]);
  }
});

test("a leader that ends hands over at once", async () => {
  const { clock, leading, join, spec } = setUp();
  const first = join("a", 1);
  await clock.settle();
  join("b", 2);
  await clock.advance(5000);
  await first.end();
  assert.equal(spec()?.holderIdentity, "");
  await clock.advance(5000);
  assert.deepEqual([...leading], ["b"]);
  assert.equal(spec()?.leaseTransitions, 1);
});

test("a leader that cannot renew stops before another may start", async () => {
  const { clock, api, leading, log, join } = setUp();
  join("a", 1);
  await clock.settle();
  join("b", 2);
  await clock.advance(5000);
  api.intercept = ({ userAgent }) =>
    userAgent === "a" ? failure("ServiceUnavailable", { message: "cut off" }) : undefined;
  for (let i = 0; i < 300; i++) {
    await clock.advance(100);
    assert.ok(leading.size <= 1, log.join(" "));
  }
  assert.deepEqual([...leading], ["b"]);
  assert.deepEqual(log, ["+a", "-a", "lost a", "+b"]);
});
