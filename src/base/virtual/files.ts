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
  /** Ends the process that uses this tree: it never answers again; all is kept but the locks. */
  kill(): VirtualFiles;
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
  return new VirtualDisk(newDirectory(0o755, options.clock?.nowMs() ?? 0), options);
}

class VirtualDisk implements VirtualFiles {
  capacityBytes: number;
  intercept: VirtualFiles["intercept"] = undefined;
  operationCount = 0;
  readonly #root: DirectoryNode;
  readonly #options: VirtualFilesOptions;
  readonly #locked = new Set<string>();
  readonly #watches = new Map<string, Set<() => void>>();
  /** Entry changes that no directory sync has made durable yet. */
  #journal: EntryChange[] = [];
  #dead = false;

  constructor(root: DirectoryNode, options: VirtualFilesOptions) {
    this.#root = root;
    this.#options = options;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
  }

  get usedBytes(): number {
    return sizeBelow(this.#root);
  }

  crash(random?: Random): VirtualFiles {
    this.#dead = true;
    return new VirtualDisk(afterPowerCut(this.#root, this.#journal, random), this.#options);
  }

  kill(): VirtualFiles {
    this.#dead = true;
    const next = new VirtualDisk(this.#root, {
      ...this.#options,
      capacityBytes: this.capacityBytes,
    });
    next.#journal = this.#journal;
    return next;
  }

  open(
    path: string,
    options: { write?: boolean; create?: boolean; exclusive?: boolean; mode?: number },
  ): Promise<FileHandle> {
    const { write = false, create = false, exclusive = false, mode } = options;
    return this.#step("open", path, () => {
      const file = create ? this.#created(path, mode, exclusive) : this.#file("open", path);
      return this.#handle(path, file, write);
    });
  }

  read(path: string): Promise<Uint8Array> {
    return this.#step("read", path, () => {
      return Buffer.from(contentOf(this.#file("read", path)));
    });
  }

  async readText(path: string): Promise<string> {
    return Buffer.from(await this.read(path)).toString("utf8");
  }

  async writeAtomic(path: string, content: Uint8Array | string, mode?: number): Promise<void> {
    const temporary = posix.join(dirname(path), `.${basename(path)}.new`);
    await this.write(temporary, content, mode);
    await this.#sync(temporary, this.#file("fdatasync", temporary));
    await this.rename(temporary, path);
    await this.syncDirectory(dirname(path));
  }

