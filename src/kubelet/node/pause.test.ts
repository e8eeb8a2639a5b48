import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemFiles } from "#base/os/files.ts";
import { systemProcesses } from "#base/os/processes.ts";
import { systemRandom } from "#base/os/random.ts";
import { pauseProgram } from "./pause.ts";

const runnable = process.arch === "x64" ? "amd64" : process.arch === "arm64" ? "arm64" : undefined;

test("pauseProgram is a tiny static executable", () => {
  for (const architecture of ["amd64", "arm64"] as const) {
    const program = pauseProgram(architecture);
    assert.deepEqual([...program.subarray(0, 4)], [0x7f, 0x45, 0x4c, 0x46]);
    assert.ok(program.length < 300, `${architecture} has ${program.length} bytes`);
  }
});

test("pauseProgram waits, and exits 0 on SIGTERM", { skip: runnable === undefined }, async () => {
  const path = join(tmpdir(), `pause-${systemRandom.uuid()}`);
  await systemFiles.write(path, pauseProgram(runnable ?? "amd64"), 0o755);
  try {
    await using child = systemProcesses.start(path, []);
    // Before it waits for signals (rt_sigtimedwait) one would end it like any program.
    const call = (): Promise<string> => systemFiles.readText(`/proc/${child.pid}/syscall`);
    while (!/^(128|137) /.test(await call()));
    child.kill("SIGTERM");
    assert.equal(await child.exited, 0);
  } finally {
    await systemFiles.remove(path);
  }
});
