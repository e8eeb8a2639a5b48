import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#apimachinery/object.ts";
import { failure, expired } from "#apimachinery/status.ts";
import { Lifetime } from "#base/lifetime.ts";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createFakeApi } from "#testing/fake-api.ts";
import { createClient, type ResourceTarget } from "./client.ts";
import { createInformers } from "./informer-factory.ts";
import { type Informer, startInformer } from "./informer.ts";
import type { Selection } from "./reflector.ts";

const configMaps: ResourceTarget = {
  group: "",
  version: "v1",
  plural: "configmaps",
  kind: "ConfigMap",
  scope: "Namespaced",
};

function configMap(name: string, labels: Record<string, string> = {}): KubeObject {
  return { kind: "ConfigMap", apiVersion: "v1", metadata: { namespace: "ns", name, labels } };
}

function setUp() {
  const clock = createVirtualClock();
  const random = createVirtualRandom(1);
  const api = createFakeApi({ clock, random });
  const lifetime = new Lifetime("test");
  const client = createClient({ transport: api.transport });
  const ports = { clock, random, log: silentLogger, lifetime };
  const start = (selection: Selection = {}): Informer<KubeObject> =>
    startInformer({ ...ports, client: client.dynamic(configMaps), selection });
  return { clock, api, lifetime, client, ports, start };
}

/** Notes what handlers hear as `+name v`, `~name v<-old`, `-name v`, with `!` for a missed deletion. */
function listen(informer: Informer<KubeObject>) {
  const heard: string[] = [];
  const of = (object: KubeObject): string =>
    `${object.metadata?.name} ${JSON.stringify(object.metadata?.labels?.["v"] ?? "")}`;
  const subscription = informer.subscribe({
    onAdd: (object, { initial }) => heard.push(`${initial ? "=" : "+"}${of(object)}`),
    onUpdate: (object, old) =>
      heard.push(`~${of(object)}<-${JSON.stringify(old.metadata?.labels?.["v"] ?? "")}`),
    onDelete: (object, { missed }) => heard.push(`-${of(object)}${missed ? "!" : ""}`),
  });
  return { heard, take: () => heard.splice(0), subscription };
}

test("a handler hears add, updates and delete of each object, with the state before", async () => {
  const { api, clock, start } = setUp();
  api.seed(configMaps, configMap("a", { v: "1" }));
  const informer = start();
  const { take } = listen(informer);
  assert.equal(informer.hasSynced, false);
  await informer.synced();
  assert.equal(informer.hasSynced, true);
  assert.deepEqual(take(), ['=a "1"']);
  api.seed(configMaps, {
    ...configMap("a", { v: "2" }),
    metadata: { ...api.get(configMaps, "ns/a")?.metadata, labels: { v: "2" } },
  });
  api.seed(configMaps, configMap("b"));
  api.remove(configMaps, "ns/a");
  await clock.settle();
  assert.deepEqual(take(), ['~a "2"<-"1"', '+b ""', '-a "2"']);
});

test("the lister shows a state before handlers hear of it", async () => {
  const { api, clock, start } = setUp();
  const informer = start();
  const seen: boolean[] = [];
  informer.subscribe({
    onAdd: (object) => seen.push(informer.lister.get("ns/a") === object),
    onDelete: () => seen.push(informer.lister.get("ns/a") === undefined),
  });
  await informer.synced();
  api.seed(configMaps, configMap("a"));
  api.remove(configMaps, "ns/a");
  await clock.settle();
  assert.deepEqual(seen, [true, true]);
});

test("a late handler hears adds for what is there before anything else", async () => {
  const { api, start } = setUp();
  api.seed(configMaps, configMap("a"));
  const informer = start();
  await informer.synced();
  const { take, subscription } = listen(informer);
  assert.deepEqual(take(), ['=a ""']);
  subscription[Symbol.dispose]();
  api.remove(configMaps, "ns/a");
  assert.deepEqual(take(), []);
});

test("an object made again under its name is a delete and an add", async () => {
  const { api, clock, start } = setUp();
  api.seed(configMaps, configMap("a", { v: "1" }));
  const informer = start();
  await informer.synced();
  const { take } = listen(informer);
  take();
  api.disconnect();
  api.remove(configMaps, "ns/a");
  api.seed(configMaps, configMap("a", { v: "2" }));
  api.compact();
  await clock.advance(60_000);
  assert.deepEqual(take(), ['-a "1"!', '+a "2"']);
});

test("a lost history leads to a relist that tells only differences", async () => {
  const { api, clock, start } = setUp();
  for (const name of ["a", "b"]) api.seed(configMaps, configMap(name));
  const informer = start();
  await informer.synced();
  const { take } = listen(informer);
  take();
  api.disconnect(expired("too old"));
  api.remove(configMaps, "ns/b");
  api.seed(configMaps, configMap("c"));
  api.compact();
  await clock.advance(60_000);
  assert.deepEqual(take(), ['-b ""!', '+c ""']);
});

