/**
 * Decides about one object at a time, always on the server's own word: the graph only says where
 * to look. Source: pkg/controller/garbagecollector.
 */
import {
  apiVersionOf,
  type KubeObject,
  objectKey,
  type OwnerReference,
  parseApiVersion,
} from "#apimachinery/object.ts";
import { isInvalid, isNotFound } from "#apimachinery/status.ts";
import type { Client, DeleteOptions, ResourceTarget } from "#client/client.ts";
import type { EventRecorder } from "#client/events.ts";
import { blockingDependents, type Graph, type Identity, type Node } from "./graph.ts";

export interface CollectorOptions {
  readonly graph: Graph;
  readonly client: Client;
  readonly events: EventRecorder;
  /** The served resource of a kind, in any version of its group. */
  readonly resourceOf: (apiVersion: string, kind: string) => ResourceTarget | undefined;
  readonly enqueue: (uid: string) => void;
}

export interface Collector {
  /** Deletes the object if all its owners are gone, or helps its deletion along. */
  attemptToDelete(uid: string): Promise<void>;
  /** Frees the dependents of an object that is being deleted as their orphaner. */
  attemptToOrphan(uid: string): Promise<void>;
  /** The informers saw the object go. */
  gone(uid: string): void;
}

/** Most owners remembered as gone. */
const absentMax = 500;

interface Owners {
  readonly solid: OwnerReference[];
  readonly dangling: OwnerReference[];
  /** Being deleted in the foreground. */
  readonly waiting: OwnerReference[];
}

