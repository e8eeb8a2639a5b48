import type { APIService } from "#api/apiregistration/v1/api-service.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpClient, HttpExchange } from "#base/http.ts";
import type { Logger } from "#base/log.ts";
import type { JsonMap } from "#apimachinery/json-value.ts";
import { serviceUnavailable } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import { createHttpTransport } from "#client/http-transport.ts";
import type { Transport } from "#client/transport.ts";
import { proxyHttp } from "#wire/http-proxy.ts";
import { proxyUpgrade } from "#wire/upgrade-proxy.ts";
import type { User } from "../call.ts";
import type { RemoteGroups, RemoteVersion } from "../discovery/remote-groups.ts";
import { sendText } from "../http/send.ts";
import type { LiveSet } from "../storage/live-set.ts";
import type { ServiceEndpoints } from "../webhooks/service-endpoint.ts";
import { isAvailable } from "./availability.ts";
import { RemoteChecks } from "./remote-checks.ts";
import { RemoteClients } from "./remote-clients.ts";
import type { RemoteOpenApi } from "./remote-openapi.ts";
import { type OpenRemote, remoteUserHeaders, targetOf } from "./remote-service.ts";

export interface AggregatorOptions {
  readonly registrations: LiveSet<APIService>;
  readonly endpoints: ServiceEndpoints;
  readonly open: OpenRemote;
  readonly client: () => Client;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AggregatedRequest {
  readonly exchange: HttpExchange;
  readonly path: string;
  readonly user: User;
}

export interface Aggregator extends Disposable, RemoteGroups {
  /** Passes the request on when another server serves its group version. */
  handle(request: AggregatedRequest): Promise<boolean>;
  /** For components of this process; undefined for what no other server serves. */
  transport(group: string, version: string, user: User): Transport | undefined;
  /** What other servers say of their schemas, by `group/version`. */
  openApi(): ReadonlyMap<string, RemoteOpenApi>;
  /** Begins to look after availability. */
  start(): void;
}

/**
 * Passes group versions that APIServices give to other servers on to them.
 * Invariants: 1. a request is passed on only after this server authorized it, and under its own
 * certificate. 2. Redirects of extension servers are not followed (CVE-2022-3172).
 * Source: kube-aggregator pkg/apiserver/handler_proxy.go.
 */
export function createAggregator(options: AggregatorOptions): Aggregator {
  const { registrations, endpoints, clock } = options;
  const clients = new RemoteClients(options.open);
  const checks = new RemoteChecks({ ...options, clients });
  const clientFor = (service: APIService): HttpClient => clients.of(targetOf(service, endpoints));

  /** The registration that gives a group version to another server. */
  function remoteOf(group: string, version: string): APIService | undefined {
    const service = registrations.get("", `${version}.${group}`);
    return service?.spec.service === undefined ? undefined : service;
  }

  return {
    get generation() {
      return checks.generation;
    },
    versions: () => versionsOf(registrations, checks.discovered),
    async handle({ exchange, path, user }) {
      const { group, version } = groupVersionIn(path);
      const service = group === undefined || version === undefined ? undefined : remoteOf(group, version);
      if (service === undefined) return false;
      const { name = "" } = service.metadata;
      // What a server does not say of its schemas is made of what it says in v2.
      if (path.startsWith("/openapi/") && checks.schemas.get(name)?.v3Url === undefined) return false;
      if (!isAvailable(service)) {
        sendText(exchange, 503, "service unavailable\n");
        return true;
      }
      await pass({ exchange, path, user }, () => clientFor(service)).catch((error: unknown) => {
        // It may be gone: others need not find that out one by one.
        checks.schedule(name);
        throw error;
      });
      return true;
    },
    transport(group, version, user) {
      const service = remoteOf(group, version);
      if (service === undefined) return undefined;
      if (!isAvailable(service)) throw serviceUnavailable("service unavailable");
      return createHttpTransport({ http: actingAs(clientFor(service), user), clock });
    },
    openApi: () => byGroupVersion(checks.schemas),
    start: () => checks.start(),
    [Symbol.dispose]() {
      checks[Symbol.dispose]();
      clients[Symbol.dispose]();
    },
  };
}

/** Schemas by name of the registration, `version.group`, come back by `group/version`. */
function byGroupVersion(schemas: ReadonlyMap<string, RemoteOpenApi>): Map<string, RemoteOpenApi> {
  const found = [...schemas].map(([name, schema]) => {
    const dot = name.indexOf(".");
    return [`${name.slice(dot + 1)}/${name.slice(0, dot)}`, schema] as const;
  });
  return new Map(found);
}

/** Of `/apis/G/V/...` and `/openapi/v3/apis/G/V`. */
function groupVersionIn(path: string): { group?: string | undefined; version?: string | undefined } {
  const parts = path.split("/").filter((part) => part !== "");
  const own = parts[0] === "openapi" && parts[1] === "v3" ? parts.slice(2) : parts;
  return own[0] === "apis" ? { group: own[1], version: own[2] } : {};
}

/** The same server, told whom each request is for. */
function actingAs(client: HttpClient, user: User): HttpClient {
  const headers = remoteUserHeaders(user);
  return {
    request: (options) => client.request({ ...options, headers: { ...options.headers, ...headers } }),
    upgrade: (options) => client.upgrade({ ...options, headers: { ...options.headers, ...headers } }),
    reconnect: () => client.reconnect(),
    // Others use the connections too.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function pass({ exchange, user }: AggregatedRequest, connect: () => HttpClient): Promise<void> {
  // What a client says of itself in our own headers must not get through.
  const own = Object.keys(exchange.headers).filter((name) => name.startsWith("x-remote-"));
  const silenced = Object.fromEntries(own.map((name) => [name, []]));
  const headers = { ...silenced, ...remoteUserHeaders(user) };
  let client: HttpClient;
  try {
    client = connect();
  } catch {
    sendText(exchange, 503, "service unavailable\n");
    return;
  }
  try {
    const path = exchange.url;
    if (exchange.upgrade !== undefined) await proxyUpgrade(exchange, { client, path, headers });
    else await proxyHttp(exchange, { client, path, headers, rejectRedirects: true });
  } catch (error) {
    if (exchange.answered) return;
    throw serviceUnavailable(`error trying to reach service: ${(error as Error).message}`);
  }
}

function versionsOf(
  registrations: LiveSet<APIService>,
  discovered: ReadonlyMap<string, readonly JsonMap[]>,
): RemoteVersion[] {
  return [...registrations.values()]
    .filter(({ spec }) => spec.service !== undefined)
    .map((service) => {
      const { metadata, spec } = service;
      return {
        group: spec.group ?? "",
        version: spec.version ?? "",
        groupPriority: spec.groupPriorityMinimum,
        versionPriority: spec.versionPriority,
        resources: discovered.get(metadata.name ?? "") ?? [],
        isFresh: discovered.has(metadata.name ?? ""),
      };
    });
}
