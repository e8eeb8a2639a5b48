import { type Node, nodes } from "#api/core/v1/node.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";
import type { Informers } from "#client/informer-factory.ts";
import type { PreparedNode } from "./cluster-file.ts";

/** Writes the ranges that `up` laid out into the Nodes, as a cloud's allocator would. */
export function assignPodCidrs(
  prepared: readonly PreparedNode[],
  spec: { readonly client: Client; readonly informers: Informers; readonly log: Logger; readonly lifetime: Lifetime },
): void {
  const ranges = new Map(prepared.map(({ name, podCidr }) => [name, podCidr]));
  const assign = (node: Node): void => {
    const name = node.metadata?.name ?? "";
    const podCidr = ranges.get(name);
    if (podCidr === undefined || node.spec?.podCIDR) return;
    const body = { spec: { podCIDR: podCidr, podCIDRs: [podCidr] } };
    spec.client
      .resource(nodes)
      .patch(name, { type: "strategic", body })
      .catch((error: unknown) => spec.log.error("cannot assign a pod range", error, { node: name }));
  };
  spec.lifetime.use(spec.informers.of(nodes).subscribe({ onAdd: assign, onUpdate: assign }));
}
