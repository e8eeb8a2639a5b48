/**
 * A small API server for tests of its clients: objects in maps, real resource versions, conflicts,
 * finalizers, grace, watches with history; no validation, defaults, admission or authorization.
 * Faults are on call: held events (stale caches), broken streams, lost history, refused requests.
 */
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { type KubeObject, keyOfObject, objectKey, type ObjectMeta } from "#apimachinery/object.ts";
import { parseLabelSelector } from "#apimachinery/selectors.ts";
import {
  alreadyExists,
  conflict,
  expired,
  forbiddenStatus,
  modifiedMessage,
  notFound,
  StatusError,
  unknownResource,
} from "#apimachinery/status.ts";
import { type Clock, rfc3339 } from "#base/clock.ts";
import { type Random, randomSuffix } from "#base/random.ts";
import type { DeleteOptions, ResourceTarget } from "#client/client.ts";
import {
  type ApiRequest,
  initialEventsAnnotation,
  type ObjectList,
  type Transport,
  type WatchEvent,
  type WatchSink,
} from "#client/transport.ts";
import { discoveryDocument } from "./fake-discovery.ts";
import { fakeSubresource, mergePatch } from "./fake-subresources.ts";

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

type Stored = KubeObject & { readonly spec?: object; readonly status?: object };

interface Watcher {
  readonly request: ApiRequest;
  readonly sink: WatchSink<KubeObject>;
  selected: (object: KubeObject) => boolean;
  open: boolean;
}

interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly table: string;
  readonly object: KubeObject;
  readonly old: KubeObject | undefined;
  readonly version: number;
}

