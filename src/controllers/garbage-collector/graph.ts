/**
 * Who owns whom, as far as the informers have seen.
 *
 * Invariants: 1. A node exists for every object seen, and for every uid that some object names as
 * owner (`observed: false` until the object itself is seen). 2. `dependents` of a node are exactly
 * the observed nodes whose `owners` name its uid. 3. A node that is neither observed nor named goes.
 */
import { apiVersionOf, type KubeObject, type OwnerReference } from "#apimachinery/object.ts";
import type { ResourceTarget } from "#client/client.ts";

export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  /** "" for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface Node {
  identity: Identity;
  /** How to reach it; unknown until it was seen, or its kind was found. */
  target: ResourceTarget | undefined;
  observed: boolean;
  owners: readonly OwnerReference[];
  readonly dependents: Set<Node>;
  beingDeleted: boolean;
  /** Being deleted in the foreground: waits for its dependents. */
  deletingDependents: boolean;
}

export interface Observation {
  readonly node: Node;
  readonly isNew: boolean;
  /** Owners named for the first time that nobody has seen: their existence is to be checked. */
  readonly unseenOwners: readonly Node[];
  /** References that were there before and are not now, or no longer block. */
  readonly looseOwners: readonly Node[];
  /** Dependents that name an owner, by its uid, where and as what it is not: to be checked. */
  readonly misplaced: readonly Node[];
  /** Deletion began with this state; `orphan` and `foreground` say how. */
  readonly began: "orphan" | "foreground" | undefined;
}

export class Graph {
  readonly #byUid = new Map<string, Node>();

  get size(): number {
    return this.#byUid.size;
  }

  get(uid: string): Node | undefined {
    return this.#byUid.get(uid);
  }

  nodes(): IterableIterator<Node> {
    return this.#byUid.values();
  }

  /** Takes in a state of an object. */
  observe(target: ResourceTarget, object: KubeObject): Observation {
    const identity = identityOf(target, object);
    const node = this.#ensure(identity);
    const isNew = !node.observed;
    node.identity = identity;
    node.target = target;
    node.observed = true;
    const { unseen, loose } = this.#relink(node, object.metadata?.ownerReferences ?? []);
    const began = takeDeletion(node, object);
    const misplaced = [...node.dependents].filter((dependent) => isMisplaced(dependent, node));
    if (node.owners.some(({ uid }) => isMisplaced(node, this.get(uid)))) misplaced.push(node);
    return { node, isNew, unseenOwners: unseen, looseOwners: loose, misplaced, began };
  }

  /** The object is gone. Returns its node as it was. */
  remove(uid: string): Node | undefined {
    const node = this.get(uid);
    if (node === undefined) return undefined;
    node.observed = false;
    const { owners } = node;
    this.#relink(node, []);
    node.owners = owners;
    this.#dropIfUnused(node);
    return node;
  }

  #ensure(identity: Identity): Node {
    const known = this.get(identity.uid);
    if (known) return known;
    const node: Node = {
      identity,
      target: undefined,
      observed: false,
      owners: [],
      dependents: new Set(),
      beingDeleted: false,
      deletingDependents: false,
    };
    this.#byUid.set(identity.uid, node);
    return node;
  }

  #dropIfUnused(node: Node): void {
    if (!node.observed && node.dependents.size === 0) this.#byUid.delete(node.identity.uid);
  }

  /** Makes `node` a dependent of exactly `next`. */
  #relink(node: Node, next: readonly OwnerReference[]): { unseen: Node[]; loose: Node[] } {
    const named = new Map(next.map((reference) => [reference.uid, reference]));
    const loose = this.#unlink(node, named);
    const unseen: Node[] = [];
    for (const reference of named.values()) {
      const owner = this.get(reference.uid) ?? this.#ensure(identityOfOwner(reference, node.identity.namespace));
      owner.dependents.add(node);
      if (!owner.observed && !node.owners.some(({ uid }) => uid === reference.uid)) unseen.push(owner);
    }
    node.owners = next;
    return { unseen, loose };
  }

  /** Takes `node` from owners that `named` does not name. Returns these, and those that need not wait for it any more. */
  #unlink(node: Node, named: ReadonlyMap<string, OwnerReference>): Node[] {
    const loose: Node[] = [];
    for (const old of node.owners) {
      const owner = this.get(old.uid);
      const now = named.get(old.uid);
      if (owner === undefined) continue;
      if (now === undefined) {
        owner.dependents.delete(node);
        loose.push(owner);
        this.#dropIfUnused(owner);
      } else if (old.blockOwnerDeletion === true && now.blockOwnerDeletion !== true) loose.push(owner);
    }
    return loose;
  }
}

/** `dependent` names `owner` by uid, but in another namespace, or by another name or kind. */
function isMisplaced(dependent: Node, owner: Node | undefined): boolean {
  if (!owner?.observed) return false;
  const { identity } = owner;
  const reference = dependent.owners.find(({ uid }) => uid === identity.uid);
  if (reference === undefined) return false;
  const elsewhere =
    identity.namespace !== "" && identity.namespace !== dependent.identity.namespace;
  return elsewhere || reference.name !== identity.name || reference.kind !== identity.kind;
}

function takeDeletion(node: Node, object: KubeObject): Observation["began"] {
  const going = object.metadata?.deletionTimestamp !== undefined;
  const finalizers = object.metadata?.finalizers ?? [];
  const foreground = going && finalizers.includes("foregroundDeletion");
  const beganForeground = foreground && !node.deletingDependents;
  node.beingDeleted = going;
  node.deletingDependents = foreground;
  if (beganForeground) return "foreground";
  return going && finalizers.includes("orphan") ? "orphan" : undefined;
}

function identityOf(target: ResourceTarget, object: KubeObject): Identity {
  const { namespace = "", name = "", uid = "" } = object.metadata ?? {};
  return {
    apiVersion: apiVersionOf(target.group, target.version),
    kind: target.kind,
    namespace,
    name,
    uid,
  };
}

/** Where the owner must be: in the dependent's namespace, unless it is cluster-scoped. */
function identityOfOwner(
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string,
): Identity {
  return { apiVersion, kind, namespace, name, uid };
}

/** Dependents that forbid their owner to go before them. */
export function blockingDependents(owner: Node): Node[] {
  const { uid } = owner.identity;
  return [...owner.dependents].filter(({ owners }) =>
    owners.some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true),
  );
}
