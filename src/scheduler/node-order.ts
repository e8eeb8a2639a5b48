import type { Node } from "#api/core/v1/node.ts";

const zoneKey = "topology.kubernetes.io/zone";
const regionKey = "topology.kubernetes.io/region";

/**
 * The order in which nodes are tried: one of each zone in turn, so that a search that ends early has seen
 * all zones. Source: pkg/scheduler/backend/cache/node_tree.go.
 */
export interface NodeOrder {
  add(name: string, index: number, node: Node): void;
  remove(name: string): void;
  /** Indexes of all nodes; the same array until a node comes, goes or moves. */
  list(): readonly number[];
}

export function createNodeOrder(): NodeOrder {
  /** Indexes by zone and name; zones and names in the order in which they came. */
  const zones = new Map<string, Map<string, number>>();
  const zoneOf = new Map<string, string>();
  let order: readonly number[] | undefined;

  function remove(name: string): void {
    const zone = zoneOf.get(name);
    if (zone === undefined) return;
    zoneOf.delete(name);
    const members = zones.get(zone);
    members?.delete(name);
    if (members?.size === 0) zones.delete(zone);
    order = undefined;
  }

  function interleave(): number[] {
    const lists = [...zones.values()].map((members) => [...members.values()]);
    const longest = Math.max(0, ...lists.map((list) => list.length));
    const indexes: number[] = [];
    for (let i = 0; i < longest; i++) {
      for (const list of lists) if (i < list.length) indexes.push(list[i] as number);
    }
    return indexes;
  }

  return {
    add(name, index, { metadata }) {
      const labels = metadata?.labels ?? {};
      const zone = `${labels[regionKey] ?? ""}\n${labels[zoneKey] ?? ""}`;
      if (zoneOf.get(name) === zone) return;
      remove(name);
      zoneOf.set(name, zone);
      zones.set(zone, (zones.get(zone) ?? new Map<string, number>()).set(name, index));
      order = undefined;
    },
    remove,
    list: () => (order ??= interleave()),
  };
}
