import type { Service } from "#api/core/v1/service.ts";
import type { IPAddress } from "#api/networking/v1/ip-address.ts";
import type { Client } from "#client/client.ts";
import type { Random } from "#base/random.ts";
import { serviceAllocator } from "../services/allocator.ts";
import type { ServerParts } from "../server.ts";
import type { WriteHooks } from "./rest.ts";

/** How long Events are kept, seconds. Source: --event-ttl. */
const eventTtlSeconds = 3600;

export interface WriteHookOptions {
  /** Acts as the server itself; there once the server is put together. */
  readonly client: () => Client;
  readonly random: Random;
  readonly serviceCidr: string;
}

/** Work around writes, by `group/plural`. */
export function writeHooks(parts: ServerParts, options: WriteHookOptions): ReadonlyMap<string, WriteHooks> {
  const events: WriteHooks = { ttlSeconds: () => eventTtlSeconds };
  const services = serviceAllocator({
    client: options.client,
    services: parts.live<Service>("", "v1", "services"),
    addresses: parts.live<IPAddress>("networking.k8s.io", "v1", "ipaddresses"),
    random: options.random,
    cidr: options.serviceCidr,
  });
  return new Map([
    ["/events", events],
    ["events.k8s.io/events", events],
    ["/services", services],
  ]);
}
