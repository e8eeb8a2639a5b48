import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/os/clock.ts";
import { systemProcesses } from "#base/os/processes.ts";
import type { ChildProcess } from "#base/processes.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualFiles } from "#base/virtual/files.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { openDurableStore, type DurableStore } from "#store/durable.ts";
import { openEtcdStore, type EtcdStore } from "#store/etcd-client.ts";
import { createMemoryStore } from "#store/memory.ts";
import { StoreUnavailableError, type Store } from "#store/store.ts";
import { openReplica } from "#store/replica.ts";
import { etcdMissing, startEtcd } from "#store/testing/etcd-process.ts";
import { laggyStore } from "#store/testing/laggy-store.ts";
import { violations, type HistoryOp, type LogEntry } from "./linearizability.ts";
import { record, type Subject } from "./recorder.ts";

interface History {
  readonly ops: readonly HistoryOp[];
  readonly log: readonly LogEntry[];
}

function assertSound({ ops, log }: History, atLeast: { written: number; unknown: number }): void {
  assert.deepEqual(violations(ops, log), []);
  const count = (kind: string): number => ops.filter((op) => op.outcome.kind === kind).length;
  assert.ok(count("written") >= atLeast.written, `only ${count("written")} writes`);
  assert.ok(count("unknown") >= atLeast.unknown, `only ${count("unknown")} unknown outcomes`);
}

test("memory is linearizable", async () => {
  await using store = createMemoryStore({ clock: createVirtualClock() });
  const subject: Subject = { use: (call) => call(store) };
  const random = createVirtualRandom(1);
  const history = await record(subject, { clients: 16, opsPerClient: 500, keys: 8, random });
  assertSound(history, { written: 2000, unknown: 0 });
});

/** A durable store on virtual files; a disruption cuts the power. */
async function powerCutSubject(seed: number): Promise<Subject> {
  const random = createVirtualRandom(seed);
  const clock = createVirtualClock();
  let files = createVirtualFiles();
  // As if it were the same boot: with sync writes only, history then goes on over the cut.
  const bootId = "/proc/sys/kernel/random/boot_id";
  for (const path of ["/proc", "/proc/sys", "/proc/sys/kernel", "/proc/sys/kernel/random"]) {
    await files.makeDirectory(path);
    await files.syncDirectory(join(path, ".."));
  }
  await files.writeAtomic(bootId, "boot");
  const open = (): Promise<DurableStore> =>
    openDurableStore({ files, directory: "/data", clock, random, segmentBytesMax: 3000 });
  let store = open();
  let lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  return {
    async use(call) {
      const { promise } = lost;
      return Promise.race([store.then(call), promise]);
    },
    async disrupt() {
      const cut = Promise.withResolvers<void>();
      let left = 1 + random.below(5);
      files.intercept = () => {
        if (--left !== 0) return;
        files = files.crash(random);
        cut.resolve();
      };
      await cut.promise;
      lost.reject(new StoreUnavailableError("the power was cut"));
      lost = Promise.withResolvers<never>();
      lost.promise.catch(() => undefined);
      store = open();
      await store;
    },
  };
}

test("durable is linearizable under power cuts", async () => {
  for (let seed = 0; seed < 25; seed++) {
    const subject = await powerCutSubject(seed);
    const random = createVirtualRandom(1000 + seed);
    const options = { clients: 8, opsPerClient: 60, keys: 5, random, disruptions: 6 };
    assertSound(await record(subject, options), { written: 100, unknown: 6 });
  }
});

/** Clients that wait for the store to come back rather than spin. */
function remoteSubject(store: EtcdStore, disrupt: () => Promise<void>): Subject {
  return { use: (call) => call(store as Store), disrupt };
}

