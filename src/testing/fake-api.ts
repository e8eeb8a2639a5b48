/**
 * A small API server for tests of its clients: objects in maps, real resource versions, conflicts,
 * finalizers, grace, watches with history; no validation, defaults, admission or authorization.
 * Faults are on call: held events (stale caches), broken streams, lost history, refused requests.
 */
import type { KubeObject } from "#apimachinery/object.ts";
import type { StatusError } from "#apimachinery/status.ts";
import { type Clock, rfc3339 } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { ResourceTarget } from "#client/client.ts";
import type { ApiRequest, ObjectList, Transport } from "#client/transport.ts";
import { discoveryDocument } from "./fake-discovery.ts";
import { FakeTables, tableOfTarget } from "./fake-tables.ts";
import { type FakeServer, serve, withMetadata } from "./fake-verbs.ts";
import { allTables, FakeWatches } from "./fake-watches.ts";

export interface FakeApi {
  readonly transport: Transport;
  /** Every request, in order, watches too. */
  readonly requests: ApiRequest[];
  readonly resourceVersion: string;
  /** Writes an object as it is, status and all, whatever is there; watches see it. */
  seed<T extends KubeObject>(target: ResourceTarget, object: T): T;
  /** Removes an object at once. */
  remove(target: ResourceTarget, key: string): void;
  get(target: ResourceTarget, key: string): KubeObject | undefined;
  list(target: ResourceTarget): KubeObject[];
  /** A StatusError returned here is the answer. */
  intercept: (request: ApiRequest) => StatusError | undefined;
  /** Watches (of one resource, or all) get nothing until the result is disposed. */
  holdEvents(target?: ResourceTarget): Disposable;
  /** Ends every watch, without a word or with an error. */
  disconnect(error?: Error): void;
  /** Forgets history: older positions are answered with 410. */
  compact(): void;
}

export interface FakeApiOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What discovery tells. */
  readonly served?: readonly ResourceTarget[];
}

export function createFakeApi({ clock, random, served = [] }: FakeApiOptions): FakeApi {
  const watches = new FakeWatches();
  const tables = new FakeTables((change) => watches.publish(change));
  const server: FakeServer = { tables, clock, random };

  async function arrive(request: ApiRequest): Promise<void> {
    await Promise.resolve();
    request.signal?.throwIfAborted();
    api.requests.push(request);
    const refused = api.intercept(request);
    if (refused) throw refused;
  }

  const api: FakeApi = {
    requests: [],
    intercept: () => undefined,
    get resourceVersion() {
      return String(tables.version);
    },
    transport: {
      async call(request) {
        await arrive(request);
        return serve(server, request);
      },
      async list(request): Promise<ObjectList<KubeObject>> {
        await arrive(request);
        return { items: Object.freeze(tables.select(request)), resourceVersion: String(tables.version) };
      },
      watch(request, sink) {
        api.requests.push(request);
        return watches.watch(request, sink, { tables, refuse: (refusable) => api.intercept(refusable) });
      },
      raw: async ({ path }) => discoveryDocument(path, served),
    },
    seed(target, object) {
      const defaults = {
        uid: object.metadata?.uid ?? random.uuid(),
        generation: object.metadata?.generation ?? 1,
        creationTimestamp: object.metadata?.creationTimestamp ?? rfc3339(clock.nowMs()),
      };
      return tables.commit(tableOfTarget(target), withMetadata(object, defaults)) as typeof object;
    },
    remove(target, key) {
      const old = tables.get(tableOfTarget(target), key);
      if (old) tables.erase(tableOfTarget(target), old);
    },
    get: (target, key) => tables.get(tableOfTarget(target), key),
    list: (target) => tables.list(tableOfTarget(target)),
    holdEvents: (target) => watches.hold(target ? tableOfTarget(target) : allTables),
    disconnect: (error) => watches.disconnect(error),
    compact: () => watches.compact(tables.skipVersion()),
  };
  return api;
}
