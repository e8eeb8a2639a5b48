import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemClock } from "#base/os/clock.ts";
import { systemProcesses } from "#base/os/processes.ts";
import { answersProgress, openEtcdStore } from "./etcd-client.ts";
import { openReplica } from "./replica.ts";
import { Collector, putOp, runStoreTests, shown } from "./store-contract.ts";
import { CompactedError, StoreUnavailableError, type Store, type TxnResult } from "./store.ts";
import { etcdMissing, startEtcd, type EtcdCluster } from "./testing/etcd-process.ts";
import { startTcpProxy } from "./testing/tcp-proxy.ts";

const missing = await etcdMissing();
const single = missing === false ? await startEtcd({ size: 1 }) : undefined;
after(async () => single?.[Symbol.asyncDispose]());

/** Shorter than usual: many tests wait for it. */
const callTimeoutMs = 2_000;

async function openReplicaOf(cluster: EtcdCluster): Promise<Store> {
  const remote = await openStore(cluster);
  return openReplica({ remote, clock: systemClock, prefix: "/contract/" });
}

async function openStore(cluster: EtcdCluster): Promise<Store> {
  const { endpoints } = cluster;
  // The members may only just have been started: this waits for them as long as usual.
  await using _ready = await openEtcdStore({ endpoints, clock: systemClock });
  return openEtcdStore({ endpoints, clock: systemClock, callTimeoutMs });
}

for (const [name, open, ofTheWire] of [
  ["etcd", openStore, ["values are shared, never copied"]],
  ["a replica of etcd", openReplicaOf, []],
] as const) {
  runStoreTests({
    name,
    skipAll: missing,
    async open() {
      assert.ok(single !== undefined);
      const store = await open(single);
      return {
        store,
        passSeconds: (seconds) => systemClock.sleep(seconds * 1000),
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      };
    },
    modelRuns: 20,
    skip: [
      { reason: "the member is shared by all tests", tests: ["an empty store is at revision 1"] },
      { reason: "values come over the wire", tests: ofTheWire },
    ],
  });
}

test("progress is asked only of versions that answer it soundly", () => {
  const rows: [string, boolean][] = [
    ["3.4.23", false],
    ["3.4.25", true],
    ["3.5.7", false],
    ["3.5.8", true],
    ["3.6.0", true],
    ["3.3.1", false],
    ["4.0.0", true],
  ];
  for (const [version, expected] of rows) assert.equal(answersProgress(version), expected, version);
});

test("no member that answers makes opening fail", async () => {
  const options = { endpoints: ["127.0.0.1:1"], clock: systemClock, callTimeoutMs: 500 };
  await assert.rejects(openEtcdStore(options), StoreUnavailableError);
});

function put(store: Store, key: string, text: string): Promise<TxnResult> {
  return store.txn({ compare: [], success: [putOp(key, text)] });
}

