import { type KubeObject, keyOfObject } from "#apimachinery/object.ts";

/**
 * Reads of an informer's cache. Objects and arrays are shared: never change them. The same array
 * comes back until something in it changes, so identity may serve as a version.
 */
export interface Lister<T extends KubeObject> {
  readonly size: number;
  get(key: string): T | undefined;
  /** In no promised order. */
  list(): readonly T[];
  inNamespace(namespace: string): readonly T[];
  /** Objects whose controller reference names `uid`. */
  ownedBy(uid: string | undefined): readonly T[];
  /** Objects that `index` files under `value`; the index must have been added. */
  by(index: Index<T>, value: string): readonly T[];
}

/** A way to find objects: compared by identity, so make it once and export it. */
export interface Index<T> {
  readonly name: string;
  readonly valuesOf: (object: T) => readonly string[];
}

export const byNamespace: Index<KubeObject> = {
  name: "namespace",
  valuesOf: (object) => [object.metadata?.namespace ?? ""],
};

export const byController: Index<KubeObject> = {
  name: "controller",
  valuesOf(object) {
    const owner = object.metadata?.ownerReferences?.find((reference) => reference.controller);
    return owner ? [owner.uid] : [];
  },
};

/** A cache by key with indexes, both kept in step by every call. */
export interface Indexer<T extends KubeObject> extends Lister<T> {
  /** Returns what was there before. */
  set(object: T): T | undefined;
  delete(key: string): T | undefined;
  keys(): IterableIterator<string>;
  /** Files what is there already; does nothing for an index that it has. */
  addIndex(index: Index<T>): void;
}

const none: readonly never[] = Object.freeze([]);

/** Objects by key, with their array made on demand and kept until something changes. */
interface Bucket<T> {
  readonly objects: Map<string, T>;
  array: readonly T[] | undefined;
}

export function createIndexer<T extends KubeObject>(indexes: readonly Index<T>[] = []): Indexer<T> {
  const all: Bucket<T> = { objects: new Map(), array: undefined };
  const filed = new Map<Index<T>, Map<string, Bucket<T>>>();

  function addIndex(index: Index<T>): void {
    if (filed.has(index)) return;
    filed.set(index, new Map());
    for (const [key, object] of all.objects) file(index, key, object);
  }

  function file(index: Index<T>, key: string, object: T): void {
    const buckets = filed.get(index);
    for (const value of index.valuesOf(object)) {
      const bucket = buckets?.get(value) ?? { objects: new Map<string, T>(), array: undefined };
      buckets?.set(value, bucket);
      put(bucket, key, object);
    }
  }

  function unfile(index: Index<T>, key: string, object: T): void {
    const buckets = filed.get(index);
    for (const value of index.valuesOf(object)) {
      const bucket = buckets?.get(value);
      if (bucket === undefined) continue;
      remove(bucket, key);
      if (bucket.objects.size === 0) buckets?.delete(value);
    }
  }

  function replaceIn(index: Index<T>, key: string, change: { old?: T | undefined; next: T }): void {
    const { old, next } = change;
    if (old !== undefined) {
      const kept = index.valuesOf(next);
      const before = index.valuesOf(old);
      if (before.length !== kept.length || before.some((value, i) => value !== kept[i])) {
        unfile(index, key, old);
      }
    }
    file(index, key, next);
  }

  for (const index of [byNamespace, byController, ...indexes]) addIndex(index);

  return {
    get size() {
      return all.objects.size;
    },
    get: (key) => all.objects.get(key),
    list: () => arrayOf(all),
    inNamespace: (namespace) => arrayOf(filed.get(byNamespace)?.get(namespace)),
    ownedBy: (uid) => (uid === undefined ? none : arrayOf(filed.get(byController)?.get(uid))),
    by(index, value) {
      addIndex(index);
      return arrayOf(filed.get(index)?.get(value));
    },
    keys: () => all.objects.keys(),
    addIndex,
    set(object) {
      const key = keyOfObject(object);
      const old = all.objects.get(key);
      put(all, key, object);
      for (const index of filed.keys()) replaceIn(index, key, { old, next: object });
      return old;
    },
    delete(key) {
      const old = all.objects.get(key);
      if (old === undefined) return undefined;
      remove(all, key);
      for (const index of filed.keys()) unfile(index, key, old);
      return old;
    },
  };
}

function put<T>(bucket: Bucket<T>, key: string, object: T): void {
  bucket.objects.set(key, object);
  bucket.array = undefined;
}

function remove<T>(bucket: Bucket<T>, key: string): void {
  if (bucket.objects.delete(key)) bucket.array = undefined;
}

function arrayOf<T>(bucket: Bucket<T> | undefined): readonly T[] {
  if (bucket === undefined) return none;
  bucket.array ??= Object.freeze([...bucket.objects.values()]);
  return bucket.array;
}
