import { type KubeObject, objectKey, type OwnerReference } from "#apimachinery/object.ts";
import { ignoreNotFound } from "#apimachinery/status.ts";
import type { Client, DeleteOptions, ResourceTarget } from "#client/client.ts";
import type { Identity } from "./graph.ts";

/** The served resource of a kind, in any version of its group. */
export type ResourceOf = (apiVersion: string, kind: string) => ResourceTarget | undefined;

/** An object as the server has it now. */
export interface Found {
  readonly target: ResourceTarget;
  readonly object: KubeObject;
}

/** Objects as the server has them. What is written holds for the state that was read only, else it is a conflict. */
export class LiveObjects {
  readonly #client: Client;
  readonly #resourceOf: ResourceOf;

  constructor(client: Client, resourceOf: ResourceOf) {
    this.#client = client;
    this.#resourceOf = resourceOf;
  }

  /** Throws when nobody serves the kind: it may be served later. */
  targetOf({ apiVersion, kind }: Pick<Identity, "apiVersion" | "kind">): ResourceTarget {
    const target = this.#resourceOf(apiVersion, kind);
    if (target === undefined) throw new Error(`no resource serves ${apiVersion} ${kind}`);
    return target;
  }

  /** What is there by that name, whatever its uid. */
  async fetch(identity: Identity): Promise<Found | undefined> {
    const target = this.targetOf(identity);
    const namespace = target.scope === "Cluster" ? undefined : identity.namespace;
    const object = await ignoreNotFound(this.#client.dynamic(target).get(objectKey(namespace, identity.name)));
    return object && { target, object };
  }

  async dropReferences(found: Found, dropped: readonly OwnerReference[]): Promise<void> {
    if (dropped.length === 0) return;
    const gone = new Set(dropped.map(({ uid }) => uid));
    await this.#patch(found, { ownerReferences: referencesOf(found).filter(({ uid }) => !gone.has(uid)) });
  }

  /** Owners need not wait for it any more. */
  async unblock(found: Found): Promise<void> {
    const ownerReferences = referencesOf(found).map((reference) => ({ ...reference, blockOwnerDeletion: false }));
    await this.#patch(found, { ownerReferences });
  }

  async dropFinalizer(found: Found, name: string): Promise<void> {
    const finalizers = found.object.metadata?.finalizers ?? [];
    if (!finalizers.includes(name)) return;
    await this.#patch(found, { finalizers: finalizers.filter((finalizer) => finalizer !== name) });
  }

  /** One that is gone already is no error. */
  async remove({ target, object }: Found, propagationPolicy: DeleteOptions["propagationPolicy"]): Promise<void> {
    const { namespace, name = "", uid = "", resourceVersion = "" } = object.metadata ?? {};
    const options: DeleteOptions = {
      preconditions: { uid, resourceVersion },
      ...(propagationPolicy && { propagationPolicy }),
    };
    await ignoreNotFound(this.#client.dynamic(target).delete(objectKey(namespace, name), options));
  }

  async #patch({ target, object }: Found, change: object): Promise<void> {
    const { namespace, name = "", uid, resourceVersion } = object.metadata ?? {};
    const body = { metadata: { uid, resourceVersion, ...change } };
    await this.#client.dynamic(target).patch(objectKey(namespace, name), { type: "merge", body });
  }
}

export function referencesOf({ object }: Found): readonly OwnerReference[] {
  return object.metadata?.ownerReferences ?? [];
}
