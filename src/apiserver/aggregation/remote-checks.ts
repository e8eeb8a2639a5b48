import { type APIService, apiServices } from "#api/apiregistration/v1/api-service.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { JsonMap } from "#apimachinery/json-value.ts";
import { isConflict, isNotFound } from "#apimachinery/status.ts";
import { type Clock, rfc3339 } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";
import type { LiveSet } from "../storage/live-set.ts";
import type { ServiceEndpoints } from "../webhooks/service-endpoint.ts";
import { checkAvailability, withAvailability } from "./availability.ts";
import type { RemoteClients } from "./remote-clients.ts";
import { fetchResources } from "./remote-discovery.ts";
import { fetchOpenApi, type RemoteOpenApi } from "./remote-openapi.ts";
import { targetOf } from "./remote-service.ts";

/** An extension server tells of nothing: it is asked this often whether it is still there. */
const checkIntervalMs = 30_000;

export interface RemoteChecksOptions {
  readonly registrations: LiveSet<APIService>;
  readonly endpoints: ServiceEndpoints;
  readonly clients: RemoteClients;
  readonly client: () => Client;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Check {
  running: boolean;
  again: boolean;
  /** The spec that was last scheduled for. */
  state?: string;
  timer?: Disposable;
}

/**
 * Asks other servers whether they are there and what they serve, on each change of their
 * registrations and endpoints and every while, and writes their availability.
 */
export class RemoteChecks implements Disposable {
  readonly #options: RemoteChecksOptions;
  readonly #resources = new DisposableStack();
  readonly #checks = new Map<string, Check>();
  readonly #discovered = new Map<string, readonly JsonMap[]>();
  readonly #schemas = new Map<string, RemoteOpenApi>();
  #generation = 0;

  constructor(options: RemoteChecksOptions) {
    this.#options = options;
  }

  /** Grows with each finding that is new, and each change of a registration. */
  get generation(): number {
    return this.#generation;
  }

  /** Resources by name of the registration; none while its server does not tell. */
  get discovered(): ReadonlyMap<string, readonly JsonMap[]> {
    return this.#discovered;
  }

  /** By name of the registration. */
  get schemas(): ReadonlyMap<string, RemoteOpenApi> {
    return this.#schemas;
  }

  start(): void {
    const { registrations, endpoints } = this.#options;
    const onRegistration = (name: string, service: APIService | undefined): void => this.#changed(name, service);
    const onService = (key: string): void => this.#serviceChanged(key);
    for (const service of registrations.values()) onRegistration(service.metadata.name ?? "", service);
    this.#resources.use(registrations.onChange(onRegistration));
    this.#resources.use(endpoints.services.onChange(onService));
    this.#resources.use(endpoints.slices.onChange(onService));
  }

  /** Checks a registration soon, once more if it is being checked. */
  schedule(name: string): void {
    const check = this.#checks.get(name) ?? { running: false, again: false };
    this.#checks.set(name, check);
    check.again = true;
    if (!check.running) void this.#follow(name, check);
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
    for (const { timer } of this.#checks.values()) timer?.[Symbol.dispose]();
  }

  #changed(name: string, service: APIService | undefined): void {
    this.#generation++;
    if (service?.spec.service === undefined) return this.#forget(name);
    const state = JSON.stringify(service.spec);
    if (this.#checks.get(name)?.state === state) return;
    this.schedule(name);
    (this.#checks.get(name) as Check).state = state;
  }

  #forget(name: string): void {
    this.#checks.get(name)?.timer?.[Symbol.dispose]();
    this.#checks.delete(name);
    this.#discovered.delete(name);
    this.#schemas.delete(name);
  }

  /** Services and their endpoints decide which registrations can be reached. */
  #serviceChanged(key: string): void {
    for (const { metadata, spec } of this.#options.registrations.values()) {
      const { namespace = "", name = "" } = spec.service ?? {};
      const isOf = key === `${namespace}/${name}` || key.startsWith(`${namespace}/${name}-`);
      if (spec.service !== undefined && isOf) this.schedule(metadata.name ?? "");
    }
  }

  /** Follows one registration: on each nudge, and every while. */
  async #follow(name: string, check: Check): Promise<void> {
    const { registrations, clock, log } = this.#options;
    check.running = true;
    while (check.again && !this.#resources.disposed) {
      check.again = false;
      try {
        await this.#check(name);
      } catch (error) {
        if (!isConflict(error) && !isNotFound(error)) {
          log.debug("could not check an API service", { name, error: String(error) });
        }
      }
    }
    check.running = false;
    check.timer?.[Symbol.dispose]();
    if (this.#resources.disposed || registrations.get("", name)?.spec.service === undefined) return;
    check.timer = clock.after(checkIntervalMs, () => this.schedule(name));
  }

  async #check(name: string): Promise<void> {
    const { registrations, endpoints, clients, clock, client } = this.#options;
    const service = registrations.get("", name);
    if (service?.spec.service === undefined) return;
    const availability = await checkAvailability(service, { endpoints, clientOf: (target) => clients.of(target) });
    if (availability.status === "True") await this.#discover(name, service);
    else this.#tellResources(name, undefined);
    const current = registrations.get("", name);
    if (current === undefined) return this.#forget(name);
    const next = withAvailability(current, availability, rfc3339(clock.nowMs()));
    if (next !== current) await client().resource(apiServices).updateStatus(next);
  }

  /** Asks a server that answers what it serves. Without an answer its resources are stale; its schemas stay. */
  async #discover(name: string, service: APIService): Promise<void> {
    const { endpoints, clients, log } = this.#options;
    const { group = "", version = "" } = service.spec;
    const remote = clients.of(targetOf(service, endpoints));
    const unanswered = (what: string) => (error: unknown) => {
      log.debug("could not ask an API server", { name, what, error: String(error) });
      return undefined;
    };
    const resources = await fetchResources(remote, { group, version }).catch(unanswered("discovery"));
    this.#tellResources(name, resources);
    const known = this.#schemas.get(name);
    const schema = await fetchOpenApi(remote, { group, version }, known).catch(unanswered("OpenAPI"));
    if (schema === undefined || schema === known) return;
    this.#schemas.set(name, schema);
    this.#generation++;
  }

  #tellResources(name: string, resources: readonly JsonMap[] | undefined): void {
    if (deepEqual(resources, this.#discovered.get(name))) return;
    if (resources === undefined) this.#discovered.delete(name);
    else this.#discovered.set(name, resources);
    this.#generation++;
  }
}