export function createFakeApi(options: FakeApiOptions): FakeApi {
  const { clock, random } = options;
  const tables = new Map<string, Map<string, Stored>>();
  const history: Change[] = [];
  const held: Change[] = [];
  const watchers = new Set<Watcher>();
  let version = 1;
  let compacted = 0;
  const holds: string[] = [];

  const tableOf = (name: string): Map<string, Stored> => {
    const table = tables.get(name) ?? new Map<string, Stored>();
    tables.set(name, table);
    return table;
  };

  function commit(table: string, next: Stored): Stored {
    const key = keyOfObject(next);
    const old = tableOf(table).get(key);
    if (old && deepEqual(old, next)) return old;
    const object = frozen({
      ...next,
      metadata: { ...next.metadata, resourceVersion: String(++version) },
    });
    tableOf(table).set(key, object);
    publish({ type: old ? "MODIFIED" : "ADDED", table, object, old, version });
    return object;
  }

  function erase(table: string, old: Stored): KubeObject {
    tableOf(table).delete(keyOfObject(old));
    const metadata = { ...old.metadata, resourceVersion: String(++version) };
    const object = frozen({ ...old, metadata });
    publish({ type: "DELETED", table, object, old, version });
    return object;
  }

  const isHeld = ({ table }: Change): boolean => holds.includes("*") || holds.includes(table);

  function publish(change: Change): void {
    history.push(change);
    if (isHeld(change)) held.push(change);
    else for (const watcher of [...watchers]) deliver(watcher, change);
  }

  function deliver(watcher: Watcher, change: Change): void {
    if (!watcher.open || tableName(watcher.request) !== change.table) return;
    const now = change.type !== "DELETED" && watcher.selected(change.object);
    const before = change.old !== undefined && watcher.selected(change.old);
    const type = now ? (before ? "MODIFIED" : "ADDED") : before ? "DELETED" : undefined;
    if (type) watcher.sink.onEvent({ type, object: change.object });
  }

  function create(request: ApiRequest): Stored {
    const body = request.body as Stored;
    const name = body.metadata?.name ?? `${body.metadata?.generateName}${randomSuffix(random, 5)}`;
    const key = objectKey(request.namespace, name);
    const within = tableOf("/namespaces").get(request.namespace);
    if (within?.metadata?.deletionTimestamp !== undefined) throw terminating(request);
    if (tableOf(tableName(request)).has(key)) throw alreadyExists(request, name);
    return commit(
      tableName(request),
      withMetadata(body, {
        ...(request.namespace !== "" && { namespace: request.namespace }),
        name,
        uid: random.uuid(),
        generation: 1,
        creationTimestamp: rfc3339(clock.nowMs()),
      }),
    );
  }

  function existing(request: ApiRequest): Stored {
    const found = tableOf(tableName(request)).get(objectKey(request.namespace, request.name));
    if (!found) throw notFound(request, request.name);
    return found;
  }

  function update(request: ApiRequest, body: Stored): KubeObject {
    const old = existing(request);
    const wanted = body.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== "" && wanted !== old.metadata?.resourceVersion) {
      throw conflict(request, request.name, modifiedMessage);
    }
    const metadata: ObjectMeta = {
      ...body.metadata,
      uid: old.metadata?.uid,
      resourceVersion: old.metadata?.resourceVersion,
      creationTimestamp: old.metadata?.creationTimestamp,
      deletionTimestamp: old.metadata?.deletionTimestamp,
      generation: old.metadata?.generation,
    };
    return settle(request, nextState(request, { old, body: { ...body, metadata } }));
  }

  /** Writes, or removes what was only waiting for this. */
  function settle(request: ApiRequest, next: Stored): KubeObject {
    const going = next.metadata?.deletionTimestamp !== undefined;
    if (going && !holdsDeletion(next) && !waitsForGrace(next))
      return erase(tableName(request), next);
    return commit(tableName(request), next);
  }

  function remove(request: ApiRequest, old: Stored): KubeObject {
    const asked = (request.body ?? {}) as DeleteOptions;
    const { uid, resourceVersion } = asked.preconditions ?? {};
    if (uid !== undefined && uid !== old.metadata?.uid) {
      throw conflict(
        request,
        request.name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata?.uid}`,
      );
    }
    if (resourceVersion !== undefined && resourceVersion !== old.metadata?.resourceVersion) {
      throw conflict(request, request.name, "Precondition failed: ResourceVersion");
    }
    const next = deleting(request, { old, asked, nowMs: clock.nowMs() });
    if (holdsDeletion(next) || waitsForGrace(next)) return commit(tableName(request), next);
    return erase(tableName(request), next);
  }

  function serve(request: ApiRequest): KubeObject {
    if (request.subresource !== "" && request.subresource !== "status") {
      const answer = fakeSubresource(request, existing(request));
      if (answer.action === "delete")
        return remove({ ...request, body: answer.options }, existing(request));
      return answer.action === "answer" ? answer.object : settle(request, answer.object);
    }
    switch (request.verb) {
      case "create":
        return create(request);
      case "get":
        return existing(request);
      case "update":
        return update(request, request.body as Stored);
      case "patch":
        if (
          request.patchType === "apply" &&
          !tableOf(tableName(request)).has(objectKey(request.namespace, request.name))
        ) {
          return create(request);
        }
        return update(request, mergePatch(existing(request), request.body as Stored));
      case "delete":
        return remove(request, existing(request));
      case "deletecollection":
        for (const object of select(request)) {
          remove({ ...request, name: object.metadata?.name ?? "" }, object);
        }
        return { kind: "Status", apiVersion: "v1" };
      default:
        throw unknownResource();
    }
  }

  function select(request: ApiRequest): Stored[] {
    return [...tableOf(tableName(request)).values()].filter(selection(request));
  }

  async function arrive(request: ApiRequest): Promise<void> {
    await Promise.resolve();
    request.signal?.throwIfAborted();
    api.requests.push(request);
    const refused = api.intercept(request);
    if (refused) throw refused;
  }

  function begin(watcher: Watcher): void {
    const { request, sink } = watcher;
    const refused = api.intercept(request);
    const from = Number(request.options.resourceVersion ?? "0");
    if (refused || (from > 0 && from < compacted)) {
      watcher.open = false;
      return sink.onClosed(refused ?? expired(`too old resource version: ${from} (${compacted})`));
    }
    if (from > 0) {
      for (const change of history)
        if (change.version > from && !held.includes(change)) deliver(watcher, change);
    } else for (const object of select(request)) sink.onEvent({ type: "ADDED", object });
    if (request.options.sendInitialEvents) sink.onEvent(endOfInitialEvents(version));
    watchers.add(watcher);
  }

  const api: FakeApi = {
    requests: [],
    intercept: () => undefined,
    get resourceVersion() {
      return String(version);
    },
    transport: {
      async call(request) {
        await arrive(request);
        return serve(request);
      },
      async list(request): Promise<ObjectList<KubeObject>> {
        await arrive(request);
        return { items: Object.freeze(select(request)), resourceVersion: String(version) };
      },
      watch(request, sink) {
        api.requests.push(request);
        const watcher: Watcher = { request, sink, selected: selection(request), open: true };
        void Promise.resolve().then(() => watcher.open && begin(watcher));
        return {
          [Symbol.dispose]() {
            watcher.open = false;
            watchers.delete(watcher);
          },
        };
      },
      raw: async ({ path }) => discoveryDocument(path, options.served ?? []),
    },
    seed(target, object) {
      const defaults = {
        uid: object.metadata?.uid ?? random.uuid(),
        generation: object.metadata?.generation ?? 1,
        creationTimestamp: object.metadata?.creationTimestamp ?? rfc3339(clock.nowMs()),
      };
      return commit(targetName(target), withMetadata(object, defaults)) as typeof object;
    },
    remove(target, key) {
      const old = tableOf(targetName(target)).get(key);
      if (old) erase(targetName(target), old);
    },
    get: (target, key) => tableOf(targetName(target)).get(key),
    list: (target) => [...tableOf(targetName(target)).values()],
    holdEvents(target) {
      const name = target ? targetName(target) : "*";
      holds.push(name);
      return {
        [Symbol.dispose]() {
          holds.splice(holds.indexOf(name), 1);
          const [free, kept] = [held.filter((change) => !isHeld(change)), held.filter(isHeld)];
          held.splice(0, held.length, ...kept);
          for (const change of free) for (const watcher of [...watchers]) deliver(watcher, change);
        },
      };
    },
    disconnect(error) {
      for (const watcher of [...watchers]) {
        watchers.delete(watcher);
        watcher.open = false;
        watcher.sink.onClosed(error);
      }
    },
    compact() {
      compacted = version + 1;
      version = compacted;
      history.length = 0;
    },
  };
  return api;
}

/** Source: admission plugin NamespaceLifecycle. */
function terminating({ group, resource, namespace }: ApiRequest): StatusError {
  const message = `namespace ${namespace} is being terminated`;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const refused = forbiddenStatus({ group, resource }, "", why);
  const causes = [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }];
  return new StatusError({ ...refused.status, details: { ...refused.status.details, causes } });
}

function tableName({ group, resource }: ApiRequest): string {
  return `${group}/${resource}`;
}

function targetName({ group, plural }: ResourceTarget): string {
  return `${group}/${plural}`;
}

function withMetadata(object: Stored, metadata: ObjectMeta): Stored {
  return { ...object, metadata: { ...object.metadata, ...metadata } };
}

/** The main resource keeps its status; `status` keeps everything but metadata. */
function nextState(request: ApiRequest, change: { old: Stored; body: Stored }): Stored {
  const { old, body } = change;
  if (request.subresource === "status") {
    return withStatus({ ...old, ...(body.metadata && { metadata: body.metadata }) }, body.status);
  }
  const next = withStatus(body, old.status);
  if (deepEqual(old.spec, next.spec)) return next;
  return withMetadata(next, { generation: (old.metadata?.generation ?? 0) + 1 });
}

function withStatus(object: Stored, status: object | undefined): Stored {
  const { status: _, ...rest } = object;
  return status === undefined ? rest : { ...rest, status };
}

interface Deletion {
  readonly old: Stored;
  readonly asked: DeleteOptions;
  readonly nowMs: number;
}

function deleting(request: ApiRequest, { old, asked, nowMs }: Deletion): Stored {
  const held = new Set(old.metadata?.finalizers ?? []);
  if (asked.propagationPolicy !== undefined) {
    held.delete("foregroundDeletion");
    held.delete("orphan");
  }
  if (asked.propagationPolicy === "Foreground") held.add("foregroundDeletion");
  if (asked.propagationPolicy === "Orphan") held.add("orphan");
  const graceSeconds = request.resource === "pods" ? podGraceSeconds(old, asked) : 0;
  return withMetadata(old, {
    finalizers: held.size > 0 ? [...held] : undefined,
    deletionTimestamp: old.metadata?.deletionTimestamp ?? rfc3339(nowMs + graceSeconds * 1000),
    deletionGracePeriodSeconds: graceSeconds,
  });
}

/**
 * Pods on a node go when their kubelet says so; others, and ended ones, at once. Who asks again
 * without a period of its own leaves the one that runs.
 */
function podGraceSeconds(pod: Stored, asked: DeleteOptions): number {
  const pending = pod.metadata?.deletionGracePeriodSeconds;
  if (pending !== undefined && asked.gracePeriodSeconds === undefined) return pending;
  const spec = (pod.spec ?? {}) as { nodeName?: string; terminationGracePeriodSeconds?: number };
  const phase = ((pod.status ?? {}) as { phase?: string }).phase ?? "";
  if (!spec.nodeName || phase === "Failed" || phase === "Succeeded") return 0;
  return asked.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
}

function waitsForGrace(object: Stored): boolean {
  return (object.metadata?.deletionGracePeriodSeconds ?? 0) > 0;
}

function holdsDeletion(object: Stored): boolean {
  const ofSpec =
    object.kind === "Namespace"
      ? ((object.spec ?? {}) as { finalizers?: string[] }).finalizers
      : [];
  return (object.metadata?.finalizers ?? []).length > 0 || (ofSpec ?? []).length > 0;
}

function selection(request: ApiRequest): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(request.options.labelSelector ?? "");
  const fields = (request.options.fieldSelector ?? "").split(",").filter((term) => term !== "");
  const matchesField = (object: KubeObject, term: string): boolean => {
    const [path = "", wanted = ""] = term.split(/!?==?/);
    return (fieldAt(object, path) === wanted) !== term.includes("!=");
  };
  return (object) =>
    (request.namespace === "" || object.metadata?.namespace === request.namespace) &&
    labels.matches(object.metadata?.labels) &&
    fields.every((term) => matchesField(object, term));
}

function fieldAt(object: unknown, path: string): string {
  let at: unknown = object;
  for (const step of path.split(".")) {
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[step] : undefined;
  }
  return at === undefined ? "" : String(at);
}

function endOfInitialEvents(version: number): WatchEvent<KubeObject> {
  const annotations = { [initialEventsAnnotation]: "true" };
  return {
    type: "BOOKMARK",
    object: { metadata: { resourceVersion: String(version), annotations } },
  };
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
