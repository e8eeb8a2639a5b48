import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Service } from "#api/core/v1/service.ts";
import type { IPAddress } from "#api/networking/v1/ip-address.ts";
import type { Client } from "#client/client.ts";
import type { Random } from "#base/random.ts";
import type { Store } from "#store/store.ts";
import { bindingHooks, type EscalationGuard, roleHooks } from "../authorization/escalation.ts";
import { serviceAllocator } from "../services/allocator.ts";
import { portClaims } from "../services/port-claims.ts";
import type { ServerParts } from "../server.ts";
import { adminAccessHooks, claimRequests, templateRequests } from "./admin-access.ts";
import type { WriteHooks } from "./rest.ts";

/** How long Events are kept. Source: --event-ttl. */
export const eventTtlSecondsDefault = 3600;

const rbacGroup = "rbac.authorization.k8s.io";

export interface WriteHookOptions {
  /** Acts as the server itself; there once the server is put together. */
  readonly client: () => Client;
  readonly store: Store;
  readonly random: Random;
  readonly serviceCidr: string;
  readonly eventTtlSeconds: number;
}

/** Work around writes, by `group/plural`. */
export function writeHooks(parts: ServerParts, options: WriteHookOptions): ReadonlyMap<string, WriteHooks> {
  const events: WriteHooks = { ttlSeconds: () => options.eventTtlSeconds };
  const services = serviceAllocator({
    client: options.client,
    services: parts.live<Service>("", "v1", "services"),
    addresses: parts.live<IPAddress>("networking.k8s.io", "v1", "ipaddresses"),
    claims: portClaims(options.store, parts.clock),
    random: options.random,
    cidr: options.serviceCidr,
  });
  const guard: EscalationGuard = {
    rbac: parts.rbac,
    authorizer: parts.authorizer,
    sources: {
      roles: parts.live(rbacGroup, "v1", "roles"),
      clusterRoles: parts.live(rbacGroup, "v1", "clusterroles"),
    },
  };
  const namespaces = parts.live<Namespace>("", "v1", "namespaces");
  return new Map([
    ["resource.k8s.io/resourceclaims", adminAccessHooks(namespaces, claimRequests)],
    ["resource.k8s.io/resourceclaimtemplates", adminAccessHooks(namespaces, templateRequests)],
    [`${rbacGroup}/roles`, roleHooks(guard)],
    [`${rbacGroup}/clusterroles`, roleHooks(guard)],
    [`${rbacGroup}/rolebindings`, bindingHooks(guard)],
    [`${rbacGroup}/clusterrolebindings`, bindingHooks(guard)],
    ["/events", events],
    ["events.k8s.io/events", events],
    ["/services", services],
  ]);
}