test("durable behind etcd's face is linearizable under kills", async () => {
  const directory = await mkdtemp(join(tmpdir(), "kubets-model-"));
  const script = join(import.meta.dirname, "store-server-child.ts");
  let child: ChildProcess | undefined;
  let port = 0;
  const start = async (): Promise<void> => {
    child = systemProcesses.start(process.execPath, [script, directory, String(port)]);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    port = Number(line.toString());
  };
  try {
    await start();
    const endpoints = [`127.0.0.1:${port}`];
    await using store = await openEtcdStore({ endpoints, clock: systemClock });
    const subject = remoteSubject(store, async () => {
      child?.kill("SIGKILL");
      await child?.exited;
      await start();
    });
    const random = createVirtualRandom(7);
    const options = { clients: 16, opsPerClient: 150, keys: 6, random, disruptions: 6 };
    assertSound(await record(subject, options), { written: 500, unknown: 6 });
  } finally {
    child?.kill("SIGKILL");
    await child?.exited;
    await rm(directory, { recursive: true, force: true });
  }
});

test(
  "etcd is linearizable through our client while members are killed",
  { skip: await etcdMissing() },
  async () => {
    await using cluster = await startEtcd({ size: 3 });
    await using store = await openEtcdStore({ endpoints: cluster.endpoints, clock: systemClock });
    let round = 0;
    const subject = remoteSubject(store, async () => {
      const member = cluster.members[round++ % cluster.members.length];
      await member?.kill();
      await systemClock.sleep(300);
      member?.start();
      await systemClock.sleep(700);
    });
    const random = createVirtualRandom(8);
    const options = { clients: 12, opsPerClient: 120, keys: 6, random, disruptions: 3 };
    assertSound(await record(subject, options), { written: 300, unknown: 0 });
  },
);

/** Clients of several API servers: each call goes to another replica. */
function replicasSubject(replicas: readonly Store[], disrupt?: () => Promise<void>): Subject {
  let calls = 0;
  return {
    use: (call) => call(replicas[calls++ % replicas.length] as Store),
    ...(disrupt && { disrupt }),
  };
}

test("replicas that fall behind are linearizable together", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const clock = createVirtualClock();
    const random = createVirtualRandom(seed);
    await using remote = createMemoryStore({ clock });
    const open = (): Promise<Store> => openReplica({ remote: laggyStore(remote, random), clock, prefix: "" });
    const replicas = await Promise.all([open(), open(), open()]);
    const options = { clients: 12, opsPerClient: 80, keys: 5, random: createVirtualRandom(100 + seed) };
    assertSound(await record(replicasSubject(replicas), options), { written: 200, unknown: 0 });
  }
});

test(
  "replicas of etcd are linearizable together while members are killed",
  { skip: await etcdMissing() },
  async () => {
    await using cluster = await startEtcd({ size: 3 });
    await using stack = new AsyncDisposableStack();
    const open = async (): Promise<Store> => {
      const remote = await openEtcdStore({ endpoints: cluster.endpoints, clock: systemClock });
      return stack.use(await openReplica({ remote, clock: systemClock, prefix: "" }));
    };
    const replicas = await Promise.all([open(), open()]);
    let round = 0;
    const subject = replicasSubject(replicas, async () => {
      const member = cluster.members[round++ % cluster.members.length];
      await member?.kill();
      await systemClock.sleep(300);
      member?.start();
      await systemClock.sleep(700);
    });
    const random = createVirtualRandom(9);
    const options = { clients: 12, opsPerClient: 120, keys: 6, random, disruptions: 3 };
    assertSound(await record(subject, options), { written: 300, unknown: 0 });
  },
);

test("every kind of violation is found", async () => {
  await using store = createMemoryStore({ clock: createVirtualClock() });
  const random = createVirtualRandom(3);
  // Each call takes some turns, so that operations overlap.
  const subject: Subject = {
    async use(call) {
      for (let i = random.below(5); i > 0; i--) await Promise.resolve();
      const answer = await call(store);
      for (let i = random.below(5); i > 0; i--) await Promise.resolve();
      return answer;
    },
  };
  const options = { clients: 8, opsPerClient: 80, keys: 4, random };
  const { ops, log } = await record(subject, options);
  assert.deepEqual(violations(ops, log), []);
  for (const [name, mutate] of Object.entries(mutations)) {
    let found = 0;
    for (let seed = 0; seed < 20; seed++) {
      const mutated = mutate({ ops, log }, createVirtualRandom(seed).below);
      if (violations(mutated.ops, mutated.log).length > 0) found++;
    }
    assert.equal(found, 20, `${name}: ${found} of 20 found`);
  }
});

