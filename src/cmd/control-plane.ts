import type { World } from "#base/world.ts";
import type { Client } from "#client/client.ts";
import { ensureSystemObjects } from "#apiserver/bootstrap/system-objects.ts";
import { ensureKubernetesService, type ServerAddress } from "#apiserver/bootstrap/kubernetes-service.ts";
import { parseRange, toAddress } from "#apiserver/services/ip-range.ts";
import { reconcileRbac } from "#apiserver/bootstrap/rbac.ts";
import type { ApiServer } from "#apiserver/server.ts";

/** A client of the API server of this process, acting as the server itself. */
export function loopbackClient(server: ApiServer): Client {
  return server.loopback;
}

/** What a fresh API server makes before it calls itself ready. */
export async function bootstrap(
  world: World,
  spec: { readonly server: ApiServer; readonly serviceCidrs: readonly string[]; readonly at: Omit<ServerAddress, "clusterAddress"> },
): Promise<void> {
  const client = loopbackClient(spec.server);
  await ensureSystemObjects(client, { serviceCidrs: spec.serviceCidrs });
  const [range = ""] = spec.serviceCidrs;
  const clusterAddress = toAddress(parseRange(range).first);
  await ensureKubernetesService(client, { ...spec.at, clusterAddress });
  await reconcileRbac(client);
  world.log.debug("system objects are in place");
}
