import { endpoints } from "#api/core/v1/endpoints.ts";
import { endpointSlices } from "#api/discovery/v1/endpoint-slice.ts";
import { isAlreadyExists, isConflict } from "#apimachinery/status.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { isIpv6 } from "#apimachinery/validation/ip.ts";
import type { Clock } from "#base/clock.ts";
import { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";
import { prefixEnd, type Store } from "#store/store.ts";
import { ensureObject } from "./ensure-object.ts";

export interface KubernetesEndpointsOptions {
  readonly client: Client;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where this server listens. */
  readonly address: string;
  readonly port: number;
}

/** A server is listed so long after it last said that it lives. Source: DefaultEndpointReconcilerTTL. */
const leaseSeconds = 15;
const renewEveryMs = 10_000;
const prefix = "/registry/masterleases/";

/**
 * Keeps the endpoints of the Service `kubernetes`: all API servers that live, told by a key of each
 * that ends with a lease. Alone on its store, a server lists itself once. Disposing it takes the
 * server off the list. Source: pkg/controlplane/reconcilers/lease.go.
 */
export async function keepKubernetesEndpoints(options: KubernetesEndpointsOptions): Promise<AsyncDisposable> {
  const lifetime = new Lifetime("kubernetes-endpoints");
  // No endpoint may be a loopback address: then pods have no way to the server anyhow.
  if (options.address.startsWith("127.") || options.address === "::1") return lifetime;
  if (options.store.catchUp === undefined) {
    await writeEndpoints(options, [options.address]);
    return lifetime;
  }
  const reconciler = createReconciler(options, lifetime);
  await reconciler.renew();
  await reconciler.reconcile();
  reconciler.start();
  return lifetime;
}

interface Reconciler {
  renew(): Promise<void>;
  reconcile(): Promise<void>;
  start(): void;
}

function createReconciler(options: KubernetesEndpointsOptions, lifetime: Lifetime): Reconciler {
  const { store, clock, log, address } = options;
  const range = { key: prefix, end: prefixEnd(prefix) };
  let running: Promise<void> | undefined;
  let isDue = false;
  let isRenewalDue = false;
  let timer: Disposable | undefined;
  let watch: Disposable | undefined;

  async function renew(): Promise<void> {
    const lease = await store.grantLease(leaseSeconds);
    const object = { kind: "Endpoints", apiVersion: "v1", metadata: {}, subsets: [{ addresses: [{ ip: address }] }] };
    const value = Buffer.from(JSON.stringify(object));
    await store.txn({ compare: [], success: [{ op: "put", key: prefix + address, value, lease }] });
  }

  async function reconcile(): Promise<void> {
    const { entries } = await store.range({ ...range, keysOnly: true });
    const addresses = entries.map(({ key }) => key.slice(prefix.length));
    // Nobody lives: that cannot be, so the list stays as it is.
    if (addresses.length > 0) await writeEndpoints(options, addresses);
  }

  /** Once for many calls; what fails is tried again in the next round. */
  function round(withRenewal: boolean): void {
    isDue = true;
    isRenewalDue ||= withRenewal;
    running ??= Promise.resolve().then(run);
  }

  async function run(): Promise<void> {
    while (isDue && !lifetime.ended) {
      const isRenewal = isRenewalDue;
      isDue = isRenewalDue = false;
      try {
        if (isRenewal) await renew();
        if (!lifetime.ended) await reconcile();
      } catch (error) {
        if (!lifetime.ended) log.error("Cannot keep the endpoints of the kubernetes Service", error);
      }
    }
    running = undefined;
  }

  function start(): void {
    lifetime.defer(() => timer?.[Symbol.dispose]());
    lifetime.defer(() => watch?.[Symbol.dispose]());
    renewLater();
    follow();
    lifetime.defer(async () => {
      await running;
      await store.txn({ compare: [], success: [{ op: "delete", key: prefix + address }] });
      await reconcile();
    });
  }

  function renewLater(): void {
    timer = clock.after(renewEveryMs, () => {
      round(true);
      renewLater();
    });
  }

  /** Others that come and go are heard of at once. */
  function follow(): void {
    watch = store.watch(range, {
      onBatch: ({ events }) => {
        if (events.some(({ type, prevKv }) => type === "delete" || prevKv === undefined)) round(false);
      },
      onClosed: () => {
        if (!lifetime.ended) watch = clock.after(renewEveryMs, follow);
      },
    });
  }

  return { renew, reconcile, start };
}

async function writeEndpoints({ client, port }: KubernetesEndpointsOptions, listed: readonly string[]): Promise<void> {
  const metadata = { name: "kubernetes", namespace: "default" };
  const addresses = [...listed].toSorted();
  const ports = [{ name: "https", port, protocol: "TCP" }];
  const wanted: readonly [ResourceDefinition, Parameters<typeof ensureObject>[2]][] = [
    [
      endpoints as ResourceDefinition,
      {
        metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
        subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports }],
      },
    ],
    [
      endpointSlices as ResourceDefinition,
      {
        metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
        addressType: isIpv6(addresses[0] ?? "") ? "IPv6" : "IPv4",
        endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
        ports,
      },
    ],
  ];
  for (const [definition, object] of wanted) {
    await ensureObject(client, definition, object).catch((error: unknown) => {
      // Another server writes the same list.
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
    });
  }
}
