import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import { type Client, createClient } from "#client/client.ts";
import { ensureSystemObjects } from "#apiserver/bootstrap/system-objects.ts";
import { reconcileRbac } from "#apiserver/bootstrap/rbac.ts";
import type { ApiServer } from "#apiserver/server.ts";

/** A client of the API server of this process, acting as the server itself. */
export function loopbackClient(server: ApiServer): Client {
  return createClient({ transport: server.transport, userAgent: "kube-apiserver/v1.36.2" });
}

/** What a fresh API server makes before it calls itself ready. */
export async function bootstrap(
  world: World,
  spec: { readonly server: ApiServer; readonly serviceCidrs: readonly string[]; readonly lifetime: Lifetime },
): Promise<void> {
  const client = loopbackClient(spec.server);
  await ensureSystemObjects(client, { serviceCidrs: spec.serviceCidrs });
  await reconcileRbac(client);
  world.log.debug("system objects are in place");
}
