import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isIoError, type Files } from "../files.ts";
import { systemFiles } from "../os/files.ts";
import { createVirtualFiles } from "./files.ts";
import { createVirtualRandom } from "./random.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const code =
  (expected: string) =>
  (error: unknown): boolean =>
    isIoError(error, expected) || assert.fail(`not ${expected}: ${String(error)}`);

/** The same statements on the disk and on the virtual tree. */
for (const kind of ["system", "virtual"] as const) {
  const on = (name: string, run: (files: Files, root: string) => Promise<void>): void => {
    test(`${kind} files: ${name}`, async () => {
      if (kind === "virtual") {
        const files = createVirtualFiles();
        await files.makeDirectory("/root");
        return run(files, "/root");
      }
      const root = await mkdtemp(join(tmpdir(), "kubets-files-"));
      try {
        await run(systemFiles, root);
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    });
  };

  on("a handle reads what it wrote, short only at the end", async (files, root) => {
    await using handle = await files.open(`${root}/a`, { write: true, create: true });
    await handle.write(2, [Buffer.from("cd"), Buffer.alloc(0), Buffer.from("ef")]);
    await handle.write(0, [Buffer.from("ab")]);
    await handle.sync();
    assert.equal(text(await handle.read(1, 3)), "bcd");
    assert.equal(text(await handle.read(4, 100)), "ef");
    const into = Buffer.alloc(10, "-");
    assert.equal(text(await handle.read(2, 3, into)), "cde");
    assert.equal(text(into), "cde-------");
    await handle.truncate(3);
    assert.equal(await handle.sizeBytes(), 3);
  });

  on("writes thousands of chunks in order", async (files, root) => {
    await using handle = await files.open(`${root}/a`, { write: true, create: true });
    const chunks = Array.from({ length: 3000 }, (_, i) => Buffer.from(`${i},`));
    await handle.write(0, chunks);
    assert.equal(await files.readText(`${root}/a`), Buffer.concat(chunks).toString());
  });

  on("writeAtomic replaces whole, and leaves nothing beside", async (files, root) => {
    await files.writeAtomic(`${root}/a`, "one", 0o600);
    await files.writeAtomic(`${root}/a`, "two", 0o600);
    assert.deepEqual(await files.list(root), ["a"]);
    assert.equal(await files.readText(`${root}/a`), "two");
    assert.equal((await files.stat(`${root}/a`))?.mode, 0o600);
  });

  on("errors carry errno names", async (files, root) => {
    await files.write(`${root}/file`, "x");
    await assert.rejects(files.read(`${root}/none`), code("ENOENT"));
    await assert.rejects(files.list(`${root}/file`), code("ENOTDIR"));
    const exclusive = { write: true, create: true, exclusive: true };
    await assert.rejects(files.open(`${root}/file`, exclusive), code("EEXIST"));
    await assert.rejects(files.symlink("x", `${root}/file`), code("EEXIST"));
    assert.equal(await files.stat(`${root}/none`), undefined);
    assert.equal(await files.stat(`${root}/file/below`), undefined);
  });

  on("symlinks are followed but for the last part of stat and remove", async (files, root) => {
    await files.makeDirectory(`${root}/d/e`);
    await files.append(`${root}/d/e/f`, "x");
    await files.append(`${root}/d/e/f`, "y");
    await files.symlink("d/e", `${root}/link`);
    assert.equal(await files.readText(`${root}/link/f`), "xy");
    assert.equal((await files.stat(`${root}/link`))?.kind, "symlink");
    assert.equal(await files.readLink(`${root}/link`), "d/e");
    await files.remove(`${root}/link`);
    await files.rename(`${root}/d/e/f`, `${root}/g`);
    assert.deepEqual(await files.list(`${root}/d/e`), []);
    await files.remove(`${root}/d`);
    await files.remove(`${root}/d`);
    assert.deepEqual(await files.list(root), ["g"]);
  });

  on("a lock excludes until it is disposed", async (files, root) => {
    const first = await files.lock(`${root}/lock`);
    await assert.rejects(files.lock(`${root}/lock`), code("EWOULDBLOCK"));
    await first[Symbol.asyncDispose]();
    const second = await files.lock(`${root}/lock`);
    await second[Symbol.asyncDispose]();
  });

  on("watch reports changes in the directory", async (files, root) => {
    const changed = Promise.withResolvers<void>();
    using _ = files.watch(root, changed.resolve);
    await files.write(`${root}/new`, "x");
    await changed.promise;
  });

  on("freeBytes is a size", async (files, root) => {
    assert.ok((await files.freeBytes(root)) > 0);
  });
}

test("a crash keeps synced bytes of synced names, and nothing else", async () => {
  const files = createVirtualFiles();
  await files.makeDirectory("/d");
  await files.syncDirectory("/");
  const handle = await files.open("/d/kept", { write: true, create: true });
  await handle.write(0, [Buffer.from("synced")]);
  await handle.sync();
  await files.syncDirectory("/d");
  await handle.write(6, [Buffer.from(" not")]);
  const nameless = await files.open("/d/nameless", { write: true, create: true });
  await nameless.write(0, [Buffer.from("x")]);
  await nameless.sync();
  const after = files.crash();
  assert.deepEqual(await after.list("/d"), ["kept"]);
  assert.equal(await after.readText("/d/kept"), "synced");
});

test("a crash with randomness tears what was not synced, and only that", async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const files = createVirtualFiles();
    const handle = await files.open("/f", { write: true, create: true });
    await handle.write(0, [Buffer.alloc(600, "a")]);
    await handle.sync();
    await files.syncDirectory("/");
    await handle.write(600, [Buffer.alloc(1000, "b")]);
    const content = await files.crash(createVirtualRandom(seed)).readText("/f");
    assert.equal(content.slice(0, 600), "a".repeat(600));
    outcomes.add(content);
  }
  assert.ok(outcomes.has("a".repeat(600)));
  assert.ok(outcomes.has("a".repeat(600) + "b".repeat(1000)));
  assert.ok(outcomes.size > 3, `${outcomes.size} outcomes`);
});

test("a crashed tree never answers", async () => {
  const files = createVirtualFiles();
  files.crash();
  const answer = files.list("/").then(() => "answered");
  assert.equal(await Promise.race([answer, Promise.resolve().then(() => "silent")]), "silent");
});

test("a failed sync loses its bytes for good", async () => {
  const files = createVirtualFiles();
  const handle = await files.open("/f", { write: true, create: true });
  await files.syncDirectory("/");
  await handle.write(0, [Buffer.from("lost")]);
  files.intercept = ({ op }) => {
    if (op === "fdatasync") throw new Error("EIO");
  };
  await assert.rejects(handle.sync());
  files.intercept = undefined;
  await handle.sync();
  assert.equal(await files.readText("/f"), "lost");
  assert.equal(await files.crash().readText("/f"), "");
});

test("a full disk takes what fits and says ENOSPC until there is room", async () => {
  const files = createVirtualFiles({ capacityBytes: 10 });
  const handle = await files.open("/f", { write: true, create: true });
  await assert.rejects(handle.write(0, [Buffer.alloc(12, "x")]), code("ENOSPC"));
  assert.equal(await handle.sizeBytes(), 10);
  await handle.write(0, [Buffer.from("yy")]);
  assert.equal(await files.freeBytes("/"), 0);
  files.capacityBytes = 20;
  await handle.write(10, [Buffer.alloc(10)]);
  await files.remove("/f");
  assert.equal(await files.freeBytes("/"), 20);
});
