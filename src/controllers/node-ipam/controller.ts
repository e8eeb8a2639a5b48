import { type Node, nodes } from "#api/core/v1/node.ts";
import { parseCidr } from "#apimachinery/validation/ip.ts";
import { type ControllerSettings, defineController, done } from "../framework/controller.ts";
import { createPartSet, type PartSet } from "./ranges.ts";

interface Allocation {
  readonly sets: readonly PartSet[];
  /** Whether what nodes have already is noted. */
  isFilled: boolean;
}

/** No node has this name. */
const services = "services/";

/** Gives nodes their `podCIDRs`. Source: pkg/controller/nodeipam (the range allocator). */
export const nodeIpamController = defineController<Node, Allocation>({
  name: "node-ipam-controller",
  account: "node-controller",
  component: "cidrAllocator",
  for: nodes,
  state: ({ settings }) => ({ sets: setsOf(settings), isFilled: false }),
  async reconcile(context) {
    const { sets } = context.state;
    if (sets.length === 0) return done;
    if (!context.state.isFilled) {
      for (const node of context.lister(nodes).list()) occupy(sets, node);
      context.state.isFilled = true;
    }
    const node = context.get();
    if (node === undefined) {
      for (const set of sets) set.releaseAll(context.key);
      return done;
    }
    if (cidrsOf(node).length > 0) {
      occupy(sets, node);
      return done;
    }
    for (const set of sets) set.releaseAll(context.key);
    const podCIDRs = sets.map((set) => set.allocate(context.key)).filter((cidr) => cidr !== undefined);
    const [podCIDR] = podCIDRs;
    if (podCIDR === undefined || podCIDRs.length < sets.length) {
      for (const set of sets) set.releaseAll(context.key);
      context.events.normal(node, "CIDRNotAvailable", `Node ${context.key} status is now: CIDRNotAvailable`);
      const why = "CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range";
      throw new Error(`failed to allocate cidr for node ${context.key}: ${why}`);
    }
    await context.resource(nodes).patch(context.key, { type: "strategic", body: { spec: { podCIDR, podCIDRs } } });
    return done;
  },
});

function setsOf(settings: ControllerSettings): PartSet[] {
  if (settings.allocateNodeCidrs !== true) return [];
  const sets = (settings.clusterCidrs ?? []).map((cidr) => {
    const isIpv4 = parseCidr(cidr)?.version === 4;
    return createPartSet(cidr, isIpv4 ? (settings.nodeCidrMaskSizeIpv4 ?? 24) : (settings.nodeCidrMaskSizeIpv6 ?? 64));
  });
  for (const cidr of settings.serviceCidrs ?? []) for (const set of sets) set.occupy(cidr, services);
  return sets;
}

function cidrsOf({ spec }: Node): readonly string[] {
  const { podCIDR, podCIDRs = [] } = spec;
  return podCIDRs.length > 0 || !podCIDR ? podCIDRs : [podCIDR];
}

function occupy(sets: readonly PartSet[], node: Node): void {
  for (const cidr of cidrsOf(node)) for (const set of sets) set.occupy(cidr, node.metadata.name ?? "");
}
