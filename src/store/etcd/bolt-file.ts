/**
 * Writes etcd's database file: a bbolt B+ tree in pages of 4096 bytes, so that `etcdctl snapshot
 * status` and `restore` take a snapshot of any store. Source: bbolt `page.go`, `bucket.go`,
 * `db.go` (format version 2).
 *
 * Layout: two meta pages, an empty free list, then the leaves and inner pages of each bucket from
 * left to right and bottom up, last the leaf of the root bucket that names them.
 */

const pageBytes = 4096;
const pageHeaderBytes = 16;
const elementBytes = 16;
const bucketHeaderBytes = 16;
const flagBranch = 0x01;
const flagLeaf = 0x02;
const flagMeta = 0x04;
const flagFreelist = 0x10;
/** Marks a leaf element as a bucket. */
const elementBucket = 0x01;
const metaMagic = 0xed0cdaed;
const formatVersion = 2;
const firstDataPage = 3;
/** Pages are filled up to this, so that a later insert does not split each. */
const fillBytes = pageBytes;

export interface BoltItem {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A bucket's items, keys ascending; by index, so that values can be made when they are needed. */
export interface BoltBucket {
  readonly name: string;
  readonly count: number;
  keyAt(index: number): Uint8Array;
  valueBytesAt(index: number): number;
  valueAt(index: number): Uint8Array;
}

/** A page of a bucket: leaves hold items, branches the pages below. */
interface PlannedPage {
  readonly id: number;
  readonly pages: number;
  readonly leaf: boolean;
  /** First item or child, and the one after the last. */
  readonly start: number;
  readonly end: number;
  readonly firstKey: Uint8Array;
}

interface PlannedBucket {
  readonly bucket: BoltBucket;
  readonly levels: readonly (readonly PlannedPage[])[];
  readonly root: number;
}

export function listBucket(name: string, items: readonly BoltItem[]): BoltBucket {
  const at = (index: number): BoltItem => items[index] as BoltItem;
  return {
    name,
    count: items.length,
    keyAt: (index) => at(index).key,
    valueBytesAt: (index) => at(index).value.length,
    valueAt: (index) => at(index).value,
  };
}

/** The file in pieces, and its size. Buckets come in the order of their names. */
export function boltFile(buckets: readonly BoltBucket[]): {
  readonly sizeBytes: number;
  readonly pieces: Iterable<Buffer>;
} {
  let next = firstDataPage;
  const planned = buckets.map((bucket) => {
    const levels = planLevels(bucket, next);
    next = levels.flat().reduce((end, page) => Math.max(end, page.id + page.pages), next);
    return { bucket, levels, root: levels.at(-1)?.[0]?.id ?? 0 };
  });
  const rootPage = next;
  const pageCount = rootPage + 1;
  return { sizeBytes: pageCount * pageBytes, pieces: pieces(planned, rootPage, pageCount) };
}

function* pieces(
  buckets: readonly PlannedBucket[],
  rootPage: number,
  pageCount: number,
): Generator<Buffer> {
  yield metaPage(0, rootPage, pageCount);
  yield metaPage(1, rootPage, pageCount);
  yield page({ id: 2, flags: flagFreelist, count: 0, pages: 1 });
  for (const { bucket, levels } of buckets) {
    for (const [level, pages] of levels.entries()) {
      for (const each of pages) {
        yield each.leaf ? leafPage(bucket, each) : branchPage(each, levels[level - 1] ?? []);
      }
    }
  }
  const named = buckets.map(({ bucket, root }) => {
    const value = Buffer.alloc(bucketHeaderBytes);
    value.writeBigUInt64LE(BigInt(root), 0);
    return { key: Buffer.from(bucket.name), value };
  });
  const root = { id: rootPage, pages: 1, leaf: true, start: 0, end: named.length };
  yield leafPage(listBucket("", named), { ...root, firstKey: Buffer.alloc(0) }, elementBucket);
}

function planLevels(bucket: BoltBucket, firstPage: number): PlannedPage[][] {
  let next = firstPage;
  const pack = (
    count: number,
    leaf: boolean,
    keyAt: BoltBucket["keyAt"],
    extra: BoltBucket["valueBytesAt"],
  ): PlannedPage[] => {
    const packed: PlannedPage[] = [];
    for (let start = 0; start < count || (start === 0 && packed.length === 0);) {
      let bytes = pageHeaderBytes;
      let end = start;
      while (end < count) {
        const itemBytes = elementBytes + keyAt(end).length + extra(end);
        // A branch needs two children, or the tree would never end.
        if (bytes + itemBytes > fillBytes && end - start >= (leaf ? 1 : 2)) break;
        bytes += itemBytes;
        end++;
      }
      const pages = Math.ceil(bytes / pageBytes);
      const firstKey = end > start ? keyAt(start) : Buffer.alloc(0);
      packed.push({ id: next, pages, leaf, start, end, firstKey });
      next += pages;
      start = end;
    }
    return packed;
  };
  const levels = [pack(bucket.count, true, bucket.keyAt, bucket.valueBytesAt)];
  for (let below = levels[0] ?? []; below.length > 1;) {
    const children = below;
    below = pack(
      children.length,
      false,
      (i) => (children[i] as PlannedPage).firstKey,
      () => 0,
    );
    levels.push(below);
  }
  return levels;
}

function page(from: { id: number; flags: number; count: number; pages: number }): Buffer {
  const buffer = Buffer.alloc(from.pages * pageBytes);
  buffer.writeBigUInt64LE(BigInt(from.id), 0);
  buffer.writeUInt16LE(from.flags, 8);
  buffer.writeUInt16LE(from.count, 10);
  buffer.writeUInt32LE(from.pages - 1, 12);
  return buffer;
}

function metaPage(id: number, rootPage: number, pageCount: number): Buffer {
  const buffer = page({ id, flags: flagMeta, count: 0, pages: 1 });
  const at = pageHeaderBytes;
  buffer.writeUInt32LE(metaMagic, at);
  buffer.writeUInt32LE(formatVersion, at + 4);
  buffer.writeUInt32LE(pageBytes, at + 8);
  buffer.writeBigUInt64LE(BigInt(rootPage), at + 16);
  buffer.writeBigUInt64LE(2n, at + 32);
  buffer.writeBigUInt64LE(BigInt(pageCount), at + 40);
  buffer.writeBigUInt64LE(BigInt(id), at + 48);
  buffer.writeBigUInt64LE(fnv64a(buffer.subarray(at, at + 56)), at + 56);
  return buffer;
}

function leafPage(bucket: BoltBucket, planned: PlannedPage, flags = 0): Buffer {
  const { id, pages, start, end } = planned;
  const buffer = page({ id, flags: flagLeaf, count: end - start, pages });
  let element = pageHeaderBytes;
  let data = pageHeaderBytes + (end - start) * elementBytes;
  for (let i = start; i < end; i++, element += elementBytes) {
    const key = bucket.keyAt(i);
    const value = bucket.valueAt(i);
    buffer.writeUInt32LE(flags, element);
    buffer.writeUInt32LE(data - element, element + 4);
    buffer.writeUInt32LE(key.length, element + 8);
    buffer.writeUInt32LE(value.length, element + 12);
    buffer.set(key, data);
    buffer.set(value, data + key.length);
    data += key.length + value.length;
  }
  return buffer;
}

function branchPage(planned: PlannedPage, below: readonly PlannedPage[]): Buffer {
  const children = below.slice(planned.start, planned.end);
  const { id, pages } = planned;
  const buffer = page({ id, flags: flagBranch, count: children.length, pages });
  let element = pageHeaderBytes;
  let data = pageHeaderBytes + children.length * elementBytes;
  for (const { id: child, firstKey } of children) {
    buffer.writeUInt32LE(data - element, element);
    buffer.writeUInt32LE(firstKey.length, element + 4);
    buffer.writeBigUInt64LE(BigInt(child), element + 8);
    buffer.set(firstKey, data);
    element += elementBytes;
    data += firstKey.length;
  }
  return buffer;
}

function fnv64a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