  write(path: string, content: Uint8Array | string, mode?: number): Promise<void> {
    return this.#step("write", path, () => {
      const file = this.#created(path, mode);
      truncateFile(file, 0);
      this.#put("write", path, { file, offset: 0, bytes: Buffer.from(content) });
    });
  }

  append(path: string, content: Uint8Array | string): Promise<void> {
    return this.#step("append", path, () => {
      const file = this.#created(path);
      this.#put("append", path, { file, offset: file.seen.sizeBytes, bytes: Buffer.from(content) });
    });
  }

  makeDirectory(path: string, mode?: number): Promise<void> {
    return this.#step("mkdir", path, () => {
      let at = "/";
      for (const name of partsOf(path)) {
        at = posix.join(at, name);
        const found = this.#find("mkdir", at, true);
        if (found === undefined) this.#link([[at, newDirectory(mode ?? 0o755, this.#nowMs())]]);
        else if (found.kind !== "directory") fail("mkdir", path, "EEXIST");
      }
    });
  }

  list(path: string): Promise<readonly string[]> {
    return this.#step("list", path, () => {
      return [...this.#directory("list", path).entries.keys()].toSorted();
    });
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#step("stat", path, () => {
      const node = this.#findOrAbsent(path);
      if (node === undefined) return undefined;
      const { kind, mode, modifiedMs } = node;
      return { kind, mode, modifiedMs, sizeBytes: node.kind === "file" ? node.seen.sizeBytes : 0 };
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#step("rename", from, () => {
      const node = this.#lookup("rename", from, false);
      const target = this.#find("rename", to, false);
      if (target === node) return;
      if (target?.kind === "directory") {
        if (node.kind !== "directory") fail("rename", to, "EISDIR");
        if (target.entries.size > 0) fail("rename", to, "ENOTEMPTY");
      }
      this.#link([
        [from, undefined],
        [to, node],
      ]);
    });
  }

  symlink(target: string, path: string): Promise<void> {
    return this.#step("symlink", path, () => {
      if (this.#find("symlink", path, false) !== undefined) fail("symlink", path, "EEXIST");
      this.#link([[path, { kind: "symlink", target, mode: 0o777, modifiedMs: this.#nowMs() }]]);
    });
  }

  readLink(path: string): Promise<string> {
    return this.#step("readlink", path, () => {
      const node = this.#lookup("readlink", path, false);
      return node.kind === "symlink" ? node.target : fail("readlink", path, "EINVAL");
    });
  }

  remove(path: string): Promise<void> {
    return this.#step("unlink", path, () => {
      if (this.#findOrAbsent(path) !== undefined) this.#link([[path, undefined]]);
    });
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.#step("chmod", path, () => {
      this.#lookup("chmod", path).mode = mode;
    });
  }

  chown(path: string): Promise<void> {
    return this.#step("chown", path, () => {
      this.#lookup("chown", path);
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.#step("fsync", path, () => {
      const directory = this.#directory("fsync", path);
      const touches = (change: EntryChange): boolean =>
        change.parts.some((part) => part.directory === directory);
      for (const change of this.#journal.filter(touches)) applyEntries(change, "durableEntries");
      this.#journal = this.#journal.filter((change) => !touches(change));
    });
  }

  lock(path: string): Promise<AsyncDisposable> {
    return this.#step("lock", path, () => {
      this.#created(path, 0o600);
      const key = posix.resolve("/", path);
      if (this.#locked.has(key)) fail("lock", path, "EWOULDBLOCK");
      this.#locked.add(key);
      return { [Symbol.asyncDispose]: async () => void this.#locked.delete(key) };
    });
  }

  watch(path: string, changed: () => void): Disposable {
    this.#directory("watch", path);
    const key = posix.resolve("/", path);
    const listeners = this.#watches.get(key) ?? new Set();
    this.#watches.set(key, listeners);
    const listener = coalesced(changed);
    listeners.add(listener.call);
    return {
      [Symbol.dispose]() {
        listener.stop();
        listeners.delete(listener.call);
      },
    };
  }

  freeBytes(path: string): Promise<number> {
    return this.#step("statfs", path, () => {
      return Math.max(0, this.capacityBytes - this.usedBytes);
    });
  }

  #nowMs(): number {
    return this.#options.clock?.nowMs() ?? 0;
  }

  /** `run` has its effect at once: a crash comes before or after an operation, never within. */
  async #step<T>(op: string, path: string, run: () => T): Promise<T> {
    if (!this.#dead) await this.intercept?.({ op, path, sequence: ++this.operationCount });
    if (this.#dead) await new Promise<never>(() => {});
    return run();
  }

  /** The node at `path`; undefined when its last part is absent. */
  #find(op: string, path: string, follow: boolean, links = 0): Node | undefined {
    if (links > linksMax) fail(op, path, "ELOOP");
    let node: Node = this.#root;
    let at = "/";
    const names = partsOf(path);
    for (const [i, name] of names.entries()) {
      if (node.kind !== "directory") fail(op, path, "ENOTDIR");
      const entry: Node | undefined = node.entries.get(name);
      const last = i === names.length - 1;
      if (entry === undefined) return last ? undefined : fail(op, path, "ENOENT");
      if (entry.kind === "symlink" && (follow || !last)) {
        const target = posix.resolve(at, entry.target, ...names.slice(i + 1));
        return this.#find(op, target, follow, links + 1);
      }
      node = entry;
      at = posix.join(at, name);
    }
    return node;
  }

  /** Like `#find` of the entry itself, but a missing parent too means absent. */
  #findOrAbsent(path: string): Node | undefined {
    try {
      return this.#find("stat", path, false);
    } catch (error) {
      if (error instanceof IoError && (error.code === "ENOENT" || error.code === "ENOTDIR")) return;
      throw error;
    }
  }

  #lookup(op: string, path: string, follow = true): Node {
    return this.#find(op, path, follow) ?? fail(op, path, "ENOENT");
  }

  #directory(op: string, path: string): DirectoryNode {
    const node = this.#lookup(op, path);
    return node.kind === "directory" ? node : fail(op, path, "ENOTDIR");
  }

  #file(op: string, path: string): FileNode {
    const node = this.#lookup(op, path);
    if (node.kind === "directory") fail(op, path, "EISDIR");
    return node.kind === "file" ? node : fail(op, path, "ENOENT");
  }

  /** The file at `path`, made when absent. */
  #created(path: string, mode = 0o644, exclusive = false): FileNode {
    const found = this.#find("open", path, true);
    if (found !== undefined && exclusive) fail("open", path, "EEXIST");
    if (found !== undefined) return this.#file("open", path);
    const file = newFile(mode, this.#nowMs());
    this.#link([[path, file]]);
    return file;
  }

  /** Sets (or, without a node, removes) directory entries, all at once. */
  #link(entries: readonly (readonly [path: string, node: Node | undefined])[]): void {
    const parts = entries.map(([path, node]) => ({
      directory: this.#directory("open", dirname(path)),
      name: basename(path),
      node,
    }));
    applyEntries({ parts }, "entries");
    this.#journal.push({ parts });
    for (const [path] of entries) this.#notify(dirname(path));
  }

  #notify(path: string): void {
    for (const changed of this.#watches.get(posix.resolve("/", path)) ?? []) changed();
  }

  #put(op: string, path: string, to: { file: FileNode; offset: number; bytes: Uint8Array }): void {
    const { file, offset, bytes } = to;
    const growth = Math.max(0, offset + bytes.length - file.seen.sizeBytes);
    const missing = Math.max(0, growth - (this.capacityBytes - this.usedBytes));
    const fits = Math.max(0, bytes.length - missing);
    if (fits > 0) writeFile(file, offset, bytes.subarray(0, fits));
    file.modifiedMs = this.#nowMs();
    this.#notify(dirname(path));
    if (missing > 0) fail(op, path, "ENOSPC");
  }

  async #sync(path: string, file: FileNode): Promise<void> {
    // Only what was written before the call is promised, whatever comes while it runs.
    const changes = file.unsynced.length;
    try {
      await this.#step("fdatasync", path, () => syncFile(file, changes));
    } catch (error) {
      loseUnsynced(file, changes);
      throw error;
    }
  }

  #handle(path: string, file: FileNode, writable: boolean): FileHandle {
    const mustWrite = (op: string): void => void (writable || fail(op, path, "EBADF"));
    return {
      read: (offset, lengthBytes, into) =>
        this.#step("read", path, () => {
          const found = contentOf(file).subarray(offset, offset + lengthBytes);
          if (into === undefined) return Buffer.from(found);
          into.set(found);
          return into.subarray(0, found.length);
        }),
      write: (offset, chunks) =>
        this.#step("write", path, () => {
          mustWrite("write");
          this.#put("write", path, { file, offset, bytes: Buffer.concat(chunks) });
        }),
      sync: () => this.#sync(path, file),
      truncate: (sizeBytes) =>
        this.#step("truncate", path, () => {
          mustWrite("truncate");
          truncateFile(file, sizeBytes);
        }),
      sizeBytes: () => this.#step("stat", path, () => file.seen.sizeBytes),
      [Symbol.asyncDispose]: () => this.#step("close", path, () => undefined),
    };
  }
}

function partsOf(path: string): string[] {
  return posix.resolve("/", path).split("/").filter(Boolean);
}

function fail(op: string, path: string, code: string): never {
  throw new IoError(op, code, { detail: `${op} ${path}: ${code}` });
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
