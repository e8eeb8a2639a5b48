import type { KubeObject, OwnerReference } from "#apimachinery/object.ts";
import { isInvalid, isNotFound } from "#apimachinery/status.ts";
import type { Client, DeleteOptions } from "#client/client.ts";
import type { EventRecorder } from "#client/events.ts";
import { AbsentOwners } from "./absent-owners.ts";
import { blockingDependents, type Graph, type Node } from "./graph.ts";
import { type Found, LiveObjects, referencesOf, type ResourceOf } from "./live-objects.ts";

export interface CollectorOptions {
  readonly graph: Graph;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly resourceOf: ResourceOf;
  readonly enqueue: (uid: string) => void;
}

interface Owners {
  readonly solid: OwnerReference[];
  readonly dangling: OwnerReference[];
  /** Being deleted in the foreground. */
  readonly waiting: OwnerReference[];
}

/**
 * Decides about one object at a time, always on the server's own word: the graph only says where
 * to look. Source: pkg/controller/garbagecollector.
 */
export class Collector {
  readonly #graph: Graph;
  readonly #events: EventRecorder;
  readonly #enqueue: (uid: string) => void;
  readonly #objects: LiveObjects;
  readonly #absent = new AbsentOwners();

  constructor({ graph, client, events, resourceOf, enqueue }: CollectorOptions) {
    this.#graph = graph;
    this.#events = events;
    this.#enqueue = enqueue;
    this.#objects = new LiveObjects(client, resourceOf);
  }

  /** The informers saw the object go. */
  gone(uid: string): void {
    const node = this.#graph.remove(uid);
    if (node === undefined) return;
    this.#absent.add(node.identity);
    for (const dependent of node.dependents) this.#enqueue(dependent.identity.uid);
    for (const { uid: ownerUid } of node.owners) {
      if (this.#graph.get(ownerUid)?.deletingDependents) this.#enqueue(ownerUid);
    }
  }

  /** Deletes the object if all its owners are gone, or helps its deletion along. */
  async attemptToDelete(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (node === undefined || (node.observed && node.beingDeleted && !node.deletingDependents)) return;
    const found = await this.#objects.fetch(node.identity);
    if (found === undefined || found.object.metadata?.uid !== uid) return this.gone(uid);
    if (!node.observed) return;
    if (node.deletingDependents) return this.#finishForeground(node, found);
    const references = referencesOf(found);
    if (references.length === 0) return;
    const { solid, dangling, waiting } = await this.#classify(node, references);
    if (solid.length > 0) return this.#objects.dropReferences(found, [...dangling, ...waiting]);
    if (waiting.length > 0 && node.dependents.size > 0) {
      await this.#breakCycle(node);
      return this.#objects.remove(found, "Foreground");
    }
    return this.#objects.remove(found, policyOf(found.object));
  }

  /** Frees the dependents of an object that is being deleted as their orphaner. */
  async attemptToOrphan(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (node === undefined) return;
    for (const dependent of [...node.dependents]) {
      const found = await this.#objects.fetch(dependent.identity);
      if (found === undefined) continue;
      const ours = referencesOf(found).filter((reference) => reference.uid === uid);
      await this.#objects.dropReferences(found, ours).catch(ignoreGone);
    }
    const found = await this.#objects.fetch(node.identity);
    if (found?.object.metadata?.uid === uid) await this.#objects.dropFinalizer(found, "orphan").catch(ignoreGone);
  }

  async #classify(node: Node, references: readonly OwnerReference[]): Promise<Owners> {
    const owners: Owners = { solid: [], dangling: [], waiting: [] };
    for (const reference of references) {
      const state = await this.#stateOfOwner(node, reference);
      owners[state].push(reference);
    }
    return owners;
  }

  async #stateOfOwner(node: Node, reference: OwnerReference): Promise<keyof Owners> {
    const { namespace } = node.identity;
    const { scope } = this.#objects.targetOf(reference);
    // A cluster-scoped object cannot name an owner in a namespace: nobody can tell which one.
    if (scope === "Namespaced" && namespace === "") return "solid";
    const identity = { ...reference, namespace: scope === "Cluster" ? "" : namespace };
    if (this.#absent.has(identity)) return "dangling";
    const found = await this.#objects.fetch(identity);
    if (found === undefined || found.object.metadata?.uid !== reference.uid) {
      this.#absent.add(identity);
      this.#warnOfForeignOwner(node, reference);
      return "dangling";
    }
    const { deletionTimestamp, finalizers = [] } = found.object.metadata;
    return deletionTimestamp !== undefined && finalizers.includes("foregroundDeletion") ? "waiting" : "solid";
  }

  /** An owner that exists, but in another namespace, is a mistake that the user should hear of. */
  #warnOfForeignOwner(node: Node, reference: OwnerReference): void {
    const real = this.#graph.get(reference.uid);
    if (!real?.observed || real.identity.namespace === node.identity.namespace) return;
    const { apiVersion, kind, namespace, name, uid } = node.identity;
    const { apiVersion: ownerVersion, kind: ownerKind, name: ownerName, uid: ownerUid } = reference;
    const owner = `[${ownerVersion}/${ownerKind}, namespace: ${namespace}, name: ${ownerName}, uid: ${ownerUid}]`;
    this.#events.warning(
      { apiVersion, kind, metadata: { namespace, name, uid } },
      "OwnerRefInvalidNamespace",
      `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`,
    );
  }

  async #finishForeground(node: Node, found: Found): Promise<void> {
    const blocking = blockingDependents(node);
    if (blocking.length === 0) return this.#objects.dropFinalizer(found, "foregroundDeletion");
    for (const dependent of blocking) {
      if (!dependent.deletingDependents) this.#enqueue(dependent.identity.uid);
    }
  }

  /** Objects that own each other in a ring would wait for ever: they no longer block. */
  async #breakCycle(node: Node): Promise<void> {
    if (![...node.dependents].some(({ deletingDependents }) => deletingDependents)) return;
    const found = await this.#objects.fetch(node.identity);
    if (found !== undefined) await this.#objects.unblock(found);
  }
}

/** The object itself may say how its own dependents are to be treated. */
function policyOf(object: KubeObject): DeleteOptions["propagationPolicy"] {
  const finalizers = object.metadata?.finalizers ?? [];
  if (finalizers.includes("orphan")) return "Orphan";
  return finalizers.includes("foregroundDeletion") ? "Foreground" : "Background";
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isInvalid(error)) throw error;
}
