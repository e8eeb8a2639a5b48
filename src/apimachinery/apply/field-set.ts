import { isJsonMap } from "../json-value.ts";
import {
  comparePathElements,
  fieldElement,
  parsePathElement,
  type PathElement,
  PathElementError,
  printPathElement,
} from "./path-element.ts";

/**
 * A set of field paths as a trie. A node says whether the path that leads to it is in the set, and
 * which longer paths are. Sets are immutable values that share what they have in common:
 * operations return their first operand itself when nothing changed, so identity is a cheap
 * sign of "the same".
 * Invariants: 1. `children` is undefined rather than empty. 2. No child is empty.
 * Source: sigs.k8s.io/structured-merge-diff fieldpath/{set,serialize}.go.
 */
export interface FieldSet {
  readonly member: boolean;
  readonly children: ReadonlyMap<PathElement, FieldSet> | undefined;
}

export type FieldPath = readonly PathElement[];

export const emptyFieldSet: FieldSet = Object.freeze({ member: false, children: undefined });
/** Just the path itself. */
export const fieldLeaf: FieldSet = Object.freeze({ member: true, children: undefined });

export function isEmptySet(set: FieldSet): boolean {
  return !set.member && set.children === undefined;
}

export function fieldNode(
  member: boolean,
  children: ReadonlyMap<PathElement, FieldSet> | undefined,
): FieldSet {
  if (children === undefined || children.size === 0) return member ? fieldLeaf : emptyFieldSet;
  return { member, children };
}

export function fieldSetOf(paths: Iterable<FieldPath>): FieldSet {
  let set = emptyFieldSet;
  for (const path of paths) {
    set = union(
      set,
      path.reduceRight((node, element) => fieldNode(false, new Map([[element, node]])), fieldLeaf),
    );
  }
  return set;
}

/** A set of dotted field names: `spec`, `metadata.labels`. */
export function fieldSetOfNames(names: Iterable<string>): FieldSet {
  return fieldSetOf([...names].map((name) => name.split(".").map(fieldElement)));
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  const member = a.member || b.member;
  let children: Map<PathElement, FieldSet> | undefined;
  for (const [element, node] of b.children ?? []) {
    const own = (children ?? a.children)?.get(element);
    const merged = own === undefined ? node : union(own, node);
    if (merged === own) continue;
    children ??= new Map(a.children);
    children.set(element, merged);
  }
  if (children === undefined && member === a.member) return a;
  return fieldNode(member, children ?? a.children);
}

/** Paths of `a` that are not in `b`; their children are left alone. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, false);
}

/** Paths of `a` that are not in `b` and do not begin with a path in `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, true);
}

function subtract(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  if (isEmptySet(b)) return a;
  const member = a.member && !b.member;
  const children = recursive && b.member ? undefined : subtractChildren(a, b, recursive);
  if (member === a.member && children === a.children) return a;
  return fieldNode(member, children);
}

function subtractChildren(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet["children"] {
  if (a.children === undefined || b.children === undefined) return a.children;
  let children: Map<PathElement, FieldSet> | undefined;
  for (const [element, node] of b.children) {
    const own = a.children.get(element);
    if (own === undefined) continue;
    const rest = subtract(own, node, recursive);
    if (rest === own) continue;
    children ??= new Map(a.children);
    if (isEmptySet(rest)) children.delete(element);
    else children.set(element, rest);
  }
  return children ?? a.children;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const children = new Map<PathElement, FieldSet>();
  for (const [element, node] of a.children ?? []) {
    const other = b.children?.get(element);
    const shared = other === undefined ? emptyFieldSet : intersection(node, other);
    if (!isEmptySet(shared)) children.set(element, shared);
  }
  return fieldNode(a.member && b.member, children);
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.member !== b.member || a.children?.size !== b.children?.size) return false;
  for (const [element, node] of a.children ?? []) {
    const other = b.children?.get(element);
    if (other === undefined || !equalSets(node, other)) return false;
  }
  return true;
}

export function hasPath(set: FieldSet, path: FieldPath): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.children?.get(element);
  return node?.member ?? false;
}

/** Every path of the set: those that end in a node before the longer ones, in canonical order. */
export function* pathsOf(set: FieldSet, prefix: FieldPath = []): Generator<FieldPath> {
  const children = sortedChildren(set);
  for (const [element, node] of children) if (node.member) yield [...prefix, element];
  for (const [element, node] of children) {
    if (node.children !== undefined) yield* pathsOf(node, [...prefix, element]);
  }
}

/** `.spec.containers[name="c"].image`. */
export function printPath(path: FieldPath): string {
  return path.map(printPathElement).join("");
}

function sortedChildren(set: FieldSet): [PathElement, FieldSet][] {
  const children = [...(set.children ?? [])];
  return children.length < 2 ? children : children.sort(([a], [b]) => comparePathElements(a, b));
}

