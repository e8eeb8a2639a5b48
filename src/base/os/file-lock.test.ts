import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isIoError } from "../files.ts";
import { systemFiles } from "./files.ts";
import { systemProcesses } from "./processes.ts";

test("a lock excludes other processes, and ends with its process, also by kill -9", async () => {
  const directory = await mkdtemp(join(tmpdir(), "kubets-lock-"));
  try {
    const path = join(directory, "lock");
    const source = `
      import { systemFiles } from "${new URL("./files.ts", import.meta.url).href}";
      const lock = await systemFiles.lock(process.argv[1]);
      process.stdout.write("locked");
      setInterval(() => lock, 1000);
    `;
    const args = ["--input-type=module", "-e", source, path];
    await using child = systemProcesses.start(process.execPath, args);
    const locked = new Promise((resolve) => child.stdout.once("data", resolve));
    const failed = child.exited.then((code) => assert.fail(`exit ${code}`));
    await Promise.race([locked, failed]);
    failed.catch(() => undefined);
    await assert.rejects(systemFiles.lock(path), (error) => isIoError(error, "EWOULDBLOCK"));
    child.kill("SIGKILL");
    await child.exited;
    const lock = await systemFiles.lock(path);
    await lock[Symbol.asyncDispose]();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
