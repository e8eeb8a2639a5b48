/**
 * The heart of the in-process stores: a deterministic state machine without time and without I/O.
 *
 * A key's versions form a chain, newest first, whose head is in the tree:
 *
 *     put a=1 (rev 2), put a=2 (rev 3), delete a (rev 4), compact 3:
 *     tree: a -> {rev 4, deleted} -> {rev 3, "2"} -> {rev 2, "1"}       before the compaction
 *     tree: a -> {rev 4, deleted} -> {rev 3, "2"}                       after it
 *     a compaction at 4 then takes the deleted head out of the tree.
 *
 * Invariants: 1. `compacted <= visible <= tip`. Transactions run against the tip; what readers and
 * watchers see is `visible`; a durable store raises it when the disk has caught up. 2. The log has
 * the entries of every revision above `compacted`. 3. Chains hold all versions that a read
 * at `compacted` or later needs. 4. `rollback` undoes exactly what is above `visible`.
 */
import { BTree } from "./btree.ts";
import { compareHolds, isLive } from "./compare.ts";
import type { LeaseTable } from "./lease-table.ts";
import { RevisionLog } from "./revision-log.ts";
import {
  CompactedError,
  DuplicateKeyError,
  FutureRevisionError,
  LeaseNotFoundError,
  type Key,
  type KeyRange,
  type KeyValue,
  type Op,
  type OpResult,
  type RangeQuery,
  type RangeResult,
  type Revision,
  type Txn,
  type TxnResult,
} from "./store.ts";

/** One version of a key. `kv.version` is 0 when the key was deleted. */
export interface Entry {
  readonly kv: KeyValue;
  /** The version before; undefined also when compaction cut it off. */
  prev: Entry | undefined;
  /** The next entry of the same transaction. */
  sibling: Entry | undefined;
}

/** Revision of a store that nothing was written to. */
export const firstRevision = 1;

export const emptyValue: Uint8Array = new Uint8Array(0);
/** A count at an older revision is put right by this many revisions, rather than counted anew. */
const countedRevisionsMax = 1_000;
const putWithoutPrev: OpResult = { op: "put" };

/** Where a restored store begins: a tree of single versions, and its revisions. */
export interface MvccSeed {
  readonly tree: BTree<Entry>;
  readonly revision: Revision;
  readonly compacted: Revision;
}

/** 1 for what a reader of the newest revision sees: so the tree counts. */
export function weighEntry({ kv }: Entry): number {
  return isLive(kv) ? 1 : 0;
}

export class Mvcc {
  readonly #tree: BTree<Entry>;
  readonly #leases: LeaseTable;
  readonly #log: RevisionLog<Entry>;
  #tip: Revision;
  #visible: Revision;
  #compacted: Revision;
  /** Up to here `trim` has cut the chains. */
  #trimmed: Revision;
  /** Last entry of the transaction that runs. */
  #last: Entry | undefined;

  constructor(leases: LeaseTable, seed?: MvccSeed) {
    this.#leases = leases;
    this.#tree = seed?.tree ?? new BTree(weighEntry);
    this.#tip = this.#visible = seed?.revision ?? firstRevision;
    this.#compacted = this.#trimmed = seed?.compacted ?? 0;
    this.#log = new RevisionLog(this.#tip + 1);
  }

  /** Revision of the newest transaction. */
  get tip(): Revision {
    return this.#tip;
  }

  /** Revision that readers see. */
  get visible(): Revision {
    return this.#visible;
  }

  get compacted(): Revision {
    return this.#compacted;
  }

  /** First entry (the others are its siblings) of a revision in the log. */
  entriesAt(revision: Revision): Entry | undefined {
    return this.#log.at(revision);
  }

