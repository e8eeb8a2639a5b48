/** Matching pods by domain of one constraint, kept in step with nodes. */
import { getOwn } from "#apimachinery/maps.ts";
import type { NodeInfo } from "../../node-info.ts";
import { type Constraint, countMatching } from "./constraint.ts";

export interface Domain {
  /** Matching pods. */
  pods: number;
  /** Nodes that count. */
  nodes: number;
  /** For those who count domains: where they saw it last. */
  mark: number;
}

/** What a node adds to its domain. */
export interface Part {
  readonly value: string;
  readonly domain: Domain;
  readonly pods: number;
}

export interface Domains {
  /** Counts a node anew, as it is given; true when a count of its domain, or the domains, changed. */
  changed(node: NodeInfo): boolean;
  /** Of a node as it was told last; undefined for one that does not count. */
  partOf(node: NodeInfo): Part | undefined;
  /** Matching pods of a domain; 0 for one unknown. */
  countOf(value: string): number;
  /** Domains with a node that counts. */
  readonly size: number;
  /** Fewest matching pods of a domain; 0 without any. */
  readonly least: number;
}

export function createDomains(
  nodes: readonly (NodeInfo | undefined)[],
  constraint: Constraint,
  { namespace, counts }: { readonly namespace: string; readonly counts: (node: NodeInfo) => boolean },
): Domains {
  const domains = new Map<string, Domain>();
  const parts: (Part | undefined)[] = [];
  let least: number | undefined;

  function newPart(node: NodeInfo): Part | undefined {
    const value = getOwn(node.labels, constraint.topologyKey);
    if (value === undefined || !counts(node) || !constraint.includes(node)) return undefined;
    const domain = domains.get(value) ?? { pods: 0, nodes: 0, mark: 0 };
    return { value, domain, pods: countMatching(node, namespace, constraint.selector) };
  }

  function add({ value, domain, pods }: Part, sign: 1 | -1): void {
    domain.pods += sign * pods;
    domain.nodes += sign;
    if (domain.nodes > 0) domains.set(value, domain);
    else domains.delete(value);
  }

  function changed(node: NodeInfo): boolean {
    const before = parts[node.index];
    const after = newPart(node);
    if (before?.value === after?.value && before?.pods === after?.pods) return false;
    // Added first: a domain with no other node must not go and come back as another one.
    if (after) add(after, 1);
    if (before) add(before, -1);
    parts[node.index] = after;
    least = undefined;
    return true;
  }

  function findLeast(): number {
    let found = Infinity;
    for (const { pods } of domains.values()) if (pods < found) found = pods;
    return found === Infinity ? 0 : found;
  }

  for (const node of nodes) if (node !== undefined) changed(node);

  return {
    changed,
    partOf: ({ index }) => parts[index],
    countOf: (value) => domains.get(value)?.pods ?? 0,
    get size() {
      return domains.size;
    },
    get least() {
      return (least ??= findLeast());
    },
  };
}
