import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { type Secret, secrets } from "#api/core/v1/secret.ts";
import { failure } from "#apimachinery/status.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import {
  type Context,
  defineController,
  done,
  type Outcome,
  sooner,
  TerminalError,
  watchOf,
} from "./controller.ts";
import { contentHash } from "./hash.ts";
import { owned } from "./owners.ts";

type Reconcile = (context: Context<ConfigMap, undefined>, attempt: number) => Promise<Outcome>;

const owner: ConfigMap = {
  kind: "ConfigMap",
  apiVersion: "v1",
  metadata: { namespace: "a", name: "o", uid: "u" },
};

function setUp(reconcile: Reconcile) {
  const atMs: number[] = [];
  const controller = defineController<ConfigMap>({
    name: "test-controller",
    for: configMaps,
    watches: [
      owned(configMaps, secrets),
      watchOf(secrets, {
        on: ["delete"],
        keys: ({ metadata }) => [`a/${metadata.labels?.["wakes"] ?? "none"}`],
      }),
    ],
    reconcile(context) {
      atMs.push(context.clock.monotonicMs());
      return reconcile(context, atMs.length);
    },
  });
  const world = startControllerWorld([controller]);
  world.seed(configMaps, owner);
  return { world, atMs };
}

function secret(name: string, extra: Partial<Secret["metadata"]> = {}): Secret {
  return { metadata: { namespace: "a", name, ...extra } };
}

test("a reconcile that throws is called again, ever later, until it succeeds", async () => {
  const { world, atMs } = setUp(async (_context, attempt) => {
    if (attempt < 4) throw new Error("not yet");
    return done;
  });
  await world.settle(10_000);
  assert.deepEqual(atMs, [0, 5, 15, 35]);
  assert.equal(world.errors.length, 3);
});

test("a TerminalError is told and not tried again", async () => {
  const { world, atMs } = setUp(async () => {
    throw new TerminalError("hopeless");
  });
  await world.settle(60_000);
  assert.deepEqual([atMs.length, world.errors.length], [1, 1]);
});

test("requeueAfterMs calls again at that time", async () => {
  const { world, atMs } = setUp(async (_context, attempt) =>
    attempt < 3 ? { requeueAfterMs: 500 } : done,
  );
  await world.settle(10_000);
  assert.deepEqual(atMs, [0, 500, 1000]);
});

test("children wake their owner, other sources the keys that they map to", async () => {
  const { world, atMs } = setUp(async () => done);
  await world.settle();
  const reference = { apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "u", controller: true };
  world.seed(secrets, secret("child", { ownerReferences: [reference] }));
  world.seed(secrets, secret("stranger", { ownerReferences: [{ ...reference, uid: "other" }] }));
  world.seed(secrets, secret("alarm", { labels: { wakes: "o" } }));
  await world.settle();
  assert.equal(atMs.length, 2);
  world.api.remove(secrets, "a/alarm");
  await world.settle();
  assert.equal(atMs.length, 3);
});

test("a key that wrote waits until the cache shows it, at most five minutes", async () => {
  const { world, atMs } = setUp(async (context, attempt) => {
    if (attempt === 1) await context.resource(secrets).create(secret("made"));
    return attempt < 3 ? { requeueAfterMs: 10 } : done;
  });
  const hold = world.api.holdEvents(secrets);
  await world.settle(299_000);
  assert.deepEqual(atMs, [0]);
  await world.settle(2_000);
  assert.equal(atMs.length, 3);
  hold[Symbol.dispose]();
});

test("conflicts are retried without noise", async () => {
  const { world, atMs } = setUp(async (_context, attempt) => {
    if (attempt === 1) throw failure("Conflict", { message: "modified" });
    return done;
  });
  await world.settle();
  assert.deepEqual([atMs.length, world.errors], [2, []]);
});

test("what has gone meanwhile is no failure, unless it is missing again", async () => {
  const { world, atMs } = setUp(async (context, attempt) => {
    if (attempt < 3) await context.resource(secrets).delete("a/gone");
    return done;
  });
  await world.settle();
  assert.deepEqual([atMs.length, world.errors.length], [3, 1]);
});

test("sooner picks the earlier wish", () => {
  assert.deepEqual(sooner(done, { requeueAfterMs: 5 }, { requeueAfterMs: 3 }), {
    requeueAfterMs: 3,
  });
  assert.deepEqual(sooner(done, done), {});
});

test("contentHash depends on content alone", () => {
  const hash = contentHash({ a: 1, b: { c: [1, 2] } });
  assert.equal(contentHash({ b: { c: [1, 2], d: undefined, e: "" }, a: 1 }), hash);
  assert.notEqual(contentHash({ a: 1, b: { c: [2, 1] } }), hash);
  assert.notEqual(contentHash({ a: 1, b: { c: [1, 2] } }, 1), hash);
});
