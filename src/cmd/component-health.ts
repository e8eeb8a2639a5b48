import { leases } from "#api/coordination/v1/lease.ts";
import { ignoreNotFound } from "#apimachinery/status.ts";
import { errorMessage } from "#base/error-message.ts";
import { isIoError } from "#base/files.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import type { World } from "#base/world.ts";
import type { Client } from "#client/client.ts";
import type { Store } from "#store/store.ts";
import type { ComponentHealth, Health } from "#apiserver/handlers/component-status.ts";

/** Where upstream's components tell of their health. Source: pkg/registry/core/rest/storage_core.go. */
const ports: Readonly<Record<string, number>> = { "controller-manager": 10257, scheduler: 10259 };
const answerMs = 20_000;
const answerBytesMax = 10 * 1024;
const fine: Health = { isHealthy: true, message: "ok" };

interface HealthOptions {
  readonly store: Store;
  readonly client: () => Client | undefined;
  /** Components that run in this process. */
  readonly here: ReadonlySet<string>;
}

/**
 * How the parts of a control plane are. Those of this process live as long as it does. Others are asked over loopback, as
 * upstream does; one that nobody reaches there is well all the same while it renews its Lease.
 */
export function componentHealth(world: World, { store, client, here }: HealthOptions): ComponentHealth {
  return async (name) => {
    const port = ports[name];
    if (port === undefined) return storeHealth(store);
    if (here.has(name)) return fine;
    const health = await ask(`https://127.0.0.1:${port}`);
    return health.isHealthy || !(await isLeading(world, client(), name)) ? health : fine;
  };
}

async function storeHealth(store: Store): Promise<Health> {
  try {
    await store.range({ key: "/registry/health", limit: 1 });
    return fine;
  } catch (error) {
    return { isHealthy: false, message: errorMessage(error) };
  }
}

/** Source: component-base/probe/http. */
async function ask(baseUrl: string): Promise<Health> {
  await using http = createHttpClient({ baseUrl, tls: { insecure: true }, http1Only: true, keepAlive: false });
  try {
    const response = await http.request({ method: "GET", path: "/healthz", timeoutMs: answerMs });
    const body = Buffer.from(await response.readAll(answerBytesMax)).toString("utf8");
    const isHealthy = response.status >= 200 && response.status < 400;
    return { isHealthy, message: isHealthy ? body : `HTTP probe failed with statuscode: ${response.status}` };
  } catch (error) {
    const refused = `dial tcp ${baseUrl.slice("https://".length)}: connect: connection refused`;
    const why = isIoError(error) && error.code === "ECONNREFUSED" ? refused : errorMessage(error);
    return { isHealthy: false, message: `Get ${JSON.stringify(`${baseUrl}/healthz`)}: ${why}` };
  }
}

async function isLeading({ clock }: World, client: Client | undefined, name: string): Promise<boolean> {
  const lease = await ignoreNotFound(client?.resource(leases).get(`kube-system/kube-${name}`) ?? Promise.resolve(undefined));
  const { holderIdentity, renewTime, leaseDurationSeconds = 0 } = lease?.spec ?? {};
  if (!holderIdentity || renewTime === undefined) return false;
  return Date.parse(renewTime) + leaseDurationSeconds * 1000 >= clock.nowMs();
}
