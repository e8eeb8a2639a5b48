/**
 * What a disk remembers: nodes with the state that programs see beside the state that a power cut
 * leaves.
 *
 * Invariants: 1. A file's bytes survive when they were written before a sync that succeeded.
 * 2. An entry of a directory (creation, rename, removal) survives when that directory was synced
 * afterwards; syncing the file alone does not keep its name. 3. What was not synced survives in
 * part: any subset of its 512-byte sectors, any prefix of the entry changes. 4. Bytes whose sync
 * failed are never made durable by a later sync (as Linux, which marks their pages clean).
 */
import type { Random } from "../random.ts";

export const sectorBytes = 512;

export type Node = FileNode | DirectoryNode | SymlinkNode;

interface NodeAttributes {
  mode: number;
  modifiedMs: number;
}

export interface FileNode extends NodeAttributes {
  readonly kind: "file";
  seen: Extent;
  durable: Extent;
  unsynced: Change[];
}

export interface DirectoryNode extends NodeAttributes {
  readonly kind: "directory";
  readonly entries: Map<string, Node>;
  readonly durableEntries: Map<string, Node>;
}

export interface SymlinkNode extends NodeAttributes {
  readonly kind: "symlink";
  readonly target: string;
}

/** Bytes in a buffer that grows by doubling. */
interface Extent {
  buffer: Buffer;
  sizeBytes: number;
}

type Change = { readonly offset: number; readonly bytes: Buffer } | { readonly truncateTo: number };

/** One atomic change of names: each entry is set, or removed when `node` is undefined. */
export interface EntryChange {
  readonly parts: readonly {
    readonly directory: DirectoryNode;
    readonly name: string;
    readonly node: Node | undefined;
  }[];
}

export function newFile(mode: number, modifiedMs: number): FileNode {
  const empty = (): Extent => ({ buffer: Buffer.alloc(0), sizeBytes: 0 });
  return { kind: "file", mode, modifiedMs, seen: empty(), durable: empty(), unsynced: [] };
}

export function newDirectory(mode: number, modifiedMs: number): DirectoryNode {
  return { kind: "directory", mode, modifiedMs, entries: new Map(), durableEntries: new Map() };
}

export function contentOf(file: FileNode): Buffer {
  return file.seen.buffer.subarray(0, file.seen.sizeBytes);
}

export function writeFile(file: FileNode, offset: number, bytes: Uint8Array): void {
  const change = { offset, bytes: Buffer.from(bytes) };
  apply(file.seen, change);
  file.unsynced.push(change);
}

export function truncateFile(file: FileNode, sizeBytes: number): void {
  const change = { truncateTo: sizeBytes };
  apply(file.seen, change);
  file.unsynced.push(change);
}

/** Makes the first `count` unsynced changes durable. */
export function syncFile(file: FileNode, count: number): void {
  for (const change of file.unsynced.splice(0, count)) apply(file.durable, change);
}

/** After a failed sync: its changes stay visible until a crash, and are lost then. */
export function loseUnsynced(file: FileNode, count: number): void {
  file.unsynced.splice(0, count);
}

function apply(extent: Extent, change: Change): void {
  const endBytes = "truncateTo" in change ? change.truncateTo : change.offset + change.bytes.length;
  if (endBytes > extent.buffer.length) {
    const grown = Buffer.alloc(Math.max(endBytes, 2 * extent.buffer.length, 64));
    extent.buffer.copy(grown, 0, 0, extent.sizeBytes);
    extent.buffer = grown;
  }
  if ("truncateTo" in change) {
    extent.buffer.fill(0, Math.min(endBytes, extent.sizeBytes), extent.sizeBytes);
    extent.sizeBytes = endBytes;
  } else {
    extent.buffer.set(change.bytes, change.offset);
    extent.sizeBytes = Math.max(extent.sizeBytes, endBytes);
  }
}

/** Bytes of all files below `node`. */
export function sizeBelow(node: Node): number {
  if (node.kind === "file") return node.seen.sizeBytes;
  if (node.kind === "symlink") return 0;
  let sum = 0;
  for (const entry of node.entries.values()) sum += sizeBelow(entry);
  return sum;
}

/** Sets the entry in one of the two views of its directory. */
export function applyEntries(change: EntryChange, view: "entries" | "durableEntries"): void {
  for (const { directory, name, node } of change.parts) {
    if (node === undefined) directory[view].delete(name);
    else directory[view].set(name, node);
  }
}

/**
 * The tree that a power cut leaves of `root`. `journal`: entry changes that no directory sync has
 * made durable, in order. Without `random` nothing unsynced survives. `root` is used up.
 */
export function afterPowerCut(
  root: DirectoryNode,
  journal: readonly EntryChange[],
  random?: Random,
): DirectoryNode {
  const kept = random?.below(journal.length + 1) ?? 0;
  for (const change of journal.slice(0, kept)) applyEntries(change, "durableEntries");
  return copyDurable(root, new Map(), random) as DirectoryNode;
}

function copyDurable(node: Node, copies: Map<Node, Node>, random: Random | undefined): Node {
  const known = copies.get(node);
  if (known !== undefined) return known;
  if (node.kind === "symlink") return node;
  if (node.kind === "file") {
    const file = newFile(node.mode, node.modifiedMs);
    copies.set(node, file);
    if (random !== undefined)
      for (const change of node.unsynced) tear(node.durable, change, random);
    const content = Buffer.from(node.durable.buffer.subarray(0, node.durable.sizeBytes));
    file.seen = { buffer: content, sizeBytes: content.length };
    file.durable = { buffer: Buffer.from(content), sizeBytes: content.length };
    return file;
  }
  const directory = newDirectory(node.mode, node.modifiedMs);
  copies.set(node, directory);
  for (const [name, entry] of node.durableEntries) {
    const copy = copyDurable(entry, copies, random);
    directory.entries.set(name, copy);
    directory.durableEntries.set(name, copy);
  }
  return directory;
}

/** Applies what happened to reach the disk of a change: whole, nothing, or some sectors. */
function tear(extent: Extent, change: Change, random: Random): void {
  const fate = random.below(3);
  if (fate === 0) return;
  if (fate === 1 || "truncateTo" in change) return apply(extent, change);
  for (let at = 0; at < change.bytes.length;) {
    const sectorEnd = sectorBytes - ((change.offset + at) % sectorBytes) + at;
    const bytes = change.bytes.subarray(at, sectorEnd);
    if (random.below(2) === 0) apply(extent, { offset: change.offset + at, bytes });
    at = sectorEnd;
  }
}