export function createCollector(options: CollectorOptions): Collector {
  const { graph, client, enqueue } = options;
  const absent = new Set<string>();

  function forgetOldest(): void {
    const oldest = absent.values().next().value;
    if (absent.size > absentMax && oldest !== undefined) absent.delete(oldest);
  }

  function gone(uid: string): void {
    const node = graph.remove(uid);
    if (node === undefined) return;
    absent.add(placeOf(node.identity));
    forgetOldest();
    for (const dependent of node.dependents) enqueue(dependent.identity.uid);
    for (const { uid: ownerUid } of node.owners) {
      if (graph.get(ownerUid)?.deletingDependents) enqueue(ownerUid);
    }
  }

  async function attemptToDelete(uid: string): Promise<void> {
    const node = graph.get(uid);
    if (node === undefined || (node.observed && node.beingDeleted && !node.deletingDependents))
      return;
    const found = await fetch(node.identity);
    if (found === undefined || found.object.metadata?.uid !== uid) return gone(uid);
    if (!node.observed) return;
    if (node.deletingDependents) return finishForeground(node, found);
    const references = found.object.metadata.ownerReferences ?? [];
    if (references.length === 0) return;
    const owners = await classify(node, references);
    if (owners.solid.length > 0)
      return dropReferences(found, [...owners.dangling, ...owners.waiting]);
    if (owners.waiting.length > 0 && node.dependents.size > 0) {
      await breakCycle(node);
      return remove(found, "Foreground");
    }
    return remove(found, policyOf(found.object));
  }

  interface Found {
    readonly target: ResourceTarget;
    readonly object: KubeObject;
  }

  async function fetch(identity: Identity): Promise<Found | undefined> {
    const target = options.resourceOf(identity.apiVersion, identity.kind);
    if (target === undefined)
      throw new Error(`no resource serves ${identity.apiVersion} ${identity.kind}`);
    const key = objectKey(
      target.scope === "Cluster" ? undefined : identity.namespace,
      identity.name,
    );
    try {
      return { target, object: await client.dynamic(target).get(key) };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async function classify(node: Node, references: readonly OwnerReference[]): Promise<Owners> {
    const owners: Owners = { solid: [], dangling: [], waiting: [] };
    for (const reference of references) {
      const state = await stateOfOwner(node, reference);
      owners[state].push(reference);
    }
    return owners;
  }

  async function stateOfOwner(node: Node, reference: OwnerReference): Promise<keyof Owners> {
    const { namespace } = node.identity;
    const target = options.resourceOf(reference.apiVersion, reference.kind);
    if (target === undefined) {
      throw new Error(`no resource serves ${reference.apiVersion} ${reference.kind}`);
    }
    // A cluster-scoped object cannot name an owner in a namespace: nobody can tell which one.
    if (target.scope === "Namespaced" && namespace === "") return "solid";
    const identity = { ...reference, namespace: target.scope === "Cluster" ? "" : namespace };
    if (absent.has(placeOf(identity))) return "dangling";
    const found = await fetch(identity);
    if (found === undefined || found.object.metadata?.uid !== reference.uid) {
      absent.add(placeOf(identity));
      forgetOldest();
      warnOfForeignOwner(node, reference);
      return "dangling";
    }
    const { deletionTimestamp, finalizers = [] } = found.object.metadata;
    return deletionTimestamp !== undefined && finalizers.includes("foregroundDeletion")
      ? "waiting"
      : "solid";
  }

  /** An owner that exists, but in another namespace, is a mistake that the user should hear of. */
  function warnOfForeignOwner(node: Node, reference: OwnerReference): void {
    const real = graph.get(reference.uid);
    if (!real?.observed || real.identity.namespace === node.identity.namespace) return;
    const { apiVersion, kind, namespace, name, uid } = node.identity;
    const { apiVersion: ownerVersion, kind: ownerKind, name: ownerName, uid: ownerUid } = reference;
    const owner = `[${ownerVersion}/${ownerKind}, namespace: ${namespace}, name: ${ownerName}, uid: ${ownerUid}]`;
    options.events.warning(
      { apiVersion, kind, metadata: { namespace, name, uid } },
      "OwnerRefInvalidNamespace",
      `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`,
    );
  }

  async function finishForeground(node: Node, found: Found): Promise<void> {
    const blocking = blockingDependents(node);
    if (blocking.length === 0) return dropFinalizer(found, "foregroundDeletion");
    for (const dependent of blocking) {
      if (!dependent.deletingDependents) enqueue(dependent.identity.uid);
    }
  }

  /** Objects that own each other in a ring would wait for ever: they no longer block. */
  async function breakCycle(node: Node): Promise<void> {
    if (![...node.dependents].some(({ deletingDependents }) => deletingDependents)) return;
    const found = await fetch(node.identity);
    if (found === undefined) return;
    const ownerReferences = (found.object.metadata?.ownerReferences ?? []).map((reference) => ({
      ...reference,
      blockOwnerDeletion: false,
    }));
    await patch(found, { ownerReferences });
  }

  async function dropReferences(found: Found, dropped: readonly OwnerReference[]): Promise<void> {
    if (dropped.length === 0) return;
    const gone = new Set(dropped.map(({ uid }) => uid));
    const ownerReferences = (found.object.metadata?.ownerReferences ?? []).filter(
      ({ uid }) => !gone.has(uid),
    );
    await patch(found, { ownerReferences });
  }

  async function dropFinalizer(found: Found, name: string): Promise<void> {
    const finalizers = found.object.metadata?.finalizers ?? [];
    if (!finalizers.includes(name)) return;
    await patch(found, { finalizers: finalizers.filter((finalizer) => finalizer !== name) });
  }

  async function patch({ target, object }: Found, change: object): Promise<void> {
    const { namespace, name = "", uid, resourceVersion } = object.metadata ?? {};
    const body = { metadata: { uid, resourceVersion, ...change } };
    await client.dynamic(target).patch(objectKey(namespace, name), { type: "merge", body });
  }

  async function remove(
    { target, object }: Found,
    propagationPolicy: DeleteOptions["propagationPolicy"],
  ): Promise<void> {
    const { namespace, name = "", uid = "", resourceVersion = "" } = object.metadata ?? {};
    const preconditions = { uid, resourceVersion };
    await client
      .dynamic(target)
      .delete(objectKey(namespace, name), {
        preconditions,
        ...(propagationPolicy && { propagationPolicy }),
      })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }

  async function attemptToOrphan(uid: string): Promise<void> {
    const node = graph.get(uid);
    if (node === undefined) return;
    for (const dependent of [...node.dependents]) {
      const found = await fetch(dependent.identity);
      const references = found?.object.metadata?.ownerReferences ?? [];
      const ours = references.filter((reference) => reference.uid === uid);
      if (found) await dropReferences(found, ours).catch(ignoreGone);
    }
    const found = await fetch(node.identity);
    if (found?.object.metadata?.uid === uid) await dropFinalizer(found, "orphan").catch(ignoreGone);
  }

  return { attemptToDelete, attemptToOrphan, gone };
}

/** The object itself may say how its own dependents are to be treated. */
function policyOf(object: KubeObject): DeleteOptions["propagationPolicy"] {
  const finalizers = object.metadata?.finalizers ?? [];
  if (finalizers.includes("orphan")) return "Orphan";
  return finalizers.includes("foregroundDeletion") ? "Foreground" : "Background";
}

function placeOf({ namespace, uid, name, apiVersion, kind }: Identity): string {
  const { group } = parseApiVersion(apiVersion);
  return [uid, apiVersionOf(group, kind), namespace, name].join("|");
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isInvalid(error)) throw error;
}
