import assert from "node:assert/strict";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { systemFiles as files } from "#base/os/files.ts";
import { systemRandom } from "#base/os/random.ts";
import { writePayload } from "./atomic-writer.ts";
import type { Payload } from "./payload.ts";

function payloadOf(entries: Record<string, string>): Payload {
  return new Map(
    Object.entries(entries).map(([path, text]) => [
      path,
      { content: Buffer.from(text), mode: 0o640 },
    ]),
  );
}

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = join(tmpdir(), `volume-${systemRandom.uuid()}`);
  try {
    await run(directory);
  } finally {
    await files.remove(directory);
  }
}

test("writePayload makes files visible through links, with their modes", async () => {
  await withDirectory(async (directory) => {
    const payload = payloadOf({ a: "1", "sub/dir/b": "2" });
    assert.equal(await writePayload(directory, payload, { files, stamp: "one" }), true);
    assert.equal(await files.readText(join(directory, "a")), "1");
    assert.equal(await files.readText(join(directory, "sub/dir/b")), "2");
    assert.equal(await files.readLink(join(directory, "a")), "..data/a");
    assert.equal((await files.stat(join(directory, "..one/a")))?.mode, 0o640);
    assert.deepEqual(await files.list(directory), ["..data", "..one", "a", "sub"]);
  });
});

test("writePayload replaces the whole set, and does nothing when it is there", async () => {
  await withDirectory(async (directory) => {
    await writePayload(directory, payloadOf({ a: "1", b: "1" }), { files, stamp: "one" });
    const next = payloadOf({ b: "2", c: "2" });
    assert.equal(await writePayload(directory, next, { files, stamp: "two" }), true);
    assert.deepEqual(await files.list(directory), ["..data", "..two", "b", "c"]);
    assert.equal(await files.readText(join(directory, "b")), "2");
    assert.equal(await writePayload(directory, next, { files, stamp: "three" }), false);
    assert.equal(await files.readLink(join(directory, "..data")), "..two");
  });
});
