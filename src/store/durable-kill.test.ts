import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/os/clock.ts";
import { systemFiles } from "#base/os/files.ts";
import { systemProcesses } from "#base/os/processes.ts";
import { systemRandom } from "#base/os/random.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { openDurableStore } from "./durable.ts";
import { CompactedError, type Store } from "./store.ts";

/** `KUBETS_STORE_KILLS=300` for the long run. */
const kills = Number(process.env["KUBETS_STORE_KILLS"] ?? 20);
const writers = 64;
const killAfterMsMax = 120;

interface Ack {
  readonly writer: number;
  readonly counter: number;
  readonly revision: number;
}

test(`${kills} kills under ${writers} writers: nothing acknowledged is lost, nothing else is there`, async () => {
  const directory = await mkdtemp(join(tmpdir(), "kubets-kill-"));
  const random = createVirtualRandom(4);
  let lastRevision = 0;
  let acknowledged = 0;
  try {
    for (let round = 0; round < kills; round++) {
      const acks = await runAndKill(directory, round, random.below(killAfterMsMax));
      acknowledged += acks.length;
      const options = { clock: systemClock, random: systemRandom, segmentBytesMax: 1024 * 1024 };
      await using store = await openDurableStore({ files: systemFiles, directory, ...options });
      assert.ok(store.revision >= lastRevision, "the revision fell");
      lastRevision = Math.max(store.revision, ...acks.map((ack) => ack.revision));
      assert.equal(store.revision, lastRevision, "an acknowledged revision is above the store's");
      await checkNewest(store, round, acks);
      await checkHistory(store, round, acks);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  assert.ok(acknowledged > 100 * kills, `only ${acknowledged} writes were acknowledged`);
});

async function runAndKill(directory: string, round: number, afterMs: number): Promise<Ack[]> {
  const script = join(import.meta.dirname, "testing", "durable-child.ts");
  const args = [script, directory, String(writers), String(round)];
  await using child = systemProcesses.start(process.execPath, args);
  let printed = "";
  let problem = "";
  child.stderr.on("data", (chunk) => (problem += String(chunk)));
  const ended = new Promise((resolve) => child.stdout.once("end", resolve));
  const begun = Promise.withResolvers<void>();
  child.stdout.on("data", (chunk) => {
    printed += String(chunk);
    begun.resolve();
  });
  await Promise.race([
    begun.promise,
    child.exited.then((code) => assert.fail(`exit ${code}: ${problem}`)),
  ]);
  await systemClock.sleep(afterMs);
  child.kill("SIGKILL");
  await child.exited;
  await ended;
  const whole = printed.slice(0, printed.lastIndexOf("\n")).split("\n").slice(1);
  return whole.filter(Boolean).map((line) => {
    const [writer = 0, counter = 0, revision = 0] = line.split(" ").map(Number);
    return { writer, counter, revision };
  });
}

/** Each writer's key shows its last acknowledged write, or the one that was on the way. */
async function checkNewest(store: Store, round: number, acks: readonly Ack[]): Promise<void> {
  for (let writer = 0; writer < writers; writer++) {
    const last = acks.findLast((ack) => ack.writer === writer);
    const { entries } = await store.range({ key: `/writer/${writer}` });
    const text = Buffer.from(entries[0]?.value ?? []).toString();
    const [shownRound, counter] = text.split("/").map(Number);
    if (last === undefined) continue;
    assert.equal(shownRound, round, `writer ${writer} shows round ${shownRound}`);
    assert.ok(counter === last.counter || counter === last.counter + 1, `${writer}: ${counter}`);
    assert.equal(text.length, 200 + (((counter ?? 0) * 37) % 1000), "a torn value");
  }
}

/** Every acknowledged write is in history at its revision, down to the compact revision. */
async function checkHistory(store: Store, round: number, acks: readonly Ack[]): Promise<void> {
  let found = 0;
  for (const { writer, counter, revision } of acks.toReversed()) {
    try {
      const { entries } = await store.range({ key: `/writer/${writer}`, revision });
      assert.equal(entries[0]?.modRevision, revision);
      assert.ok(Buffer.from(entries[0].value).toString().startsWith(`${round}/${counter}/`));
      found++;
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
    }
  }
  assert.ok(acks.length === 0 || found > 0);
}