  /**
   * Runs a transaction against the tip. Raises `tip` when it wrote. Nothing has changed when it
   * throws. Errors: as `Store.txn` and `Store.range`, and `DuplicateKeyError`.
   */
  evaluate(txn: Txn): TxnResult {
    const { compare } = txn;
    let succeeded = true;
    for (let i = 0; succeeded && i < compare.length; i++) {
      const condition = compare[i] as Txn["compare"][number];
      succeeded = compareHolds(condition, this.#tree.get(condition.key));
    }
    const ops = succeeded ? txn.success : (txn.failure ?? []);
    this.#check(ops);
    this.#last = undefined;
    const results: OpResult[] = [];
    for (const op of ops) results.push(this.#apply(op, this.#tip + 1));
    if (this.#last !== undefined) this.#tip++;
    return { succeeded, revision: this.#tip, results };
  }

  /** Repeats a transaction that was recorded: without conditions, and without checks. */
  replay(ops: readonly Op[]): void {
    this.#last = undefined;
    for (const op of ops) this.#apply(op, this.#tip + 1);
    this.#tip++;
    this.#visible = this.#tip;
  }

  /** Takes over what another store did at `revision`; what lies between did nothing here. */
  mirror(revision: Revision, kvs: readonly KeyValue[]): void {
    this.#log.skip(revision - this.#tip - 1);
    this.#last = undefined;
    for (const kv of kvs) {
      this.#push({ kv, prev: this.#tree.get(kv.key), sibling: undefined });
    }
    if (kvs.length === 0) this.#log.skip(1);
    this.#tip = this.#visible = revision;
  }

  /** Jumps to a revision ahead, and forgets all history. */
  advance(revision: Revision): void {
    if (this.#visible > this.#compacted) this.compact(this.#visible);
    while (this.trim(Number.POSITIVE_INFINITY));
    this.#tip = this.#visible = this.#compacted = this.#trimmed = revision;
    this.#log.restart(revision + 1);
  }

  /** Lets readers see everything up to `revision`. */
  publish(revision: Revision): void {
    this.#visible = revision;
  }

  /** Undoes every transaction above `visible`. */
  rollback(): void {
    this.#revert(this.#tree, true);
    this.#log.dropAbove(this.#visible);
    this.#tip = this.#visible;
  }

  /** Errors: `CompactedError`, `FutureRevisionError`. */
  range(query: RangeQuery): RangeResult {
    this.#checkRevision(query.revision, this.#visible);
    const { notOlderThan = 0 } = query;
    if (notOlderThan > this.#visible) throw new FutureRevisionError(this.#visible);
    return this.#range(query, query.revision || this.#visible, this.#visible);
  }

  /**
   * Up to `limit` live entries at `revision`, from `key` on. For slow readers that let others in
   * between pages: `trim` must not run past `revision` meanwhile.
   */
  page(key: Key, revision: Revision, limit: number): KeyValue[] {
    const found: KeyValue[] = [];
    this.#tree.scan(key, undefined, (head) => {
      const kv = versionAt(head, revision);
      if (kv !== undefined) found.push(kv);
      return found.length >= limit;
    });
    return found;
  }

  /** Forbids reads below `revision`. Errors: `CompactedError`, `FutureRevisionError`. */
  compact(revision: Revision): void {
    if (revision <= this.#compacted) throw new CompactedError(this.#compacted);
    if (revision > this.#visible) throw new FutureRevisionError(this.#visible);
    this.#compacted = revision;
  }

  /**
   * Frees what compaction made unreachable, but nothing that a read at `keptFrom` needs.
   * Returns whether more is left than about `entriesMax` entries.
   */
  trim(entriesMax: number, keptFrom = this.#compacted): boolean {
    let left = entriesMax;
    const end = Math.min(this.#compacted, keptFrom);
    while (this.#trimmed < end) {
      if (left <= 0) return true;
      const revision = this.#trimmed + 1;
      for (let entry = this.#log.at(revision); entry !== undefined; entry = entry.sibling) {
        const { key } = entry.kv;
        entry.prev = undefined;
        if (!isLive(entry.kv) && this.#tree.get(key) === entry) this.#tree.delete(key);
        left--;
      }
      this.#trimmed = revision;
      this.#log.dropBelow(revision + 1);
    }
    return false;
  }

  /** A second machine, at `visible` and without the history before; O(1) in the number of keys. */
  fork(leases: LeaseTable): Mvcc {
    const tree = this.#tree.fork();
    this.#revert(tree, false);
    return new Mvcc(leases, { tree, revision: this.#visible, compacted: this.#visible });
  }

  #check(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.op === "range") this.#checkRevision(op.revision, this.#tip);
      else if (op.op === "put" && op.lease && !this.#leases.has(op.lease)) {
        throw new LeaseNotFoundError();
      }
    }
    if (ops.length > 1) checkDuplicates(ops);
  }

  #checkRevision(revision: Revision | undefined, newest: Revision): void {
    if (!revision) return;
    if (revision > newest) throw new FutureRevisionError(newest);
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
  }

  #apply(op: Op, revision: Revision): OpResult {
    switch (op.op) {
      case "put":
        return this.#put(op.key, op.value, op.lease ?? 0n, revision);
      case "delete":
        return this.#delete(op, revision, op.prevKv === true);
      case "range": {
        const newest = this.#last === undefined ? this.#tip : revision;
        return { op: "range", ...this.#range(op, op.revision || newest, newest) };
      }
    }
  }

  #put(key: Key, value: Uint8Array, lease: bigint, revision: Revision): OpResult {
    const prev = this.#tree.get(key);
    const before = prev !== undefined && isLive(prev.kv) ? prev.kv : undefined;
    const kv: KeyValue = {
      key,
      value,
      createRevision: before === undefined ? revision : before.createRevision,
      modRevision: revision,
      version: before === undefined ? 1 : before.version + 1,
      lease,
    };
    this.#push({ kv, prev, sibling: undefined });
    if (before !== undefined && before.lease !== lease) this.#leases.detach(before.lease, key);
    if (lease !== 0n) this.#leases.attach(lease, key);
    return before === undefined ? putWithoutPrev : { op: "put", prevKv: before };
  }

  #delete(range: KeyRange, revision: Revision, withPrev: boolean): OpResult {
    const found: Entry[] = [];
    this.#scan(range, (head) => void (isLive(head.kv) && found.push(head)));
    for (const prev of found) {
      const { key, lease } = prev.kv;
      this.#push({ kv: tombstone(key, revision), prev, sibling: undefined });
      this.#leases.detach(lease, key);
    }
    const prevKvs = withPrev ? found.map((entry) => entry.kv) : [];
    return { op: "delete", deleted: found.length, prevKvs };
  }

  /** Makes an entry of the running transaction the head of its chain. */
  #push(entry: Entry): void {
    this.#tree.set(entry.kv.key, entry);
    if (this.#last === undefined) this.#log.push(entry);
    else this.#last.sibling = entry;
    this.#last = entry;
  }

  #scan({ key, end }: KeyRange, visit: (head: Entry) => boolean | void): void {
    if (end !== undefined) return this.#tree.scan(key, end === "\0" ? undefined : end, visit);
    const head = this.#tree.get(key);
    if (head !== undefined) visit(head);
  }

  #range(query: RangeQuery, at: Revision, revision: Revision): RangeResult {
    const limit = query.countOnly ? 0 : query.limit || Number.POSITIVE_INFINITY;
    const entries: KeyValue[] = [];
    if (limit > 0) {
      this.#scan(query, (head) => {
        const kv = versionAt(head, at);
        if (kv === undefined) return false;
        entries.push(query.keysOnly ? { ...kv, value: emptyValue } : kv);
        return entries.length >= limit;
      });
    }
    const count = entries.length < limit && limit > 0 ? entries.length : this.#count(query, at);
    return { revision, entries, count, more: !query.countOnly && count > entries.length };
  }

  #count(range: KeyRange, at: Revision): number {
    const newest = this.#last === undefined ? this.#tip : this.#tip + 1;
    let count = 0;
    if (range.end === undefined || newest - at > countedRevisionsMax) {
      this.#scan(range, (head) => void (versionAt(head, at) !== undefined && count++));
      return count;
    }
    const end = range.end === "\0" ? undefined : range.end;
    count = this.#tree.weightOf(range.key, end);
    const seen = new Set<Key>();
    for (let revision = newest; revision > at; revision--) {
      for (let entry = this.#log.at(revision); entry !== undefined; entry = entry.sibling) {
        const { key } = entry.kv;
        if (key < range.key || (end !== undefined && key >= end) || seen.has(key)) continue;
        seen.add(key);
        const head = this.#tree.get(key);
        if (head === undefined) continue;
        count += (versionAt(head, at) === undefined ? 0 : 1) - weighEntry(head);
      }
    }
    return count;
  }