/** What restricts a set: paths (with all below them) to leave out, or patterns to keep. */
export type FieldFilter =
  | { readonly exclude: FieldSet }
  /** Each pattern keeps the paths that begin with it; `*` stands for any element. */
  | { readonly include: readonly FieldPath[] };

export function filterSet(set: FieldSet, filter: FieldFilter | undefined): FieldSet {
  if (filter === undefined) return set;
  if ("exclude" in filter) return recursiveDifference(set, filter.exclude);
  return includeOnly(set, filter.include);
}

function includeOnly(set: FieldSet, patterns: readonly FieldPath[]): FieldSet {
  if (patterns.some((pattern) => pattern.length === 0)) return set;
  const children = new Map<PathElement, FieldSet>();
  for (const [element, node] of set.children ?? []) {
    const matching = patterns.filter(([first]) => first === "*" || first === element);
    if (matching.length === 0) continue;
    const kept = includeOnly(
      { ...node, member: false },
      matching.map((pattern) => pattern.slice(1)),
    );
    children.set(element, fieldNode(node.member, kept.children));
  }
  for (const [element, node] of children) if (isEmptySet(node)) children.delete(element);
  return fieldNode(false, children);
}

type Encoded = Record<string, unknown>;

const decodedSets = new WeakMap<object, FieldSet>();
const encodedSets = new WeakMap<FieldSet, Encoded>();

/**
 * Reads `fieldsV1`. The result is kept with the object, which must not change any more. Throws
 * `PathElementError`.
 */
export function decodeFieldSet(fields: Readonly<Encoded> | undefined): FieldSet {
  if (fields === undefined) return emptyFieldSet;
  let set = decodedSets.get(fields);
  if (set === undefined) {
    set = fieldNode(false, decodeChildren(fields));
    decodedSets.set(fields, set);
  }
  return set;
}

function decodeChildren(fields: Readonly<Encoded>): Map<PathElement, FieldSet> | undefined {
  let children: Map<PathElement, FieldSet> | undefined;
  for (const [key, value] of Object.entries(fields)) {
    if (key === ".") continue;
    const element = parsePathElement(key);
    // A later version may know what this is.
    if (element === undefined) continue;
    children ??= new Map();
    const node = decodeNode(value);
    const own = children.get(element);
    children.set(element, own === undefined ? node : union(own, node));
  }
  return children;
}

function decodeNode(value: unknown): FieldSet {
  if (value === null) return fieldLeaf;
  if (!isJsonMap(value)) throw new PathElementError("expected an object");
  const children = decodeChildren(value);
  return fieldNode(children === undefined || Object.hasOwn(value, "."), children);
}

const noFields: Encoded = Object.freeze({});

/** The canonical `fieldsV1`: a frozen value, the same one each time for the same set. */
export function encodeFieldSet(set: FieldSet): Encoded {
  let encoded = encodedSets.get(set);
  if (encoded === undefined) {
    const shared = sharedNode(set.member ? fieldNode(false, set.children) : set);
    encoded = shared.encoded;
    encodedSets.set(set, encoded);
    decodedSets.set(encoded, shared.node);
  }
  return encoded;
}

/** Nodes met so far, so that the sets of like objects share what they have in common. */
const sharedNodes = new Map<string, SharedNode>();
const sharedOf = new WeakMap<FieldSet, SharedNode>();
/** Beyond it all are forgotten, and new ones no longer shared with those before. */
export const sharedNodesMax = 8192;
let sharedIds = 0;

interface SharedNode {
  readonly id: number;
  readonly node: FieldSet;
  readonly encoded: Encoded;
}

function sharedNode(set: FieldSet): SharedNode {
  const known = sharedOf.get(set);
  if (known !== undefined) return known;
  const children = sortedChildren(set).map(([element, node]) => [element, sharedNode(node)] as const);
  let key = set.member ? "m" : "";
  for (const [element, { id }] of children) key += `${id} ${element.length} ${element}`;
  let shared = sharedNodes.get(key);
  if (shared === undefined) {
    shared = { id: ++sharedIds, node: nodeOf(set, children), encoded: encodeNode(set, children) };
    if (sharedNodes.size >= sharedNodesMax) sharedNodes.clear();
    sharedNodes.set(key, shared);
    sharedOf.set(shared.node, shared);
  }
  return shared;
}

type Children = readonly (readonly [PathElement, SharedNode])[];

function nodeOf({ member }: FieldSet, children: Children): FieldSet {
  return fieldNode(member, new Map(children.map(([element, { node }]) => [element, node])));
}

function encodeNode({ member }: FieldSet, children: Children): Encoded {
  if (children.length === 0) return noFields;
  const encoded: Encoded = {};
  if (member) encoded["."] = noFields;
  for (const [element, child] of children) encoded[element] = child.encoded;
  return Object.freeze(encoded);
}
