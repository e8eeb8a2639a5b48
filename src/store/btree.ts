/**
 * An ordered map from keys to entries that forks in O(1): a B+ tree whose nodes carry the token of
 * the one tree that may change them in place. `fork` gives both trees a fresh token, so each copies
 * a node the first time that it changes it, and shares all others.
 *
 * Invariants: 1. Keys ascend over all leaves. 2. `keys[i]` of an inner node is above every key
 * below `children[i]` and at most the least key below `children[i + 1]`. 3. All leaves are equally
 * deep. 4. No node but the root is empty, none is above `widthMax`. 5. A tree never changes a node
 * with another's token.
 */
import type { Key } from "./store.ts";

/** Most keys of a leaf, and most children of an inner node. */
export const widthMax = 64;

interface Leaf<E> {
  owner: object;
  weight: number;
  readonly keys: Key[];
  readonly entries: E[];
  readonly children: undefined;
}

interface Inner<E> {
  owner: object;
  /** Sum of the weights of all entries below. */
  weight: number;
  readonly keys: Key[];
  readonly entries: undefined;
  readonly children: Node<E>[];
}

type Node<E> = Leaf<E> | Inner<E>;

/** Weight of an entry, an integer that never changes; sums of ranges are cheap to get. */
export type Weigh<E> = (entry: E) => number;

/** Deeper than any tree in memory can be: 64 ** 10. */
const depthMax = 10;

export class BTree<E> {
  readonly #weigh: Weigh<E>;
  #owner: object = {};
  #root: Node<E>;
  #size = 0;
  /** Where `#seek` went: inner nodes, the child taken in each, then leaf and place in it. */
  readonly #path: Inner<E>[] = [];
  readonly #taken: number[] = [];
  #depth = 0;
  #leaf: Leaf<E>;
  #at = 0;
  /** The key of the last seek while the path is good; saves the second descent of a read-write. */
  #sought: Key | undefined;

  constructor(weigh: Weigh<E>) {
    this.#weigh = weigh;
    this.#leaf = this.#newLeaf([], []);
    this.#root = this.#leaf;
  }