  /** Makes what is visible the head of each chain that the log above `visible` touches. */
  #revert(tree: BTree<Entry>, leases: boolean): void {
    for (let revision = this.#tip; revision > this.#visible; revision--) {
      for (let entry = this.#log.at(revision); entry !== undefined; entry = entry.sibling) {
        const { kv, prev } = entry;
        const gone =
          prev === undefined || (!isLive(prev.kv) && prev.kv.modRevision <= this.#trimmed);
        if (gone) tree.delete(kv.key);
        else tree.set(kv.key, prev);
        if (!leases) continue;
        this.#leases.detach(kv.lease, kv.key);
        if (prev !== undefined && prev.kv.lease !== 0n) this.#leases.attach(prev.kv.lease, kv.key);
      }
    }
  }
}

/** The version that a reader at `revision` sees; undefined when there is none. */
function versionAt(head: Entry, revision: Revision): KeyValue | undefined {
  let entry: Entry | undefined = head;
  while (entry !== undefined && entry.kv.modRevision > revision) entry = entry.prev;
  return entry !== undefined && isLive(entry.kv) ? entry.kv : undefined;
}

function tombstone(key: Key, revision: Revision): KeyValue {
  const kv = { key, value: emptyValue, createRevision: 0, modRevision: revision, version: 0 };
  return { ...kv, lease: 0n };
}

/** Source: etcd's checkTxnRequest: a key may be put once, and not be deleted beside. */
function checkDuplicates(ops: readonly Op[]): void {
  const puts = new Set<Key>();
  for (const op of ops) {
    if (op.op !== "put") continue;
    if (puts.has(op.key)) throw new DuplicateKeyError();
    puts.add(op.key);
  }
  for (const op of ops) {
    if (op.op !== "delete") continue;
    const { key, end } = op;
    const inRange = (put: Key): boolean =>
      end === undefined ? put === key : put >= key && (end === "\0" || put < end);
    if (puts.size > 0 && [...puts].some(inRange)) throw new DuplicateKeyError();
  }
}
