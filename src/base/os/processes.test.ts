import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isIoError } from "../files.ts";
import { systemProcesses } from "./processes.ts";

test("run collects output, input and exit code", async () => {
  const rows: [script: string, input: string | undefined, code: number, out: string][] = [
    ["echo hello", undefined, 0, "hello\n"],
    ["cat", "fed", 0, "fed"],
    ["exit 7", undefined, 7, ""],
    ["kill -TERM $$", undefined, 143, ""],
    ["exec 0<&-; echo unread", "x".repeat(1 << 20), 0, "unread\n"],
  ];
  for (const [script, input, code, stdout] of rows) {
    const options = input === undefined ? {} : { input };
    const result = await systemProcesses.run("sh", ["-c", script], options);
    assert.deepEqual({ ...result, stderr: "" }, { code, stdout, stderr: "" }, script);
  }
});

test("run adds env to the process's own and honours cwd", async () => {
  const options = { env: { KUBETS_TEST: "yes" }, cwd: tmpdir() };
  const { stdout } = await systemProcesses.run("sh", ["-c", 'echo "$KUBETS_TEST $PWD"'], options);
  assert.equal(stdout, `yes ${tmpdir()}\n`);
});

test("run and start reject with IoError ENOENT when there is no such command", async () => {
  const absent = (error: unknown): boolean => isIoError(error, "ENOENT");
  await assert.rejects(systemProcesses.run("kubets-no-such-command", []), absent);
  await assert.rejects(systemProcesses.start("kubets-no-such-command", []).exited, absent);
});

test("abort kills the whole process group", async () => {
  const stop = new AbortController();
  const child = systemProcesses.start("sh", ["-c", "sleep 300 & echo started; wait"], {
    signal: stop.signal,
  });
  // The grandchild holds the pipe too: only when both are dead does the stream end.
  for await (const chunk of child.stdout) {
    assert.equal(String(chunk), "started\n");
    stop.abort();
  }
  assert.equal(await child.exited, 137);
});

test("run that is aborted resolves with the signal's code, even if a grandchild holds the pipe", async () => {
  const stop = new AbortController();
  const running = systemProcesses.run("sh", ["-c", "sleep 300 & sleep 300"], {
    signal: stop.signal,
  });
  stop.abort();
  assert.equal((await running).code, 137);
});

test("run refuses an aborted signal", async () => {
  const running = systemProcesses.run("true", [], { signal: AbortSignal.abort() });
  await assert.rejects(running, (error) => isIoError(error, "ECANCELED"));
});

test("disposing kills and waits", async () => {
  const child = systemProcesses.start("sleep", ["300"]);
  await child[Symbol.asyncDispose]();
  assert.equal(await child.exited, 137);
});

test("a detached process writes to its log file", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kubets-"));
  try {
    const detachedLogPath = join(directory, "log");
    const child = systemProcesses.start("sh", ["-c", "echo out; echo err >&2"], {
      detachedLogPath,
    });
    assert.equal(await child.exited, 0);
    assert.equal(readFileSync(detachedLogPath, "utf8"), "out\nerr\n");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
