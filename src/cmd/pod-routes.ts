import { nodes } from "#api/core/v1/node.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Informers } from "#client/informer-factory.ts";
import type { NodeNetwork, PodRoute } from "#kubelet/node/node-network.ts";

export interface PodRoutesOptions {
  readonly network: NodeNetwork;
  readonly nodeName: string;
  readonly log: Logger;
  readonly lifetime: Lifetime;
}

/** Keeps routes to the pods of other nodes in step with the Nodes. */
export function followPodRoutes(informers: Informers, options: PodRoutesOptions): void {
  const { network, nodeName, log, lifetime } = options;
  const informer = informers.of(nodes);
  let shown = "";
  let working: Promise<void> = Promise.resolve();
  const changed = (): void => {
    const routes = routesOf(informer.lister.list(), nodeName);
    const key = JSON.stringify(routes);
    if (key === shown || !informer.hasSynced) return;
    shown = key;
    working = working
      .then(() => network.setPodRoutes(routes))
      .catch((error: unknown) => {
        shown = "";
        log.error("cannot set routes to the pods of other nodes", error);
      });
  };
  lifetime.use(informer.subscribe({ onAdd: changed, onUpdate: changed, onDelete: changed }));
  void informer.synced().then(changed);
}

/** Sorted, so that the same nodes give the same routes. */
export function routesOf(
  all: readonly {
    metadata?: { name?: string | undefined } | undefined;
    spec?: { podCIDR?: string | undefined } | undefined;
    status?: { addresses?: readonly { type: string; address: string }[] | undefined } | undefined;
  }[],
  nodeName: string,
): PodRoute[] {
  return all
    .filter(({ metadata }) => metadata?.name !== nodeName)
    .flatMap(({ spec, status }) => {
      const nodeAddress = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
      const podCidr = spec?.podCIDR;
      return podCidr && nodeAddress ? [{ podCidr, nodeAddress }] : [];
    })
    .toSorted((a, b) => (a.podCidr < b.podCidr ? -1 : 1));
}
