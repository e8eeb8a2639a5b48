/** The disk. Paths are passed through as they come; errors leave as `IoError`. */
import { constants, watch as watchNode, type BigIntStats } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { FileHandle, Files, FileStat } from "../files.ts";
import { lockFile } from "./file-lock.ts";
import { toIoError } from "./io-error.ts";

/** Most buffers in one `writev`. Source: Linux UIO_MAXIOV. */
const writeChunksMax = 1024;

export const systemFiles: Files = {
  open,
  read: (path) => guarded("read", path, () => fs.readFile(path)),
  readText: (path) => guarded("read", path, () => fs.readFile(path, "utf8")),
  writeAtomic,
  write: (path, content, mode) =>
    guarded("write", path, () => fs.writeFile(path, content, mode === undefined ? {} : { mode })),
  append: (path, content) => guarded("append", path, () => fs.appendFile(path, content)),
  makeDirectory: (path, mode) =>
    guarded("mkdir", path, async () => {
      await fs.mkdir(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
    }),
  list: (path) => guarded("list", path, async () => (await fs.readdir(path)).toSorted()),
  stat,
  rename: (from, to) => guarded("rename", from, () => fs.rename(from, to)),
  symlink: (target, path) => guarded("symlink", path, () => fs.symlink(target, path)),
  readLink: (path) => guarded("readlink", path, () => fs.readlink(path)),
  remove: (path) => guarded("remove", path, () => fs.rm(path, { recursive: true, force: true })),
  chmod: (path, mode) => guarded("chmod", path, () => fs.chmod(path, mode)),
  chown: (path, uid, gid) => guarded("chown", path, () => fs.chown(path, uid, gid)),
  syncDirectory,
  lock: (path) => guarded("lock", path, () => lockFile(path)),
  watch,
  freeBytes: (path) =>
    guarded("statfs", path, async () => {
      const { bavail, bsize } = await fs.statfs(path);
      return bavail * bsize;
    }),
};

async function guarded<T>(op: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toIoError(op, path, error);
  }
}

async function open(
  path: string,
  options: { write?: boolean; create?: boolean; exclusive?: boolean; mode?: number },
): Promise<FileHandle> {
  let flags = options.write ? constants.O_RDWR : constants.O_RDONLY;
  if (options.create) flags |= constants.O_CREAT;
  if (options.exclusive) flags |= constants.O_EXCL;
  const handle = await guarded("open", path, () => fs.open(path, flags, options.mode));
  return openHandle(path, handle);
}

function openHandle(path: string, handle: fs.FileHandle): FileHandle {
  async function read(offset: number, lengthBytes: number, into?: Uint8Array): Promise<Uint8Array> {
    const buffer = into ?? Buffer.allocUnsafe(lengthBytes);
    let filled = 0;
    while (filled < lengthBytes) {
      const { bytesRead } = await handle.read(
        buffer,
        filled,
        lengthBytes - filled,
        offset + filled,
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  async function write(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    let at = offset;
    for (let first = 0; first < chunks.length; first += writeChunksMax) {
      let rest = chunks.slice(first, first + writeChunksMax);
      while (rest.length > 0) {
        const { bytesWritten } = await handle.writev(rest, at);
        at += bytesWritten;
        rest = afterBytes(rest, bytesWritten);
      }
    }
  }

  return {
    read: (offset, lengthBytes, into) =>
      guarded("read", path, () => read(offset, lengthBytes, into)),
    write: (offset, chunks) => guarded("write", path, () => write(offset, chunks)),
    sync: () => guarded("fdatasync", path, () => handle.datasync()),
    truncate: (sizeBytes) => guarded("truncate", path, () => handle.truncate(sizeBytes)),
    sizeBytes: () => guarded("stat", path, async () => (await handle.stat()).size),
    [Symbol.asyncDispose]: () => guarded("close", path, () => handle.close()),
  };
}

/** What is left of `chunks` after their first `count` bytes; empty chunks are dropped. */
function afterBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = count;
  for (const chunk of chunks) {
    if (skip >= chunk.length) skip -= chunk.length;
    else {
      rest.push(skip === 0 ? chunk : chunk.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}

async function writeAtomic(
  path: string,
  content: Uint8Array | string,
  mode?: number,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${temporaryCount++}`);
  try {
    await guarded("write", path, async () => {
      const handle = await fs.open(temporary, "wx", mode);
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await fs.rename(temporary, path);
    });
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

let temporaryCount = 0;

function syncDirectory(path: string): Promise<void> {
  return guarded("fsync", path, async () => {
    const handle = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    return fileStat(await fs.lstat(path, { bigint: true }));
  } catch (error) {
    const io = toIoError("stat", path, error);
    if (io.code === "ENOENT" || io.code === "ENOTDIR") return undefined;
    throw io;
  }
}

function fileStat(found: BigIntStats): FileStat {
  let kind: FileStat["kind"] = "other";
  if (found.isFile()) kind = "file";
  else if (found.isDirectory()) kind = "directory";
  else if (found.isSymbolicLink()) kind = "symlink";
  return {
    kind,
    sizeBytes: Number(found.size),
    mode: Number(found.mode & 0o7777n),
    modifiedMs: Number(found.mtimeNs / 1000n) / 1000,
  };
}

function watch(path: string, changed: () => void): Disposable {
  let pending: NodeJS.Immediate | undefined;
  let closed = false;
  const report = (): void => {
    if (closed) return;
    pending ??= setImmediate(() => {
      pending = undefined;
      if (!closed) changed();
    });
  };
  let watcher: ReturnType<typeof watchNode>;
  try {
    watcher = watchNode(path, report);
  } catch (error) {
    throw toIoError("watch", path, error);
  }
  // The directory itself went away, or the kernel's queue overflowed: look again.
  watcher.on("error", report);
  return {
    [Symbol.dispose]() {
      closed = true;
      if (pending !== undefined) clearImmediate(pending);
      watcher.close();
    },
  };
}
