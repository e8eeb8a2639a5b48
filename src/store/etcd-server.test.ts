import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/os/clock.ts";
import { systemFiles } from "#base/os/files.ts";
import { systemProcesses } from "#base/os/processes.ts";
import { systemRandom } from "#base/os/random.ts";
import { openDurableStore } from "./durable.ts";
import { openEtcdStore } from "./etcd-client.ts";
import { serveEtcd, type EtcdServer } from "./etcd-server.ts";
import { createMemoryStore, type MemoryStore } from "./memory.ts";
import { restoreSnapshot } from "./store-admin.ts";
import { putOp, runStoreTests } from "./store-contract.ts";
import type { RangeResult } from "./store.ts";
import { etcdMissing, startEtcd } from "./testing/etcd-process.ts";

runStoreTests({
  name: "etcd's face on memory",
  async open() {
    const backing = createMemoryStore({ clock: systemClock });
    const server = await serveEtcd({
      store: backing,
      clock: systemClock,
      host: "127.0.0.1",
      port: 0,
    });
    const store = await openEtcdStore({ endpoints: [server.endpoint], clock: systemClock });
    return {
      store,
      passSeconds: (seconds) => systemClock.sleep(seconds * 1000),
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
        await backing[Symbol.asyncDispose]();
      },
    };
  },
  modelRuns: 20,
  skip: [{ reason: "values come over the wire", tests: ["values are shared, never copied"] }],
});

const environment = { ETCDCTL_API: "3" };
const missing = await etcdctlMissing();

async function etcdctlMissing(): Promise<string | false> {
  try {
    const { code } = await systemProcesses.run("etcdctl", ["version"], { env: environment });
    return code === 0 ? false : "etcdctl does not run";
  } catch {
    return "no etcdctl binary";
  }
}

interface Etcdctl {
  readonly store: MemoryStore;
  readonly server: EtcdServer;
  /** Runs etcdctl with words separated by blanks; returns what it printed. */
  run(command: string, input?: string): Promise<string>;
}

function testEtcdctl(name: string, run: (etcdctl: Etcdctl) => Promise<void>): void {
  test(`etcdctl: ${name}`, { skip: missing }, async () => {
    await using store = createMemoryStore({ clock: systemClock });
    const options = { store, clock: systemClock, host: "127.0.0.1", port: 0 };
    await using server = await serveEtcd(options);
    await run({
      store,
      server,
      async run(command, input) {
        // Without a scheme: etcdctl 3.4 sends what it is given as the authority, which HTTP/2 forbids.
        const args = ["--endpoints", `127.0.0.1:${server.port}`, ...command.split(" ")];
        const options = { env: environment, ...(input === undefined ? {} : { input }) };
        const { code, stdout, stderr } = await systemProcesses.run("etcdctl", args, options);
        return code === 0 ? stdout.trim() : `exit ${code}: ${stderr.trim()}`;
      },
    });
  });
}

testEtcdctl("put, get, del", async ({ run }) => {
  assert.equal(await run("put a 1"), "OK");
  assert.equal(await run("put b 2"), "OK");
  assert.equal(await run("get a"), "a\n1");
  assert.equal(await run("get --prefix --print-value-only --order DESCEND --sort-by KEY ."), "");
  assert.equal(await run("get --from-key --keys-only a"), "a\n\nb");
  assert.equal(await run("put --prev-kv a 3"), "OK\na\n1");
  assert.equal(await run("get --rev 2 a"), "a\n1");
  assert.equal(await run("get --from-key --order DESCEND --sort-by VALUE --limit 1 a"), "a\n3");
  assert.equal(await run("put --ignore-lease --lease 0 a 4"), "OK");
  assert.equal(await run("put --ignore-value a"), "OK");
  assert.equal(await run("get a"), "a\n4");
  assert.match(await run("put --ignore-value none"), /key not found/);
  assert.match(await run("get --rev 99 a"), /required revision is a future revision/);
  assert.equal(await run("del --prev-kv b"), "1\nb\n2");
  assert.equal(await run("del --from-key a"), "1");
});

testEtcdctl("txn", async ({ run }) => {
  await run("put a 1");
  const answer = await run(
    "txn",
    'value("a") = "1"\nmod("b") = "0"\n\nput a 2\nget a\n\nget a\n\n',
  );
  assert.equal(answer, "SUCCESS\n\nOK\n\na\n2");
  assert.match(await run("txn", 'version("a") > "5"\n\ndel a\n\nget a\n\n'), /FAILURE\n\na\n2/);
});

testEtcdctl(
  "watch, from a revision, with the state before, and compaction",
  async ({ run, server }) => {
    for (const text of ["1", "2", "3"]) await run(`put a ${text}`);
    await run("del a");
    const args = ["--endpoints", server.endpoint, "watch", "--prev-kv", "--rev", "3", "a"];
    await using child = systemProcesses.start("etcdctl", args, { env: environment });
    let printed = "";
    for await (const chunk of child.stdout) {
      printed += String(chunk);
      if (printed.includes("DELETE")) break;
    }
    assert.equal(printed.trim().replaceAll(/\n+/g, " "), "PUT a 1 a 2 PUT a 2 a 3 DELETE a 3 a");
    child.kill("SIGKILL");
    await child.exited;
    assert.equal(await run("compact 4"), "compacted revision 4");
    assert.match(await run("compact 4"), /required revision has been compacted/);
    assert.match(await run("watch --rev 2 a"), /required revision has been compacted/);
  },
);

