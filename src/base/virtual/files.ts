/** An in-memory tree with faults: see `file-tree.ts` for what a power cut leaves of it. */
import { basename, dirname, posix } from "node:path";
import type { Clock } from "../clock.ts";
import type { FileHandle, Files, FileStat } from "../files.ts";
import { IoError } from "../files.ts";
import type { Random } from "../random.ts";
import {
  afterPowerCut,
  applyEntries,
  contentOf,
  loseUnsynced,
  newDirectory,
  newFile,
  sizeBelow,
  syncFile,
  truncateFile,
  writeFile,
} from "./file-tree.ts";
import type { DirectoryNode, EntryChange, FileNode, Node } from "./file-tree.ts";

/** Most symbolic links followed in one path. Source: Linux MAXSYMLINKS. */
const linksMax = 40;

export interface VirtualFileOp {
  /** The system call's name: open, read, write, fdatasync, truncate, rename, unlink, fsync... */
  readonly op: string;
  readonly path: string;
  /** Number of this operation, from 1. */
  readonly sequence: number;
}

export interface VirtualFiles extends Files {
  /**
   * Cuts the power: this tree never answers again, and what survived is returned as a new one.
   * With `random`, some of what was not synced survives too, torn.
   */
  crash(random?: Random): VirtualFiles;
  /** Room for file content; writes beyond it fail with ENOSPC, having written what fitted. */
  capacityBytes: number;
  /**
   * Called before each operation: may throw (fail it), return a promise (delay it), or call
   * `crash`. A failed `fdatasync` loses what it was to write.
   */
  intercept: ((op: VirtualFileOp) => void | Promise<void>) | undefined;
  readonly operationCount: number;
  readonly usedBytes: number;
}

export interface VirtualFilesOptions {
  /** Stamps `modifiedMs`; 0 when absent. */
  readonly clock?: Clock;
  readonly capacityBytes?: number;
}

export function createVirtualFiles(options: VirtualFilesOptions = {}): VirtualFiles {
  return mount(newDirectory(0o755, options.clock?.nowMs() ?? 0), options);
}

