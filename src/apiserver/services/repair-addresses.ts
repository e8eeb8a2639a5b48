import { type IPAddress, ipAddresses } from "#api/networking/v1/ip-address.ts";
import type { Service } from "#api/core/v1/service.ts";
import { objectKey } from "#apimachinery/object.ts";
import { ignoreAlreadyExists, ignoreNotFound, isConflict } from "#apimachinery/status.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";
import { createEventRecorder, type EventRecorder } from "#client/events.ts";
import type { Store } from "#store/store.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { addressFor, clusterAddresses, isOurs } from "./service-address.ts";

/** An address may be without its Service so long: the Service is being written. */
const graceMs = 60_000;

export interface RepairOptions {
  readonly client: () => Client;
  readonly services: LiveSet<Service>;
  readonly addresses: LiveSet<IPAddress>;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is wrong between Services and addresses, and what mends it. */
export type Fault =
  | { readonly do: "create" | "recreate" | "report"; readonly service: Service; readonly address: string; readonly what: string }
  | { readonly do: "delete"; readonly found: IPAddress; readonly reason: string; readonly what: string };

interface Book {
  readonly services: Pick<LiveSet<Service>, "get" | "values">;
  readonly addresses: Pick<LiveSet<IPAddress>, "get" | "values">;
}

/**
 * Frees addresses that a crash left behind and books those that Services have, soon after every
 * change. Source: registry/core/service/ipallocator/controller/repairip.go.
 */
export function repairAddresses(options: RepairOptions): Disposable {
  const { clock, log, services, addresses, store } = options;
  const lifetime = new Lifetime("service-address-repair");
  const component = "ipallocator-repair-controller";
  const events = createEventRecorder({ client: options.client(), clock, log, lifetime, component });
  let timer: Timer | undefined;
  lifetime.defer(() => timer?.[Symbol.dispose]());
  let isDue = false;
  let sweeping: Promise<void> | undefined;
  /** One after the other: what a sweep itself deletes and makes anew is not mended twice. */
  const sweepNow = (): void => {
    isDue = true;
    sweeping ??= (async () => {
      while (isDue && !lifetime.ended) await sweep();
      sweeping = undefined;
    })();
  };
  const sweep = async (): Promise<void> => {
    isDue = false;
    timer?.[Symbol.dispose]();
    timer = undefined;
    try {
      await store.catchUp?.();
      for (const fault of findFaults(options, clock.nowMs())) await mend(options.client(), events, fault);
      if ([...addresses.values()].some((address) => isYoung(address, clock.nowMs()))) sweepLater();
    } catch (error) {
      if (lifetime.ended) return;
      log.error("Cannot repair the addresses of Services", error);
      sweepLater();
    }
  };
  const sweepLater = (): void => {
    if (!lifetime.ended) timer ??= clock.after(graceMs, sweepNow);
  };
  lifetime.use(services.onChange(() => sweepLater()));
  lifetime.use(
    addresses.onChange((key, address) => {
      const isMissed = address === undefined && [...services.values()].some((each) => clusterAddresses(each).includes(key));
      if (isMissed) sweepNow();
      else sweepLater();
    }),
  );
  sweepLater();
  return { [Symbol.dispose]: () => void lifetime.end() };
}

function isYoung({ metadata }: IPAddress, nowMs: number): boolean {
  return nowMs - Date.parse(metadata?.creationTimestamp ?? "") <= graceMs;
}

/** Every disagreement of Services and addresses. */
export function findFaults(book: Book, nowMs: number): Fault[] {
  const faults: Fault[] = [];
  for (const service of book.services.values()) {
    if (service.metadata?.deletionTimestamp !== undefined) continue;
    for (const address of clusterAddresses(service)) {
      const fault = faultOfService(book, service, address);
      if (fault !== undefined) faults.push(fault);
    }
  }
  for (const address of book.addresses.values()) {
    const fault = isOurs(address) ? faultOfAddress(book, address, nowMs) : undefined;
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

function faultOfService({ addresses, services }: Book, service: Service, address: string): Fault | undefined {
  const { namespace = "", name = "" } = service.metadata ?? {};
  const base = { service, address };
  const the = `Cluster IP [IPv4]: ${address} for service ${namespace}/${name}`;
  const found = addresses.get("", address);
  if (found === undefined) return { ...base, do: "create", what: `${the} is not allocated; repairing` };
  const parent = found.spec.parentRef;
  const wrong = `the ClusterIP [IPv4]: ${address} for Service ${namespace}/${name} has a wrong reference; repairing`;
  if (parent === undefined || parent.group || parent.resource !== "services") return { ...base, do: "recreate", what: wrong };
  if (objectKey(parent.namespace ?? "", parent.name ?? "") !== objectKey(namespace, name)) {
    const other = services.get(parent.namespace ?? "", parent.name ?? "");
    if (other === undefined) return { ...base, do: "recreate", what: wrong };
    if (!clusterAddresses(other).includes(address)) return undefined;
    const what = `Cluster IP [IPv4]:${address} was assigned to multiple services; please recreate service`;
    return { ...base, do: "report", what };
  }
  return isOurs(found) ? undefined : { ...base, do: "recreate", what: wrong };
}

function faultOfAddress({ services }: Book, found: IPAddress, nowMs: number): Fault | undefined {
  const { parentRef: parent } = found.spec;
  const address = `IPAddress: ${found.metadata?.name}`;
  const base = { do: "delete", found } as const;
  if (parent === undefined || parent.group || parent.resource !== "services") {
    const what = `IPAddress ${found.metadata?.name} appears to have been modified, not referencing a Service: cleaning up`;
    return { ...base, reason: "IPAddressNotAllocated", what };
  }
  const owner = `Service ${parent.namespace}/${parent.name}`;
  const service = services.get(parent.namespace ?? "", parent.name ?? "");
  if (service === undefined) {
    if (isYoung(found, nowMs)) return undefined;
    return { ...base, reason: "IPAddressNotAllocated", what: `${address} for ${owner} appears to have leaked: cleaning up` };
  }
  // A Service that is being changed may get the address yet.
  if (clusterAddresses(service).includes(found.metadata?.name ?? "") || isYoung(found, nowMs)) return undefined;
  return { ...base, reason: "IPAddressWrongReference", what: `${address} for ${owner} has a wrong reference; cleaning up` };
}

async function mend(client: Client, events: EventRecorder, fault: Fault): Promise<void> {
  const resource = client.resource(ipAddresses);
  if (fault.do === "delete") {
    const { name = "", uid = "", resourceVersion = "" } = fault.found.metadata ?? {};
    events.warning(fault.found, fault.reason, fault.what);
    await ignoreNotFound(resource.delete(name, { preconditions: { uid, resourceVersion } })).catch((error: unknown) => {
      // It has changed since: the next sweep looks again.
      if (!isConflict(error)) throw error;
    });
    return;
  }
  events.warning(fault.service, fault.do === "report" ? "ClusterIPAlreadyAllocated" : "ClusterIPNotAllocated", fault.what);
  if (fault.do === "report") return;
  if (fault.do === "recreate") await ignoreNotFound(resource.delete(fault.address));
  await ignoreAlreadyExists(resource.create(addressFor(fault.service, fault.address)));
}