  /** Builds a tree from keys that ascend. */
  static fromSorted<E>(weigh: Weigh<E>, keys: readonly Key[], entries: readonly E[]): BTree<E> {
    const tree = new BTree<E>(weigh);
    if (keys.length === 0) return tree;
    let level: Node<E>[] = [];
    let least: Key[] = [];
    for (let at = 0; at < keys.length; at += widthMax) {
      level.push(tree.#newLeaf(keys.slice(at, at + widthMax), entries.slice(at, at + widthMax)));
      least.push(keys[at] as Key);
    }
    while (level.length > 1) {
      const above: Node<E>[] = [];
      const leastAbove: Key[] = [];
      for (let at = 0; at < level.length; at += widthMax) {
        const children = level.slice(at, at + widthMax);
        above.push(newInner(tree.#owner, least.slice(at + 1, at + widthMax), children));
        leastAbove.push(least[at] as Key);
      }
      level = above;
      least = leastAbove;
    }
    tree.#root = level[0] as Node<E>;
    tree.#size = keys.length;
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** A second tree with the same content; later changes of either are not seen by the other. */
  fork(): BTree<E> {
    const fork = new BTree<E>(this.#weigh);
    fork.#root = this.#root;
    fork.#size = this.#size;
    this.#owner = {};
    this.#sought = undefined;
    return fork;
  }

  get(key: Key): E | undefined {
    return this.#seek(key) ? this.#leaf.entries[this.#at] : undefined;
  }

  set(key: Key, entry: E): void {
    const found = this.#seek(key);
    const leaf = this.#ownPath();
    if (found) {
      this.#addWeight(this.#weigh(entry) - this.#weigh(leaf.entries[this.#at] as E));
      leaf.entries[this.#at] = entry;
      return;
    }
    leaf.keys.splice(this.#at, 0, key);
    leaf.entries.splice(this.#at, 0, entry);
    this.#addWeight(this.#weigh(entry));
    this.#size++;
    if (leaf.keys.length > widthMax) this.#split(leaf);
  }

  delete(key: Key): boolean {
    if (!this.#seek(key)) return false;
    const leaf = this.#ownPath();
    this.#addWeight(-this.#weigh(leaf.entries[this.#at] as E));
    leaf.keys.splice(this.#at, 1);
    leaf.entries.splice(this.#at, 1);
    this.#size--;
    this.#sought = undefined;
    this.#shrink(leaf);
    return true;
  }

  /**
   * Calls `visit` with each entry whose key is in [key, end), ascending, until it returns true.
   * `end: undefined` means no upper bound. The tree must not change meanwhile.
   */
  scan(key: Key, end: Key | undefined, visit: (entry: E, key: Key) => boolean | void): void {
    scanNode(this.#root, key, end, visit);
  }

  /** Sum of the weights in [key, end), in logarithmic time. */
  weightOf(key: Key, end: Key | undefined): number {
    return weightBelow(this.#root, key, end, this.#weigh);
  }

  #newLeaf(keys: Key[], entries: E[]): Leaf<E> {
    let weight = 0;
    for (const entry of entries) weight += this.#weigh(entry);
    return newLeaf(this.#owner, keys, entries, weight);
  }

  /** The path must be this tree's own. */
  #addWeight(weight: number): void {
    if (weight === 0) return;
    this.#leaf.weight += weight;
    for (let depth = 0; depth < this.#depth; depth++) {
      (this.#path[depth] as Inner<E>).weight += weight;
    }
  }

  #seek(key: Key): boolean {
    if (this.#sought === key) return this.#leaf.keys[this.#at] === key;
    let node = this.#root;
    let depth = 0;
    while (node.children !== undefined) {
      const taken = upperBound(node.keys, key);
      this.#path[depth] = node;
      this.#taken[depth++] = taken;
      node = node.children[taken] as Node<E>;
    }
    this.#depth = depth;
    this.#leaf = node;
    this.#at = lowerBound(node.keys, key);
    this.#sought = key;
    return node.keys[this.#at] === key;
  }

  /** Makes every node of the path this tree's own; returns the leaf. */
  #ownPath(): Leaf<E> {
    if (this.#leaf.owner === this.#owner) return this.#leaf;
    let above: Inner<E> | undefined;
    for (let depth = 0; depth < this.#depth; depth++) {
      let node = this.#path[depth] as Inner<E>;
      if (node.owner !== this.#owner) {
        node = newInner(this.#owner, node.keys.slice(), node.children.slice());
        this.#path[depth] = node;
        this.#replaceChild(above, depth, node);
      }
      above = node;
    }
    const { keys, entries, weight } = this.#leaf;
    this.#leaf = newLeaf(this.#owner, keys.slice(), entries.slice(), weight);
    this.#replaceChild(above, this.#depth, this.#leaf);
    return this.#leaf;
  }

  #replaceChild(above: Inner<E> | undefined, depth: number, node: Node<E>): void {
    if (above === undefined) this.#root = node;
    else above.children[this.#taken[depth - 1] as number] = node;
  }

  /** Splits a node of the path that is too wide, and those above as need be. */
  #split(leaf: Leaf<E>): void {
    this.#sought = undefined;
    const half = leaf.keys.length >> 1;
    let right: Node<E> = this.#newLeaf(leaf.keys.splice(half), leaf.entries.splice(half));
    leaf.weight -= right.weight;
    let separator = right.keys[0] as Key;
    for (let depth = this.#depth - 1; depth >= 0; depth--) {
      const node = this.#path[depth] as Inner<E>;
      const taken = this.#taken[depth] as number;
      node.keys.splice(taken, 0, separator);
      node.children.splice(taken + 1, 0, right);
      if (node.children.length <= widthMax) return;
      const middle = node.children.length >> 1;
      const children = node.children.splice(middle);
      const keys = node.keys.splice(middle);
      separator = node.keys.pop() as Key;
      right = newInner(this.#owner, keys, children);
      node.weight -= right.weight;
    }
    this.#root = newInner(this.#owner, [separator], [this.#root, right]);
  }

  /** Joins a node of the path with a neighbour when both fit in one, and those above likewise. */
  #shrink(leaf: Leaf<E>): void {
    let node: Node<E> = leaf;
    for (let depth = this.#depth - 1; depth >= 0; depth--) {
      const above = this.#path[depth] as Inner<E>;
      if (!this.#join(above, this.#taken[depth] as number, node)) break;
      node = above;
    }
    while (this.#root.children?.length === 1) this.#root = this.#root.children[0] as Node<E>;
    if (this.#root.children?.length === 0) this.#root = this.#newLeaf([], []);
  }

  #join(above: Inner<E>, at: number, node: Node<E>): boolean {
    const width = widthOf(node);
    if (width > widthMax / 4) return false;
    const leftAt = at > 0 ? at - 1 : at;
    const left = above.children[leftAt] as Node<E>;
    const right = above.children[leftAt + 1];
    if (right === undefined || widthOf(left) + widthOf(right) > widthMax / 2) {
      if (width > 0) return false;
      above.children.splice(at, 1);
      above.keys.splice(Math.max(0, at - 1), 1);
      return true;
    }
    above.children.splice(leftAt, 2, joined(this.#owner, left, right, above.keys[leftAt] as Key));
    above.keys.splice(leftAt, 1);
    return true;
  }

  /** Throws unless the invariants hold; for tests. */
  check(): void {
    const keys: Key[] = [];
    const depths = new Set<number>();
    const walk = (
      node: Node<E>,
      low: Key | undefined,
      high: Key | undefined,
      depth: number,
    ): void => {
      const width = widthOf(node);
      check(width <= widthMax && (width > 0 || node === this.#root), `width ${width}`);
      check(depth <= depthMax, `depth ${depth}`);
      const parts = node.children ?? node.entries.map((entry) => ({ weight: this.#weigh(entry) }));
      check(node.weight === parts.reduce((sum, { weight }) => sum + weight, 0), "weight");
      if (node.children === undefined) {
        depths.add(depth);
        keys.push(...node.keys);
        check(node.keys.length === node.entries.length, "keys and entries differ in number");
        for (const key of node.keys) {
          check((low === undefined || low <= key) && (high === undefined || key < high), key);
        }
        return;
      }
      check(node.keys.length === node.children.length - 1, "separators and children");
      for (const [i, child] of node.children.entries()) {
        walk(child, node.keys[i - 1] ?? low, node.keys[i] ?? high, depth + 1);
      }
    };
    walk(this.#root, undefined, undefined, 0);
    check(depths.size === 1, "leaves are not equally deep");
    check(keys.length === this.#size, "size");
    for (let i = 1; i < keys.length; i++) check((keys[i - 1] as Key) < (keys[i] as Key), "order");
  }
}

function newLeaf<E>(owner: object, keys: Key[], entries: E[], weight: number): Leaf<E> {
  return { owner, weight, keys, entries, children: undefined };
}

function newInner<E>(owner: object, keys: Key[], children: Node<E>[]): Inner<E> {
  let weight = 0;
  for (const child of children) weight += child.weight;
  return { owner, weight, keys, entries: undefined, children };
}

function widthOf<E>(node: Node<E>): number {
  return node.children === undefined ? node.keys.length : node.children.length;
}

function joined<E>(owner: object, left: Node<E>, right: Node<E>, separator: Key): Node<E> {
  if (left.children === undefined) {
    const entries = right.entries ?? [];
    const keys = [...left.keys, ...right.keys];
    return newLeaf(owner, keys, [...left.entries, ...entries], left.weight + right.weight);
  }
  const children = [...left.children, ...(right.children ?? [])];
  return newInner(owner, [...left.keys, separator, ...right.keys], children);
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(`broken tree: ${message}`);
}

/** Index of the first key at or above `key`. */
function lowerBound(keys: readonly Key[], key: Key): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as Key) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first key above `key`. */
function upperBound(keys: readonly Key[], key: Key): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key < (keys[middle] as Key)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function scanNode<E>(
  node: Node<E>,
  key: Key,
  end: Key | undefined,
  visit: (entry: E, key: Key) => boolean | void,
): boolean {
  if (node.children === undefined) {
    const { keys, entries } = node;
    const last = keys[keys.length - 1];
    const stop =
      end === undefined || (last !== undefined && last < end) ? keys.length : lowerBound(keys, end);
    for (let i = lowerBound(keys, key); i < stop; i++) {
      if (visit(entries[i] as E, keys[i] as Key) === true) return true;
    }
    return false;
  }
  const { keys, children } = node;
  const last = end === undefined ? children.length - 1 : lowerBound(keys, end);
  for (let i = upperBound(keys, key); i <= last; i++) {
    if (scanNode(children[i] as Node<E>, key, end, visit)) return true;
  }
  return false;
}

function weightBelow<E>(
  node: Node<E>,
  key: Key | undefined,
  end: Key | undefined,
  weigh: Weigh<E>,
): number {
  if (key === undefined && end === undefined) return node.weight;
  let weight = 0;
  if (node.children === undefined) {
    const { keys, entries } = node;
    const stop = end === undefined ? keys.length : lowerBound(keys, end);
    const start = key === undefined ? 0 : lowerBound(keys, key);
    for (let i = start; i < stop; i++) weight += weigh(entries[i] as E);
    return weight;
  }
  const { keys, children } = node;
  const first = key === undefined ? 0 : upperBound(keys, key);
  const last = end === undefined ? children.length - 1 : lowerBound(keys, end);
  for (let i = first; i <= last; i++) {
    const from = i === first ? key : undefined;
    const to = i === last ? end : undefined;
    weight += weightBelow(children[i] as Node<E>, from, to, weigh);
  }
  return weight;
}
