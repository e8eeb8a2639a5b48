import assert from "node:assert/strict";
import { test } from "node:test";
import { readTextIfPresent } from "./files.ts";
import { isRunning, startTicksOf } from "./process-identity.ts";
import { createVirtualFiles } from "./virtual/files.ts";

const fields = (state: string, ticks: string): string => `7 (a (b) c) ${state} 1 ${"0 ".repeat(17)}${ticks} 0 0`;

test("startTicksOf reads field 22 behind any command name; none of the dead", async () => {
  const files = createVirtualFiles();
  for (const [pid, text] of [["7", fields("S", "4711")], ["8", fields("Z", "4712")]] as const) {
    await files.makeDirectory(`/proc/${pid}`);
    await files.write(`/proc/${pid}/stat`, text);
  }
  assert.equal(await startTicksOf(files, 7), "4711");
  assert.equal(await startTicksOf(files, 8), undefined, "a zombie");
  assert.equal(await startTicksOf(files, 9), undefined, "absent");
  const cases = [
    { pid: 7, startTicks: "4711", running: true },
    { pid: 7, startTicks: "4710", running: false },
    { pid: 8, startTicks: "", running: false },
    { pid: 9, startTicks: "", running: false },
  ];
  for (const { running, ...identity } of cases) assert.equal(await isRunning(files, identity), running);
});

test("readTextIfPresent: undefined for what is not there, other errors go on", async () => {
  const files = createVirtualFiles();
  await files.makeDirectory("/d");
  await files.write("/d/f", "text");
  assert.equal(await readTextIfPresent(files, "/d/f"), "text");
  assert.equal(await readTextIfPresent(files, "/d/none"), undefined);
  await assert.rejects(readTextIfPresent(files, "/d"), /EISDIR/);
});
