import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { join } from "node:path";

/** The areas where the store shows: watches, pages, compaction, selectors, collections. */
const areas = ["watchers", "pod-templates", "config-maps"];

test("the scenarios hold on the store on disk as well", { timeout: 120_000 }, async () => {
  const files = areas.map((area) => join(import.meta.dirname, `${area}.test.ts`));
  const { NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  const env = { ...inherited, SCRIPT_STORAGE: "durable" };
  const options = { env, cwd: join(import.meta.dirname, "../.."), maxBuffer: 16 << 20 };
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, ["--test", "--test-concurrency=1", ...files], options, (_error, stdout) => resolve(stdout));
  });
  assert.match(output, /^ℹ fail 0$|^# fail 0$/m, output);
  assert.match(output, /^(ℹ|#) pass [1-9]\d$/m, output);
});