type Mutation = (history: History, below: (limit: number) => number) => History;

/** Changes one random operation among those that fit. */
function changeOp(
  fits: (op: HistoryOp) => boolean,
  change: (op: HistoryOp, history: History) => HistoryOp,
): Mutation {
  return (history, below) => {
    const candidates = history.ops.filter(fits);
    const chosen = candidates[below(candidates.length)];
    const ops = history.ops.map((op) => (op === chosen ? change(op, history) : op));
    return { ...history, ops };
  };
}

const isWritten = (op: HistoryOp): boolean => op.outcome.kind === "written";
const revisionIn = (op: HistoryOp): number => ("revision" in op.outcome ? op.outcome.revision : 0);

const mutations: Readonly<Record<string, Mutation>> = {
  "an acknowledged write is lost": ({ ops, log }, below) => {
    return { ops, log: log.toSpliced(below(log.length), 1) };
  },
  "a write happened twice": ({ ops, log }, below) => {
    const puts = log.filter((entry) => entry.value !== undefined);
    const entry = puts[below(puts.length)] ?? assert.fail();
    const revision = (log.at(-1)?.revision ?? 0) + 1;
    return { ops, log: [...log, { ...entry, revision }] };
  },
  "a phantom": ({ ops, log }) => {
    const revision = (log.at(-1)?.revision ?? 0) + 1;
    return { ops, log: [...log, { key: "k0", value: "phantom", revision }] };
  },
  "a deletion from nowhere": ({ ops, log }) => {
    const revision = (log.at(-1)?.revision ?? 0) + 1;
    return { ops, log: [...log, { key: "k0", value: undefined, revision }] };
  },
  "two log entries are swapped": ({ ops, log }, below) => {
    const at = below(log.length - 1);
    const [a, b] = [log[at] ?? assert.fail(), log[at + 1] ?? assert.fail()];
    const swapped = [
      { ...b, revision: a.revision },
      { ...a, revision: b.revision },
    ];
    return { ops, log: log.toSpliced(at, 2, ...swapped) };
  },
  "the revision falls in the log": ({ ops, log }, below) => {
    const at = 1 + below(log.length - 1);
    const entry = log[at] ?? assert.fail();
    return { ops, log: log.with(at, { ...entry, revision: entry.revision - 2 }) };
  },
  "a refused write happened": changeOp(isWritten, (op) => {
    return op.kind === "put"
      ? { ...op, outcome: { kind: "refused" } }
      : { ...op, outcome: { kind: "read", revision: 0, value: "none" } };
  }),
  "a read gives another value": changeOp(
    (op) => op.outcome.kind === "read",
    (op) => ({ ...op, outcome: { kind: "read", revision: revisionIn(op), value: "other" } }),
  ),
  "a stale read": changeOp(
    (op) => op.outcome.kind === "read" && revisionIn(op) > 150,
    (op, { log }) => {
      const revision = revisionIn(op) - 100;
      const value = log.findLast((e) => e.key === op.key && e.revision <= revision)?.value;
      return { ...op, outcome: { kind: "read", revision, value } };
    },
  ),
  "a read of the future": changeOp(
    (op) => op.outcome.kind === "read" && revisionIn(op) < 100,
    (op, { log }) => {
      const revision = revisionIn(op) + 100;
      const value = log.findLast((e) => e.key === op.key && e.revision <= revision)?.value;
      return { ...op, outcome: { kind: "read", revision, value } };
    },
  ),
  "a condition that did not hold": changeOp(
    (op) => isWritten(op) && op.expectedRevision !== undefined,
    (op) => ({ ...op, expectedRevision: (op.expectedRevision ?? 0) + 1 }),
  ),
  "a condition that held and was refused": changeOp(
    (op) => op.outcome.kind === "unwritten" && op.expectedRevision !== undefined,
    (op, { log }) => {
      const entry = log.findLast((e) => e.key === op.key && e.revision <= revisionIn(op));
      return { ...op, expectedRevision: entry?.value === undefined ? 0 : entry.revision };
    },
  ),
};
