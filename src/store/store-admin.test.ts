import assert from "node:assert/strict";
import { test } from "node:test";
import { isIoError } from "#base/files.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles, type VirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { openDurableStore, type DurableStoreOptions } from "./durable.ts";
import {
  compactStore,
  listSnapshots,
  restoreSnapshot,
  revisionBumpDefault,
  saveSnapshot,
  snapshotStatus,
  StoreDamagedError,
  verifyStore,
} from "./store-admin.ts";
import { Collector, putOp, shown } from "./store-contract.ts";
import { CompactedError } from "./store.ts";

const clock = createVirtualClock();
const all = { key: "", end: "\0" };

function optionsOn(files: VirtualFiles, directory = "/data"): DurableStoreOptions {
  return { files, directory, clock, random: createVirtualRandom(1), segmentBytesMax: 4096 };
}

async function filled(files: VirtualFiles): Promise<void> {
  await using store = await openDurableStore(optionsOn(files));
  const lease = await store.grantLease(60);
  for (let i = 0; i < 200; i++) {
    const op = putOp(`k${i % 20}`, `value ${i}`.padEnd(100), i === 199 ? lease : 0n);
    await store.txn({ compare: [], success: [op] });
  }
  await store.compact(150);
}

test("verify counts a sound store, and refuses one that is open or damaged", async () => {
  const files = createVirtualFiles();
  await filled(files);
  const report = await verifyStore(files, "/data", clock);
  assert.deepEqual(
    [report.revision, report.compactRevision, report.keyCount, report.interrupted],
    [201, 150, 20, undefined],
  );
  const store = await openDurableStore(optionsOn(files));
  await assert.rejects(verifyStore(files, "/data", clock), (e) => isIoError(e, "EWOULDBLOCK"));
  await store[Symbol.asyncDispose]();
  const segment = (await files.list("/data")).find((name) => name.startsWith("wal-"));
  const path = `/data/${segment}`;
  await using handle = await files.open(path, { write: true });
  await handle.write(1000, [Buffer.from("damage")]);
  await assert.rejects(verifyStore(files, "/data", clock), (error) => {
    return error instanceof StoreDamagedError && error.path === path && error.offset <= 1000;
  });
});

test("verify tells the end of an interrupted write, and leaves it alone", async () => {
  const files = createVirtualFiles();
  await filled(files);
  const segment = (await files.list("/data")).findLast((name) => name.startsWith("wal-"));
  await files.append(`/data/${segment}`, "torn");
  const before = files.usedBytes;
  const { interrupted, revision } = await verifyStore(files, "/data", clock);
  assert.match(interrupted ?? "", /interrupted write.*wal-\d+/);
  assert.deepEqual([revision, files.usedBytes], [201, before]);
});

test("compact leaves the state alone, and little more on disk", async () => {
  const files = createVirtualFiles();
  await filled(files);
  const { beforeBytes, afterBytes } = await compactStore(optionsOn(files));
  assert.ok(afterBytes < beforeBytes / 3, `${afterBytes} of ${beforeBytes}`);
  assert.ok(files.usedBytes < afterBytes + 200, `${files.usedBytes} bytes`);
  const { revision, compactRevision, keyCount, segmentCount } = await verifyStore(
    files,
    "/data",
    clock,
  );
  assert.deepEqual([revision, compactRevision, keyCount, segmentCount], [201, 201, 20, 1]);
  await compactStore(optionsOn(files));
});

test("a snapshot is restored with a bumped revision, and watchers begin anew", async () => {
  const files = createVirtualFiles();
  await filled(files);
  const store = await openDurableStore(optionsOn(files));
  const saved = await saveSnapshot({ files, directory: "/data", clock, snapshotPath: "/snapshot" });
  await store.txn({ compare: [], success: [putOp("later", "x")] });
  const expected = shown((await store.range({ ...all, revision: saved })).entries, "");
  await store[Symbol.asyncDispose]();
  const status = await snapshotStatus(files, "/snapshot");
  assert.deepEqual([status.revision, status.keyCount], [201, 20]);

  const directory = "/restored";
  const revision = await restoreSnapshot({ files, snapshotPath: "/snapshot", directory });
  assert.equal(revision, 201 + revisionBumpDefault);
  await using restored = await openDurableStore(optionsOn(files, directory));
  assert.equal(restored.revision, revision);
  assert.deepEqual(shown((await restored.range(all)).entries, ""), expected);
  assert.equal((await restored.range({ key: "k19" })).entries[0]?.modRevision, 201);
  using watch = new Collector(restored, { ...all, startRevision: 202 });
  await watch.until(() => watch.closed !== undefined);
  assert.ok(watch.closed instanceof CompactedError);
  assert.equal((await restored.leases()).length, 1);
  const again = restoreSnapshot({ files, snapshotPath: "/snapshot", directory });
  await assert.rejects(again, /holds a store already/);
});

