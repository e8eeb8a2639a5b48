/** What the fake API does to its objects for each verb. */
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { type KubeObject, objectKey, type ObjectMeta } from "#apimachinery/object.ts";
import {
  alreadyExists,
  conflict,
  forbiddenStatus,
  modifiedMessage,
  notFound,
  StatusError,
  unknownResource,
} from "#apimachinery/status.ts";
import { type Clock, rfc3339 } from "#base/clock.ts";
import { type Random, randomSuffix } from "#base/random.ts";
import type { DeleteOptions } from "#client/client.ts";
import type { ApiRequest } from "#client/transport.ts";
import { fakeSubresource, mergePatch } from "./fake-subresources.ts";
import { type FakeTables, type Stored, tableName } from "./fake-tables.ts";

export interface FakeServer {
  readonly tables: FakeTables;
  readonly clock: Clock;
  readonly random: Random;
}

/** Throws a StatusError when that is the answer. */
export function serve(server: FakeServer, request: ApiRequest): KubeObject {
  if (request.subresource !== "" && request.subresource !== "status") return serveSubresource(server, request);
  switch (request.verb) {
    case "create":
      return create(server, request);
    case "get":
      return existing(server, request);
    case "update":
      return update(server, request, request.body as Stored);
    case "patch":
      return patch(server, request);
    case "delete":
      return remove(server, request, existing(server, request));
    case "deletecollection":
      for (const object of server.tables.select(request)) {
        remove(server, { ...request, name: object.metadata?.name ?? "" }, object);
      }
      return { kind: "Status", apiVersion: "v1" };
    default:
      throw unknownResource();
  }
}

function serveSubresource(server: FakeServer, request: ApiRequest): KubeObject {
  const object = existing(server, request);
  const answer = fakeSubresource(request, object);
  if (answer.action === "delete") return remove(server, { ...request, body: answer.options }, object);
  return answer.action === "answer" ? answer.object : settle(server, request, answer.object);
}

function existing({ tables }: FakeServer, request: ApiRequest): Stored {
  const found = tables.get(tableName(request), objectKey(request.namespace, request.name));
  if (!found) throw notFound(request, request.name);
  return found;
}

function create({ tables, clock, random }: FakeServer, request: ApiRequest): Stored {
  const { namespace } = request;
  const body = request.body as Stored;
  const name = body.metadata?.name ?? `${body.metadata?.generateName}${randomSuffix(random, 5)}`;
  const within = tables.get("/namespaces", namespace);
  if (within?.metadata?.deletionTimestamp !== undefined) throw terminating(request);
  if (tables.get(tableName(request), objectKey(namespace, name))) throw alreadyExists(request, name);
  const metadata = {
    ...(namespace !== "" && { namespace }),
    name,
    uid: random.uuid(),
    generation: 1,
    creationTimestamp: rfc3339(clock.nowMs()),
  };
  return tables.commit(tableName(request), withMetadata(body, metadata));
}

function update(server: FakeServer, request: ApiRequest, body: Stored): KubeObject {
  const old = existing(server, request);
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
  return settle(server, request, nextState(request, { old, body: { ...body, metadata } }));
}

function patch(server: FakeServer, request: ApiRequest): KubeObject {
  const known = server.tables.get(tableName(request), objectKey(request.namespace, request.name));
  if (known === undefined && request.patchType === "apply") return create(server, request);
  return update(server, request, mergePatch(existing(server, request), request.body as Stored));
}

/** Writes, or removes what was only waiting for this. */
function settle({ tables }: FakeServer, request: ApiRequest, next: Stored): KubeObject {
  const goes = next.metadata?.deletionTimestamp !== undefined && !stays(next);
  return goes ? tables.erase(tableName(request), next) : tables.commit(tableName(request), next);
}

function remove(server: FakeServer, request: ApiRequest, old: Stored): KubeObject {
  const asked = (request.body ?? {}) as DeleteOptions;
  checkPreconditions(request, old, asked);
  return settle(server, request, deleting(request, { old, asked, nowMs: server.clock.nowMs() }));
}

function checkPreconditions(request: ApiRequest, { metadata }: Stored, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid !== undefined && uid !== metadata?.uid) {
    throw conflict(
      request,
      request.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata?.uid}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata?.resourceVersion) {
    throw conflict(request, request.name, "Precondition failed: ResourceVersion");
  }
}

/** A deleted object is there until its grace is over and its finalizers are gone. */
function stays(object: Stored): boolean {
  return holdsDeletion(object) || waitsForGrace(object);
}

/** Source: admission plugin NamespaceLifecycle. */
function terminating({ group, resource, namespace }: ApiRequest): StatusError {
  const message = `namespace ${namespace} is being terminated`;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const refused = forbiddenStatus({ group, resource }, "", why);
  const causes = [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }];
  return new StatusError({ ...refused.status, details: { ...refused.status.details, causes } });
}

export function withMetadata(object: Stored, metadata: ObjectMeta): Stored {
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