testEtcdctl("lease", async ({ run, store }) => {
  const granted = await run("lease grant 60");
  const id =
    /^lease ([0-9a-f]+) granted with TTL\(60s\)$/.exec(granted)?.[1] ?? assert.fail(granted);
  assert.equal(await run(`put --lease ${id} a 1`), "OK");
  assert.match(
    await run(`lease timetolive --keys ${id}`),
    /granted with TTL\(60s\).*attached keys\(\[a\]\)/,
  );
  assert.match(await run(`lease keep-alive --once ${id}`), /keepalived with TTL\(60\)/);
  assert.match(await run("lease list"), new RegExp(id));
  assert.equal(await run(`lease revoke ${id}`), `lease ${id} revoked`);
  assert.equal((await store.range({ key: "a" })).count, 0);
  assert.match(await run(`lease revoke ${id}`), /requested lease not found/);
  assert.match(await run(`lease timetolive ${id}`), /already expired/);
});

testEtcdctl(
  "endpoint status and health, members, alarms, defragmentation",
  async ({ run, server }) => {
    await run("put a 1");
    assert.match(await run("endpoint status"), /3\.5\.\d+.*true/);
    // It reports on its standard error.
    assert.doesNotMatch(await run("endpoint health"), /exit/);
    assert.match(await run("endpoint hashkv"), new RegExp(`${server.port}, \\d+`));
    assert.match(await run("member list"), /started, default/);
    assert.equal(await run("alarm list"), "");
    assert.match(await run("defrag"), /Finished defragmenting/);
    assert.match(await run("user list"), /authentication is not enabled/);
  },
);

testEtcdctl("a snapshot that etcd itself restores and serves", async ({ run, store }) => {
  const directory = await mkdtemp(join(tmpdir(), "kubets-snapshot-"));
  try {
    const lease = await store.grantLease(3600);
    for (let i = 0; i < 3000; i++) {
      const text = `value-${i}`.padEnd(i % 100 === 0 ? 9000 : 50, ".");
      await store.txn({ compare: [], success: [putOp(`/registry/k${i % 2500}`, text)] });
    }
    const twins = ["/registry/x", "/registry/y"].map((key) => putOp(key, "twin", lease));
    const { revision } = await store.txn({ compare: [], success: twins });
    const path = join(directory, "snapshot.db");
    await run(`snapshot save ${path}`);
    assert.equal((await readFile(path)).length % 512, 32);
    const [, snapshotRevision, keys] = (await run(`snapshot status ${path}`)).split(", ");
    assert.deepEqual([snapshotRevision, keys], [String(revision), "2507"]);
    const data = join(directory, "data");
    assert.doesNotMatch(await run(`snapshot restore ${path} --data-dir ${data}`), /exit/);
    await assertServed(data, store);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

/** Starts etcd on the restored data and compares it with the store. */
async function assertServed(data: string, store: MemoryStore): Promise<void> {
  if ((await etcdMissing()) !== false) return;
  await using cluster = await startEtcd({ size: 1, dataDirectory: data });
  const { endpoints } = cluster;
  await using served = await openEtcdStore({ endpoints, clock: systemClock });
  const all = { key: "\0", end: "\0" };
  const [expected, found] = [await store.range(all), await served.range(all)];
  assert.equal(found.revision, expected.revision);
  const plain = (entries: typeof found.entries): unknown[] =>
    entries.map((kv) => ({ ...kv, value: Buffer.from(kv.value).toString("hex") }));
  assert.deepEqual(plain(found.entries), plain(expected.entries));
  assert.deepEqual(await served.leases(), await store.leases());
}

test(
  "a snapshot of etcd is restored here",
  { skip: missing || (await etcdMissing()) },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "kubets-migrate-"));
    try {
      await using cluster = await startEtcd({ size: 1 });
      const { endpoints } = cluster;
      await using source = await openEtcdStore({ endpoints, clock: systemClock });
      const lease = await source.grantLease(3600);
      for (let i = 0; i < 2000; i++) {
        const [key, text] = [
          `/registry/k${i % 500}`,
          `${i}`.padEnd(i % 70 === 0 ? 6000 : 100, "."),
        ];
        const put = putOp(key, text, i % 9 === 0 ? lease : 0n);
        const op = i % 11 === 0 ? ({ op: "delete", key } as const) : put;
        await source.txn({ compare: [], success: [op] });
      }
      await source.compact(source.revision - 500);
      const snapshotPath = join(directory, "etcd.db");
      const args = ["--endpoints", endpoints[0] ?? "", "snapshot", "save", snapshotPath];
      const { code, stderr } = await systemProcesses.run("etcdctl", args, { env: environment });
      assert.equal(code, 0, stderr);

      const target = join(directory, "store");
      const files = systemFiles;
      const revision = await restoreSnapshot({
        files,
        snapshotPath,
        directory: target,
        revisionBump: 0,
      });
      assert.equal(revision, source.revision);
      const ports = { files, clock: systemClock, random: systemRandom };
      await using restored = await openDurableStore({ ...ports, directory: target });
      const all = { key: "\0", end: "\0" };
      const plain = ({ entries }: RangeResult): unknown[] =>
        entries.map((kv) => ({ ...kv, value: Buffer.from(kv.value).toString() }));
      assert.deepEqual(plain(await restored.range(all)), plain(await source.range(all)));
      assert.deepEqual(await restored.leases(), [lease]);
      await restored.revokeLease(lease);
      assert.ok((await restored.range(all)).count < (await source.range(all)).count);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
);
