import type { Clock, Timer } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Processes } from "#base/processes.ts";
import { nodes } from "#api/core/v1/node.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { type EndpointSlice, endpointSlices } from "#api/discovery/v1/endpoint-slice.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import type { Informers } from "#client/informer-factory.ts";
import { slicesByService } from "#client/shared-indexes.ts";
import { staleFlows } from "./conntrack.ts";
import type { RulesetWriter } from "./nft.ts";
import {
  compileRuleset,
  difference,
  fullTransaction,
  type Ruleset,
  type RulesetOptions,
} from "./ruleset.ts";
import { servicePortViews, type ServicePortView } from "./service-ports.ts";

/** A refused transaction is tried again, whole, after this. */
const retryMs = 1000;

export interface ProxyOptions extends RulesetOptions {
  readonly nodeName: string;
  readonly informers: Informers;
  readonly writer: RulesetWriter;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lifetime: Lifetime;
}

/** Somebody else serves Services with one of these. Source: apis/core/v1/well_known_labels.go, cmd/kube-proxy/app/server.go. */
const foreignLabels = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"];

/**
 * Keeps the node's rules in step with Services and EndpointSlices. Changes that come while a
 * transaction runs are gathered into the next one; each transaction holds only what differs.
 */
export function startProxy(options: ProxyOptions): void {
  const serviceInformer = options.informers.of(services);
  const sliceInformer = options.informers.of(endpointSlices);
  const nodeInformer = options.informers.of(nodes);
  sliceInformer.addIndex(slicesByService);

  const views = new Map<string, readonly ServicePortView[]>();
  const dirty = new Set<string>();
  let applied: Ruleset | undefined;
  let running = false;
  let retry: Timer | undefined;

  function refresh(key: string): void {
    const service = serviceInformer.lister.get(key);
    if (service === undefined || isForeign(service)) {
      views.delete(key);
      return;
    }
    const zone = nodeInformer.lister.get(options.nodeName)?.metadata?.labels?.["topology.kubernetes.io/zone"] ?? "";
    const slices = sliceInformer.lister.by(slicesByService, key);
    views.set(key, servicePortViews(service, slices, { nodeName: options.nodeName, zone }));
  }

  async function sync(): Promise<void> {
    if (running || options.lifetime.ended) return;
    running = true;
    try {
      while ((dirty.size > 0 || applied === undefined) && !options.lifetime.ended) await syncOnce();
    } catch (error) {
      options.log.error("cannot set the Service rules", error);
      applied = undefined;
      retry = options.clock.after(retryMs, () => void sync());
    } finally {
      running = false;
    }
  }

  async function syncOnce(): Promise<void> {
    const before = [...views.values()].flat();
    for (const key of dirty) refresh(key);
    dirty.clear();
    const ports = [...views.values()].flat();
    const wanted = compileRuleset(ports, options);
    const transaction =
      applied === undefined ? fullTransaction(wanted, options) : difference(applied, wanted).join("\n");
    if (transaction !== "") await options.writer.apply(transaction);
    applied = wanted;
    await forgetFlows(options, before, ports);
  }

  function touch(key: string): void {
    dirty.add(key);
    if (serviceInformer.hasSynced && sliceInformer.hasSynced) queueMicrotask(() => void sync());
  }

  const onSlice = (slice: EndpointSlice): void => {
    for (const key of slicesByService.valuesOf(slice)) touch(key);
  };
  const onService = (service: Service): void => touch(keyOfObject(service));
  options.lifetime.use(
    serviceInformer.subscribe({ onAdd: onService, onUpdate: onService, onDelete: onService }),
  );
  options.lifetime.use(sliceInformer.subscribe({ onAdd: onSlice, onUpdate: onSlice, onDelete: onSlice }));
  options.lifetime.defer(() => retry?.[Symbol.dispose]());
  void Promise.all([serviceInformer.synced(), sliceInformer.synced(), nodeInformer.synced()]).then(sync);
}

function isForeign({ metadata }: Service): boolean {
  return foreignLabels.some((label) => metadata?.labels?.[label] !== undefined);
}

/** UDP flows to endpoints that went keep going there until they are forgotten. */
async function forgetFlows(
  { processes, log }: ProxyOptions,
  before: readonly ServicePortView[],
  after: readonly ServicePortView[],
): Promise<void> {
  for (const args of staleFlows(before, after)) {
    // Exit code 1 says that there was no such flow.
    await processes.run("conntrack", args).catch((error: unknown) => log.debug("no conntrack", { error }));
  }
}