function mount(root: DirectoryNode, options: VirtualFilesOptions): VirtualFiles {
  const locked = new Set<string>();
  const watches = new Map<string, Set<() => void>>();
  let journal: EntryChange[] = [];
  let operationCount = 0;
  let dead = false;

  const nowMs = (): number => options.clock?.nowMs() ?? 0;

  async function step(op: string, path: string): Promise<void> {
    if (!dead) await files.intercept?.({ op, path, sequence: ++operationCount });
    if (dead) await new Promise<never>(() => {});
  }

  function fail(op: string, path: string, code: string): never {
    throw new IoError(op, code, { detail: `${op} ${path}: ${code}` });
  }

  function lookup(op: string, path: string, follow = true): Node {
    return find(op, path, follow) ?? fail(op, path, "ENOENT");
  }

  /** The node at `path`; undefined when its last part is absent. */
  function find(op: string, path: string, follow: boolean, links = 0): Node | undefined {
    if (links > linksMax) fail(op, path, "ELOOP");
    let node: Node = root;
    let at = "/";
    const names = posix.resolve("/", path).split("/").filter(Boolean);
    for (const [i, name] of names.entries()) {
      if (node.kind !== "directory") fail(op, path, "ENOTDIR");
      const entry: Node | undefined = node.entries.get(name);
      const last = i === names.length - 1;
      if (entry === undefined) return last ? undefined : fail(op, path, "ENOENT");
      if (entry.kind === "symlink" && (follow || !last)) {
        const target = posix.resolve(at, entry.target, ...names.slice(i + 1));
        return find(op, target, follow, links + 1);
      }
      node = entry;
      at = posix.join(at, name);
    }
    return node;
  }

  function directoryAt(op: string, path: string): DirectoryNode {
    const node = lookup(op, path);
    return node.kind === "directory" ? node : fail(op, path, "ENOTDIR");
  }

  function fileAt(op: string, path: string): FileNode {
    const node = lookup(op, path);
    if (node.kind === "directory") fail(op, path, "EISDIR");
    return node.kind === "file" ? node : fail(op, path, "ENOENT");
  }

  function changeEntries(paths: readonly (readonly [path: string, node: Node | undefined])[]): void {
    const parts = paths.map(([path, node]) => ({
      directory: directoryAt("open", dirname(path)),
      name: basename(path),
      node,
    }));
    const change = { parts };
    applyEntries(change, "entries");
    journal.push(change);
    for (const [path] of paths) notify(dirname(path));
  }

  function notify(path: string): void {
    for (const changed of watches.get(posix.resolve("/", path)) ?? []) changed();
  }

  function put(op: string, path: string, file: FileNode, offset: number, bytes: Uint8Array): void {
    const growth = Math.max(0, offset + bytes.length - file.seen.sizeBytes);
    const room = files.capacityBytes - files.usedBytes;
    const fits = growth <= room ? bytes.length : Math.max(0, bytes.length - (growth - room));
    if (fits > 0) writeFile(file, offset, bytes.subarray(0, fits));
    file.modifiedMs = nowMs();
    notify(dirname(path));
    if (fits < bytes.length) fail(op, path, "ENOSPC");
  }

  function fileForWrite(path: string, exclusive: boolean, mode: number | undefined): FileNode {
    const found = find("open", path, true);
    if (found !== undefined && exclusive) fail("open", path, "EEXIST");
    if (found !== undefined) return fileAt("open", path);
    const file = newFile(mode ?? 0o644, nowMs());
    changeEntries([[path, file]]);
    return file;
  }

  async function replace(path: string, content: Uint8Array | string, mode?: number): Promise<FileNode> {
    await step("write", path);
    const file = fileForWrite(path, false, mode);
    truncateFile(file, 0);
    put("write", path, file, 0, Buffer.from(content));
    return file;
  }

  async function syncData(path: string, file: FileNode): Promise<void> {
    try {
      await step("fdatasync", path);
    } catch (error) {
      loseUnsynced(file);
      throw error;
    }
    syncFile(file);
  }

  function openHandle(path: string, file: FileNode, writable: boolean): FileHandle {
    const mustWrite = (op: string): void => void (writable || fail(op, path, "EBADF"));
    return {
      async read(offset, lengthBytes) {
        await step("read", path);
        return Buffer.from(contentOf(file).subarray(offset, offset + lengthBytes));
      },
      async write(offset, chunks) {
        await step("write", path);
        mustWrite("write");
        put("write", path, file, offset, Buffer.concat(chunks));
      },
      sync: () => syncData(path, file),
      async truncate(sizeBytes) {
        await step("truncate", path);
        mustWrite("truncate");
        truncateFile(file, sizeBytes);
      },
      async sizeBytes() {
        await step("stat", path);
        return file.seen.sizeBytes;
      },
      [Symbol.asyncDispose]: () => step("close", path),
    };
  }

  const files: VirtualFiles = {
    capacityBytes: options.capacityBytes ?? Number.POSITIVE_INFINITY,
    intercept: undefined,
    get operationCount() {
      return operationCount;
    },
    get usedBytes() {
      return sizeBelow(root);
    },
    crash(random) {
      dead = true;
      return mount(afterPowerCut(root, journal, random), options);
    },
    async open(path, { write = false, create = false, exclusive = false, mode }) {
      await step("open", path);
      const file = create ? fileForWrite(path, exclusive, mode) : fileAt("open", path);
      return openHandle(path, file, write);
    },
    async read(path) {
      await step("read", path);
      return Buffer.from(contentOf(fileAt("read", path)));
    },
    async readText(path) {
      await step("read", path);
      return contentOf(fileAt("read", path)).toString("utf8");
    },
    async writeAtomic(path, content, mode) {
      const temporary = posix.join(dirname(path), `.${basename(path)}.new`);
      await syncData(temporary, await replace(temporary, content, mode));
      await files.rename(temporary, path);
      await files.syncDirectory(dirname(path));
    },
    async write(path, content, mode) {
      await replace(path, content, mode);
    },
    async append(path, content) {
      await step("append", path);
      const file = fileForWrite(path, false, undefined);
      put("append", path, file, file.seen.sizeBytes, Buffer.from(content));
    },
    async makeDirectory(path, mode) {
      await step("mkdir", path);
      let at = "/";
      for (const name of posix.resolve("/", path).split("/").filter(Boolean)) {
        at = posix.join(at, name);
        const found = find("mkdir", at, true);
        if (found === undefined) changeEntries([[at, newDirectory(mode ?? 0o755, nowMs())]]);
        else if (found.kind !== "directory") fail("mkdir", path, "EEXIST");
      }
    },
    async list(path) {
      await step("list", path);
      return [...directoryAt("list", path).entries.keys()].toSorted();
    },
    async stat(path) {
      await step("stat", path);
      return fileStat(find, path);
    },
    async rename(from, to) {
      await step("rename", from);
      const node = lookup("rename", from, false);
      const target = find("rename", to, false);
      if (target?.kind === "directory" && node.kind !== "directory") fail("rename", to, "EISDIR");
      if (target?.kind === "directory" && target.entries.size > 0) fail("rename", to, "ENOTEMPTY");
      if (target !== node) changeEntries([[from, undefined], [to, node]]);
    },
    async symlink(target, path) {
      await step("symlink", path);
      if (find("symlink", path, false) !== undefined) fail("symlink", path, "EEXIST");
      changeEntries([[path, { kind: "symlink", target, mode: 0o777, modifiedMs: nowMs() }]]);
    },
    async readLink(path) {
      await step("readlink", path);
      const node = lookup("readlink", path, false);
      return node.kind === "symlink" ? node.target : fail("readlink", path, "EINVAL");
    },
    async remove(path) {
      await step("unlink", path);
      if (findOrAbsent(find, path) !== undefined) changeEntries([[path, undefined]]);
    },
    async chmod(path, mode) {
      await step("chmod", path);
      lookup("chmod", path).mode = mode;
    },
    async chown(path) {
      await step("chown", path);
      lookup("chown", path);
    },
    async syncDirectory(path) {
      await step("fsync", path);
      const directory = directoryAt("fsync", path);
      const touches = (change: EntryChange): boolean =>
        change.parts.some((part) => part.directory === directory);
      for (const change of journal.filter(touches)) applyEntries(change, "durableEntries");
      journal = journal.filter((change) => !touches(change));
    },
    async lock(path) {
      await step("lock", path);
      fileForWrite(path, false, 0o600);
      const key = posix.resolve("/", path);
      if (locked.has(key)) fail("lock", path, "EWOULDBLOCK");
      locked.add(key);
      return {
        async [Symbol.asyncDispose]() {
          locked.delete(key);
        },
      };
    },
    watch(path, changed) {
      directoryAt("watch", path);
      const key = posix.resolve("/", path);
      const listeners = watches.get(key) ?? new Set();
      watches.set(key, listeners);
      const listener = coalesced(changed);
      listeners.add(listener.call);
      return {
        [Symbol.dispose]() {
          listener.stop();
          listeners.delete(listener.call);
        },
      };
    },
    async freeBytes(path) {
      await step("statfs", path);
      return Math.max(0, files.capacityBytes - files.usedBytes);
    },
  };
  return files;
}

type Find = (op: string, path: string, follow: boolean) => Node | undefined;

/** Like `find`, but a missing parent too means absent. */
function findOrAbsent(find: Find, path: string): Node | undefined {
  try {
    return find("stat", path, false);
  } catch (error) {
    if (error instanceof IoError && (error.code === "ENOENT" || error.code === "ENOTDIR")) return;
    throw error;
  }
}

function fileStat(find: Find, path: string): FileStat | undefined {
  const node = findOrAbsent(find, path);
  if (node === undefined) return undefined;
  const { kind, mode, modifiedMs } = node;
  return { kind, mode, modifiedMs, sizeBytes: node.kind === "file" ? node.seen.sizeBytes : 0 };
}

/** Many calls before the next microtask checkpoint become one. */
function coalesced(changed: () => void): { call: () => void; stop: () => void } {
  let pending = false;
  let stopped = false;
  return {
    call() {
      if (pending || stopped) return;
      pending = true;
      queueMicrotask(() => {
        pending = false;
        if (!stopped) changed();
      });
    },
    stop() {
      stopped = true;
    },
  };
}