/** Writes until the store has taken it: an error may mean that it has. */
async function putSurely(store: Store, key: string, text: string): Promise<void> {
  for (;;) {
    try {
      await put(store, key, text);
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }
}

/** Values in the order in which a watch saw them, each once. */
function valuesSeen(watch: Collector): string[] {
  const events = watch.batches.flatMap((batch) => batch.events);
  return events.map((event) => Buffer.from(event.kv.value).toString());
}

test(
  "a member killed and returning: watches go on, nothing missed or doubled",
  { skip: missing },
  async () => {
    await using cluster = await startEtcd({ size: 1 });
    const [member] = cluster.members;
    assert.ok(member !== undefined);
    await using store = await openStore(cluster);
    const { revision } = await put(store, "a", "before");
    using watch = new Collector(store, { key: "a", startRevision: revision });
    using idle = new Collector(store, { key: "idle", startRevision: revision + 1 });
    await watch.until(() => valuesSeen(watch).length === 1);
    await member.kill();
    await assert.rejects(put(store, "a", "refused"), StoreUnavailableError);
    member.start();
    await putSurely(store, "a", "after");
    await putSurely(store, "idle", "at last");
    await watch.until(() => valuesSeen(watch).includes("after"));
    await idle.until(() => valuesSeen(idle).length > 0);
    const revisions = watch.batches.flatMap((b) => b.events.map((event) => event.kv.modRevision));
    assert.deepEqual(
      revisions,
      [...new Set(revisions)].toSorted((x, y) => x - y),
    );
    assert.equal(watch.closed, undefined);
    const { entries } = await store.range({ key: "a" });
    assert.equal(entries[0]?.modRevision, revisions.at(-1));
  },
);

test(
  "compaction while a watch is cut off ends it with CompactedError",
  { skip: missing },
  async () => {
    await using cluster = await startEtcd({ size: 1 });
    await using proxy = await startTcpProxy(cluster.endpoints[0] ?? "");
    await using store = await openEtcdStore({ endpoints: [proxy.address], clock: systemClock });
    await using other = await openStore(cluster);
    const { revision } = await put(store, "a", "0");
    using watch = new Collector(store, { key: "a", startRevision: revision });
    using ahead = new Collector(store, { key: "a", startRevision: revision + 100 });
    await watch.until(() => valuesSeen(watch).length === 1);
    proxy.set("cut");
    for (let i = 0; i < 5; i++) await put(other, "a", `unseen ${i}`);
    await other.compact(other.revision);
    proxy.set("pass");
    await watch.until(() => watch.closed !== undefined);
    assert.ok(watch.closed instanceof CompactedError);
    assert.equal(watch.closed.compactRevision, revision + 5);
    assert.deepEqual(valuesSeen(watch), ["0"]);
    assert.equal(ahead.closed, undefined);
  },
);

test(
  "a connection that is cut again and again: watches miss and double nothing",
  { skip: missing },
  async () => {
    await using cluster = await startEtcd({ size: 1 });
    await using proxy = await startTcpProxy(cluster.endpoints[0] ?? "");
    await using store = await openEtcdStore({ endpoints: [proxy.address], clock: systemClock });
    await using other = await openStore(cluster);
    const { revision } = await put(other, "n", "start");
    using watch = new Collector(store, { key: "n", startRevision: revision + 1 });
    const expected: string[] = [];
    for (let i = 0; i < 200; i++) {
      await put(other, "n", String(i));
      expected.push(String(i));
      if (i % 20 === 10) proxy.set("cut");
      if (i % 20 === 15) proxy.set("pass");
    }
    await watch.until(() => valuesSeen(watch).length >= 200);
    assert.deepEqual(valuesSeen(watch), expected);
  },
);

test("a member that hangs is left for another", { skip: missing }, async () => {
  await using cluster = await startEtcd({ size: 3 });
  const [first = "", second = ""] = cluster.endpoints;
  await using proxy = await startTcpProxy(first);
  const endpoints = [proxy.address, second];
  await using store = await openEtcdStore({ endpoints, clock: systemClock });
  await putSurely(store, "a", "1");
  proxy.set("hang");
  assert.deepEqual(shown((await store.range({ key: "a" })).entries, ""), ["a=1"]);
  await put(store, "a", "2");
  assert.deepEqual(shown((await store.range({ key: "a" })).entries, ""), ["a=2"]);
});

test("a replica whose member hangs goes on with another", { skip: missing }, async () => {
  await using cluster = await startEtcd({ size: 3 });
  const [first = "", second = ""] = cluster.endpoints;
  await using proxy = await startTcpProxy(first);
  await using spare = await startTcpProxy(second);
  await using other = await openStore(cluster);
  await putSurely(other, "/r/a", "0");
  spare.set("cut");
  const endpoints = [proxy.address, spare.address];
  const remote = await openEtcdStore({ endpoints, clock: systemClock });
  await using replica = await openReplica({ remote, clock: systemClock, prefix: "/r/" });
  using watch = new Collector(replica, { key: "/r/a", startRevision: replica.revision + 1 });
  spare.set("pass");
  proxy.set("hang");
  await putSurely(other, "/r/a", "1");
  assert.deepEqual(shown((await replica.range({ key: "/r/a" })).entries, "/r/"), ["a=1"]);
  await watch.until(() => valuesSeen(watch).includes("1"));
  await put(replica, "/r/a", "2");
  assert.deepEqual(shown((await replica.range({ key: "/r/a", notOlderThan: 0 })).entries, "/r/"), ["a=2"]);
});

test(
  "all members restarted at once: the store and its watches go on",
  { skip: missing },
  async () => {
    await using cluster = await startEtcd({ size: 3 });
    await using store = await openStore(cluster);
    const { revision } = await put(store, "n", "0");
    using watch = new Collector(store, { key: "n", startRevision: revision });
    await Promise.all(cluster.members.map((member) => member.kill()));
    await assert.rejects(put(store, "n", "refused"), StoreUnavailableError);
    for (const member of cluster.members) member.start();
    await putSurely(store, "n", "1");
    await watch.until(() => valuesSeen(watch).includes("1"));
    assert.deepEqual([...new Set(valuesSeen(watch))], ["0", "1"]);
  },
);

test("three members: any one may die, reads and writes fail over", { skip: missing }, async () => {
  await using cluster = await startEtcd({ size: 3 });
  await using store = await openStore(cluster);
  await using onTwo = await openEtcdStore({
    endpoints: cluster.endpoints.slice(1),
    clock: systemClock,
  });
  const { revision } = await put(store, "n", "start");
  using watch = new Collector(store, { key: "n", startRevision: revision + 1 });
  using other = new Collector(onTwo, { key: "n", startRevision: revision + 1 });
  const written: string[] = [];
  for (const [round, member] of cluster.members.entries()) {
    await member.kill();
    for (let i = 0; i < 10; i++) {
      const text = `${round}-${i}`;
      await putSurely(store, "n", text);
      written.push(text);
    }
    assert.deepEqual(shown((await store.range({ key: "n" })).entries, ""), [`n=${written.at(-1)}`]);
    member.start();
    await putSurely(onTwo, "other", String(round));
  }
  const last = written.at(-1) ?? "";
  for (const each of [watch, other]) {
    await each.until(() => valuesSeen(each).includes(last));
    // A write whose answer was lost may be there twice, but each revision comes once, in order.
    assert.deepEqual([...new Set(valuesSeen(each))], written);
    const revisions = each.batches.flatMap((b) => b.events.map((event) => event.kv.modRevision));
    assert.deepEqual(
      revisions,
      [...new Set(revisions)].toSorted((x, y) => x - y),
    );
  }
});

test("TLS with client certificates", { skip: missing }, async () => {
  const directory = await mkdtemp(join(tmpdir(), "kubets-etcd-tls-"));
  try {
    const tls = await makeCertificates(directory);
    await using cluster = await startEtcd({ size: 1, tls });
    const [ca, cert, key] = await Promise.all(
      [tls.ca, tls.cert, tls.key].map((path) => readFile(path)),
    );
    assert.ok(ca !== undefined && cert !== undefined && key !== undefined);
    const { endpoints } = cluster;
    await using store = await openEtcdStore({
      endpoints,
      tls: { ca, cert, key },
      clock: systemClock,
    });
    await put(store, "a", "secret");
    assert.deepEqual(shown((await store.range({ key: "a" })).entries, ""), ["a=secret"]);
    await assert.rejects(
      openEtcdStore({ endpoints, tls: { ca }, clock: systemClock, callTimeoutMs }),
      StoreUnavailableError,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

/** A self-signed certificate that is its own authority, for server and client. */
async function makeCertificates(
  directory: string,
): Promise<{ ca: string; cert: string; key: string }> {
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const { code, stderr } = await systemProcesses.run(
    "openssl",
    [
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1".split(" "),
      ["-subj", "/CN=etcd", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
    ].flat(),
  );
  assert.equal(code, 0, stderr);
  return { ca: cert, cert, key };
}
