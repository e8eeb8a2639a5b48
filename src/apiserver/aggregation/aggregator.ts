import { type APIService, apiServices } from "#api/apiregistration/v1/api-service.ts";
import { type Clock, rfc3339 } from "#base/clock.ts";
import type { HttpClient, HttpExchange } from "#base/http.ts";
import type { Logger } from "#base/log.ts";
import type { JsonMap } from "#apimachinery/json-value.ts";
import { isConflict, isNotFound, serviceUnavailable } from "#apimachinery/status.ts";
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
import { checkAvailability, isAvailable, withAvailability } from "./availability.ts";
import { fetchResources } from "./remote-discovery.ts";
import { fetchOpenApi, type RemoteOpenApi } from "./remote-openapi.ts";
import { type OpenRemote, type RemoteTarget, remoteUserHeaders, targetOf } from "./remote-service.ts";

/** An extension server tells of nothing: it is asked this often whether it is still there. */
const checkIntervalMs = 30_000;
/** Connections to extension servers that are kept; the one unused longest goes first. */
const remoteClientsMax = 64;

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
  const resources = new DisposableStack();
  const clients = new Map<string, HttpClient>();
  const discovered = new Map<string, readonly JsonMap[]>();
  const schemas = new Map<string, RemoteOpenApi>();
  const checks = new Map<string, Check>();
  let generation = 0;

  const clientOf = (target: RemoteTarget): HttpClient => {
    const key = JSON.stringify(target);
    const client = clients.get(key) ?? options.open(target);
    clients.delete(key);
    clients.set(key, client);
    const [oldest] = clients;
    if (clients.size > remoteClientsMax && oldest !== undefined) {
      clients.delete(oldest[0]);
      void oldest[1][Symbol.asyncDispose]();
    }
    return client;
  };

  async function check(name: string): Promise<void> {
    const service = registrations.get("", name);
    if (service?.spec.service === undefined) return;
    const availability = await checkAvailability(service, { endpoints, clientOf });
    if (availability.status === "True") {
      const { group = "", version = "" } = service.spec;
      const client = clientOf(targetOf(service, endpoints));
      discovered.set(name, await fetchResources(client, { group, version }));
      schemas.set(name, await fetchOpenApi(client, { group, version }));
    }
    const current = registrations.get("", name);
    if (current === undefined) return;
    const next = withAvailability(current, availability, rfc3339(clock.nowMs()));
    generation++;
    if (next !== current) await options.client().resource(apiServices).updateStatus(next);
  }

  /** Follows one registration: on each nudge, and every while. */
  function schedule(name: string): void {
    const known = checks.get(name) ?? { running: false, again: false };
    checks.set(name, known);
    known.again = true;
    if (!known.running) void follow(name, known);
  }

  async function follow(name: string, known: Check): Promise<void> {
    known.running = true;
    while (known.again && !resources.disposed) {
      known.again = false;
      try {
        await check(name);
      } catch (error) {
        if (!isConflict(error) && !isNotFound(error)) {
          options.log.debug("could not check an API service", { name, error: String(error) });
        }
      }
    }
    known.running = false;
    known.timer?.[Symbol.dispose]();
    if (resources.disposed || registrations.get("", name)?.spec.service === undefined) return;
    known.timer = clock.after(checkIntervalMs, () => schedule(name));
  }

  function onRegistration(name: string, service: APIService | undefined): void {
    generation++;
    if (service?.spec.service !== undefined) {
      const state = JSON.stringify(service.spec);
      const known = checks.get(name);
      if (known?.state === state) return;
      schedule(name);
      (checks.get(name) as Check).state = state;
      return;
    }
    checks.get(name)?.timer?.[Symbol.dispose]();
    checks.delete(name);
    discovered.delete(name);
    schemas.delete(name);
  }

  /** Services and their endpoints decide which registrations can be reached. */
  function onService(key: string): void {
    for (const { metadata, spec } of registrations.values()) {
      const { namespace = "", name = "" } = spec.service ?? {};
      const isOf = key === `${namespace}/${name}` || key.startsWith(`${namespace}/${name}-`);
      if (spec.service !== undefined && isOf) schedule(metadata.name ?? "");
    }
  }

  return {
    get generation() {
      return generation;
    },
    versions: () => versionsOf(registrations, discovered),
    async handle({ exchange, path, user }) {
      const { group, version } = groupVersionIn(path);
      if (group === undefined || version === undefined) return false;
      const service = registrations.get("", `${version}.${group}`);
      if (service?.spec.service === undefined) return false;
      if (!isAvailable(service)) {
        sendText(exchange, 503, "service unavailable\n");
        return true;
      }
      await pass({ exchange, path, user }, () => clientOf(targetOf(service, endpoints))).catch((error: unknown) => {
        // It may be gone: others need not find that out one by one.
        schedule(service.metadata.name ?? "");
        throw error;
      });
      return true;
    },
    transport(group, version, user) {
      const service = registrations.get("", `${version}.${group}`);
      if (service?.spec.service === undefined) return undefined;
      if (!isAvailable(service)) throw serviceUnavailable("service unavailable");
      const http = actingAs(clientOf(targetOf(service, endpoints)), user);
      return createHttpTransport({ http, clock });
    },
    openApi() {
      const found = [...schemas].map(([name, schema]) => {
        const dot = name.indexOf(".");
        return [`${name.slice(dot + 1)}/${name.slice(0, dot)}`, schema] as const;
      });
      return new Map(found);
    },
    start() {
      for (const service of registrations.values()) onRegistration(service.metadata.name ?? "", service);
      resources.use(registrations.onChange(onRegistration));
      resources.use(endpoints.services.onChange(onService));
      resources.use(endpoints.slices.onChange(onService));
    },
    [Symbol.dispose]() {
      resources.dispose();
      for (const { timer } of checks.values()) timer?.[Symbol.dispose]();
      for (const client of clients.values()) void client[Symbol.asyncDispose]();
    },
  };
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

interface Check {
  running: boolean;
  again: boolean;
  /** The spec that was last scheduled for. */
  state?: string;
  timer?: Disposable;
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
        isFresh: isAvailable(service),
      };
    });
}