test("a broken stream resumes where it was, without a relist", async () => {
  const { api, clock, start } = setUp();
  const informer = start();
  await informer.synced();
  api.seed(configMaps, configMap("a"));
  await clock.advance(2000);
  const { take } = listen(informer);
  take();
  const before = api.requests.length;
  api.disconnect();
  api.seed(configMaps, configMap("b"));
  await clock.settle();
  assert.deepEqual(take(), ['+b ""']);
  const [request] = api.requests.slice(before);
  assert.equal(request?.options.sendInitialEvents, undefined);
  assert.equal(request?.options.resourceVersion, "2");
});

test("failures back off from 0.8 s to 30 s with jitter", async () => {
  const { api, clock, start } = setUp();
  api.intercept = () => failure("ServiceUnavailable", { message: "no" });
  start();
  const atMs: number[] = [];
  for (let i = 0; i < 9; i++) {
    const before = api.requests.length;
    await clock.settle();
    while (api.requests.length === before && (await clock.advanceToNext()));
    atMs.push(clock.monotonicMs());
  }
  const gaps = atMs.slice(1).map((at, i) => at - (atMs[i] ?? 0));
  for (const [i, gapMs] of gaps.entries()) {
    const baseMs = Math.min(30_000, 800 * 2 ** (i + 1));
    assert.ok(gapMs >= baseMs && gapMs <= 2 * baseMs, `gap ${i}: ${gapMs} of ${baseMs}`);
  }
});

test("a server without streamed lists is asked for a list", async () => {
  const { api, start } = setUp();
  api.seed(configMaps, configMap("a"));
  api.intercept = (request) =>
    request.options.sendInitialEvents
      ? failure("Invalid", { message: "sendInitialEvents" })
      : undefined;
  const informer = start();
  await informer.synced();
  assert.deepEqual(
    informer.lister.list().map((object) => object.metadata?.name),
    ["a"],
  );
  assert.deepEqual(
    api.requests.map(({ verb }) => verb),
    ["watch", "list", "watch"],
  );
});

test("a selector shows objects that enter and leave it as adds and deletes", async () => {
  const { api, clock, start } = setUp();
  const informer = start({ labelSelector: "v=1" });
  const { take } = listen(informer);
  await informer.synced();
  const stored = api.seed(configMaps, configMap("a", { v: "1" }));
  api.seed(configMaps, { ...stored, metadata: { ...stored.metadata, labels: { v: "2" } } });
  await clock.settle();
  assert.deepEqual(take(), ['+a "1"', '-a "2"']);
  assert.equal(informer.lister.size, 0);
});

test("a throwing handler keeps no other handler from hearing", async () => {
  const { api, clock, start } = setUp();
  const informer = start();
  informer.subscribe({
    onAdd() {
      throw new Error("boom");
    },
  });
  const { take } = listen(informer);
  await informer.synced();
  api.seed(configMaps, configMap("a"));
  await clock.settle();
  assert.deepEqual(take(), ['+a ""']);
});

test("whenReached calls once the cache shows the version", async () => {
  const { api, clock, start } = setUp();
  const informer = start();
  await informer.synced();
  const hold = api.holdEvents();
  const stored = api.seed(configMaps, configMap("a"));
  let reached = 0;
  informer.whenReached(stored.metadata?.resourceVersion ?? "", () => reached++);
  await clock.settle();
  assert.equal(reached, 0);
  hold[Symbol.dispose]();
  assert.equal(reached, 1);
  informer.whenReached(stored.metadata?.resourceVersion ?? "", () => reached++);
  assert.equal(reached, 2);
});

test("ending the lifetime ends watch, timers and calls", async () => {
  const { api, clock, lifetime, start } = setUp();
  const informer = start();
  const { take } = listen(informer);
  await informer.synced();
  await lifetime.end();
  api.seed(configMaps, configMap("a"));
  await clock.settle();
  assert.deepEqual(take(), []);
  assert.equal(clock.pendingCount, 0);
});

test("the factory shares one watch among all who ask for the same", async () => {
  const { api, client, ports, clock } = setUp();
  const informers = createInformers({ ...ports, client });
  const first = informers.dynamic(configMaps);
  assert.equal(informers.dynamic(configMaps), first);
  assert.notEqual(informers.dynamic(configMaps, { namespace: "ns" }), first);
  await informers.synced();
  assert.equal(api.requests.length, 2);
  informers.drop(configMaps);
  api.seed(configMaps, configMap("a"));
  await clock.settle();
  assert.equal(first.lister.size, 0);
  assert.notEqual(informers.dynamic(configMaps), first);
});