test("a store that is open and written to can be saved from outside", async () => {
  const files = createVirtualFiles();
  const options = { files, directory: "/data", clock, snapshotPath: "/saved" };
  const store = await openDurableStore(optionsOn(files));
  let written = 0;
  let writing = true;
  const writer = (async () => {
    while (writing) {
      const op = putOp(`k${written % 10}`, `${written}`.padEnd(100));
      const { revision } = await store.txn({ compare: [], success: [op] });
      if (++written % 40 === 0) await store.compact(revision - 10);
    }
  })();
  for (let i = 0; i < 20; i++) {
    const before = store.revision;
    const revision = await saveSnapshot(options);
    assert.ok(revision >= before, `${revision} after ${before}`);
    const status = await snapshotStatus(files, "/saved");
    assert.equal(status.revision, revision);
  }
  writing = false;
  await writer;
  assert.ok(written > 100, `${written}`);
  const expected = await store.range(all);
  assert.equal(await saveSnapshot(options), store.revision);
  await restoreSnapshot({ files, snapshotPath: "/saved", directory: "/copy", revisionBump: 0 });
  await using copy = await openDurableStore(optionsOn(files, "/copy"));
  assert.deepEqual(shown((await copy.range(all)).entries, ""), shown(expected.entries, ""));
  await store[Symbol.asyncDispose]();
});

test("a snapshot that is cut off or flipped is refused", async () => {
  const files = createVirtualFiles();
  await filled(files);
  const store = await openDurableStore(optionsOn(files));
  await saveSnapshot({ files, directory: "/data", clock, snapshotPath: "/snapshot" });
  await store[Symbol.asyncDispose]();
  const whole = await files.read("/snapshot");
  const flippedAt = (offset: number): Buffer => {
    const content = Buffer.from(whole);
    content[offset] = (content[offset] ?? 0) ^ 1;
    return content;
  };
  const damaged: [string, Uint8Array][] = [
    ["cut", whole.subarray(0, whole.length - 1)],
    ["empty", whole.subarray(0, 0)],
    ...Array.from({ length: 40 }, (_, i): [string, Buffer] => {
      const offset = Math.floor((i * (whole.length - 1)) / 39);
      return [`flipped-${offset}`, flippedAt(offset)];
    }),
  ];
  for (const [name, content] of damaged) {
    await files.write(`/${name}`, content);
    await assert.rejects(snapshotStatus(files, `/${name}`), StoreDamagedError, name);
  }
  await files.write("/snapshot", whole);
  assert.equal((await snapshotStatus(files, "/snapshot")).keyCount, 20);
});

test("snapshots are small, and a list tells what is in them and whether they are whole", async () => {
  const files = createVirtualFiles();
  await files.makeDirectory("/saved");
  const store = await openDurableStore(optionsOn(files));
  for (let i = 0; i < 300; i++) {
    const text = JSON.stringify({ kind: "Pod", metadata: { name: `p${i}` }, spec: "the same for all ".repeat(50) });
    await store.txn({ compare: [], success: [putOp(`p${i}`, text)] });
  }
  await saveSnapshot({ files, directory: "/data", clock, snapshotPath: "/saved/b" });
  await clock.advance(1000);
  await store.txn({ compare: [], success: [{ op: "delete", key: "p1" }] });
  await saveSnapshot({ files, directory: "/data", clock, snapshotPath: "/saved/a" });
  await store[Symbol.asyncDispose]();
  await files.write("/saved/notes", "not a snapshot");
  const content = await files.read("/saved/b");
  assert.ok(content.length < 300 * 100, `${content.length} bytes`);
  await files.write("/saved/c", content.subarray(0, -1));
  const listed = await listSnapshots(files, "/saved");
  const takenMs = Date.UTC(2026, 0, 1);
  assert.deepEqual(
    listed.map(({ name, header, isWhole }) => [name, header.revision, header.keyCount, header.takenMs - takenMs, isWhole]),
    [
      ["b", 301, 300, 0, true],
      ["c", 301, 300, 0, false],
      ["a", 302, 299, 1000, true],
    ],
  );
});

test("nothing is saved where there is no store", async () => {
  const files = createVirtualFiles();
  const options = { files, directory: "/nothing", clock, snapshotPath: "/saved" };
  await assert.rejects(saveSnapshot(options), /^Error: there is no store in \/nothing$/);
  await files.makeDirectory("/nothing");
  await assert.rejects(saveSnapshot(options), /^Error: there is no store in \/nothing$/);
  assert.equal(await files.stat("/saved"), undefined);
});

test("a snapshot of large values comes back", async () => {
  const files = createVirtualFiles();
  const store = await openDurableStore(optionsOn(files));
  const random = createVirtualRandom(9);
  const values = Array.from({ length: 6 }, (_, i) => Buffer.from(random.bytes(i * 500_000)));
  for (const [i, value] of values.entries()) {
    await store.txn({ compare: [], success: [{ op: "put", key: `k${i}`, value }] });
  }
  await saveSnapshot({ files, directory: "/data", clock, snapshotPath: "/saved" });
  await store[Symbol.asyncDispose]();
  await restoreSnapshot({ files, snapshotPath: "/saved", directory: "/copy" });
  await using copy = await openDurableStore(optionsOn(files, "/copy"));
  const { entries } = await copy.range(all);
  assert.deepEqual(entries.map(({ value }) => Buffer.from(value)), values);
});
