import type { ServerParts } from "../server.ts";
import type { WriteHooks } from "./rest.ts";

/** How long Events are kept, seconds. Source: --event-ttl. */
const eventTtlSeconds = 3600;

/** Work around writes, by `group/plural`. */
export function writeHooks(_parts: ServerParts): ReadonlyMap<string, WriteHooks> {
  const events: WriteHooks = { ttlSeconds: () => eventTtlSeconds };
  return new Map([
    ["/events", events],
    ["events.k8s.io/events", events],
  ]);
}
