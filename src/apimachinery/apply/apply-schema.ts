import { isGivenEmpty } from "../given-empty.ts";

/**
 * What apply and managed fields must know of a type: built from our schema DSL or from the
 * structural schema of a CustomResourceDefinition. A node lists the shapes that a value may take;
 * most have exactly one.
 * Source: sigs.k8s.io/structured-merge-diff schema/elements.go.
 */
export interface ApplyNode {
  readonly scalar?: "string" | "number" | "boolean" | "untyped";
  readonly list?: ApplyList;
  readonly map?: ApplyMap;
  /** The only shape, when there is only one. */
  readonly only: Shape | undefined;
  /** At the top of a Go kind: the same for its objects as JSON, with all that Go writes. */
  readonly json?: ApplyNode;
}

/** The schema of objects as JSON. */
export function jsonSchema(node: ApplyNode): ApplyNode {
  return node.json ?? node;
}

export type Shape = "scalar" | "list" | "map";

export interface ApplyList {
  readonly items: ApplyNode;
  /** The list is one value. */
  readonly atomic: boolean;
  /** Members that identify an item; empty for sets of scalars. */
  readonly keys: readonly string[];
}

export interface ApplyMap {
  readonly fields: ReadonlyMap<string, ApplyField>;
  /** Type of members that are no fields; undefined when there may be none. */
  readonly values: ApplyNode | undefined;
  /** The map is one value. */
  readonly atomic: boolean;
  /** Fields that Go writes even when they are not set. */
  readonly written: readonly (readonly [name: string, field: ApplyField])[];
  /** Members of the top level and its metadata that no manager owns: comparing skips them. */
  readonly untracked?: ReadonlySet<string>;
}

export interface ApplyField {
  readonly node: ApplyNode;
  /** Value of a list key that an item leaves out. */
  readonly default: unknown;
  /** The object comes from a Go struct: `zero` stands for null and for absent ... */
  readonly go: boolean;
  /** ... what Go writes for a field that is not set; undefined: nothing. */
  readonly zero: unknown;
  /** Go leaves out zero values that are set. */
  readonly omitsZero: boolean;
}

export function applyNode(shapes: Omit<ApplyNode, "only" | "json">): ApplyNode {
  const names = (["map", "scalar", "list"] as const).filter((name) => shapes[name] !== undefined);
  return { ...shapes, only: names.length === 1 ? names[0] : undefined };
}

const noFields: ReadonlyMap<string, ApplyField> = new Map();

export function applyMapOf(values: ApplyNode | undefined, atomic: boolean): ApplyMap {
  return { fields: noFields, values, atomic, written: [] };
}

/** Whatever it is, it is one value. */
export const atomicNode: ApplyNode = selfContaining(true);

/** Nothing is known: maps are granular, lists are one value. */
export const deducedNode: ApplyNode = selfContaining(false);

function selfContaining(atomic: boolean): ApplyNode {
  const node: { -readonly [K in keyof ApplyNode]: ApplyNode[K] } = {
    scalar: "untyped",
    only: undefined,
  };
  node.list = { items: atomic ? node : atomicNode, atomic: true, keys: [] };
  node.map = applyMapOf(node, atomic);
  return node;
}

/** Members of the top level that are never tracked. */
export const untrackedMembers: ReadonlySet<string> = new Set(["apiVersion", "kind"]);

/** Members of the object's metadata that are never tracked. */
export const untrackedMetadata: ReadonlySet<string> = new Set([
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
]);

/** What Go would see in a field: undefined when it is not there. */
export function fieldValue(field: ApplyField, value: unknown): unknown {
  if (!field.go) return value;
  if (value === undefined || value === null) return field.zero;
  if (typeof value === "object" && field.zero === null && isZero(value)) {
    // An empty list that nobody sent is nil.
    return isGivenEmpty(value) ? value : null;
  }
  return field.omitsZero && isZero(value) ? undefined : value;
}

function isZero(value: unknown): boolean {
  if (typeof value !== "object" || value === null) {
    return value === "" || value === 0 || value === false;
  }
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if ((value as Record<string, unknown>)[key] !== undefined) return false;
  return true;
}
