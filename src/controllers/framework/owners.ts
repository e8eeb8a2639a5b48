import {
  apiVersionOf,
  type KubeObject,
  objectKey,
  type OwnerReference,
  parseApiVersion,
} from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Selector } from "#apimachinery/selectors.ts";
import { isInvalid, isNotFound } from "#apimachinery/status.ts";
import type { ResourceTarget } from "#client/client.ts";
import type { Index } from "#client/indexer.ts";
import { type Context, type Watch, watchOf } from "./controller.ts";

export function controllerRefOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerRefOf(object)?.uid === owner.metadata?.uid;
}

/** The reference that makes `owner` the controller of what carries it. */
export function controllerRef(target: ResourceTarget, owner: KubeObject): OwnerReference {
  return { ...ownerRef(target, owner), controller: true, blockOwnerDeletion: true };
}

export function ownerRef(target: ResourceTarget, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(target.group, target.version),
    kind: target.kind,
    name: owner.metadata?.name ?? "",
    uid: owner.metadata?.uid ?? "",
  };
}

/** Whether the reference names this kind, in any version. */
export function refersTo(reference: OwnerReference, target: ResourceTarget): boolean {
  return (
    reference.kind === target.kind && parseApiVersion(reference.apiVersion).group === target.group
  );
}

/** Objects without a controller, by namespace: those that may be adopted. */
export const orphans: Index<KubeObject> = {
  name: "orphans",
  valuesOf: (object) => (controllerRefOf(object) ? [] : [object.metadata?.namespace ?? ""]),
};

export interface OwnedSpec<T, U> {
  /** Given: children without a controller wake the owners that select them, to be adopted. */
  readonly selectorOf?: (owner: T) => Selector;
  /** False for updates of children that do not matter. */
  readonly changed?: (object: U, old: U) => boolean;
}

/** Changes of `children` wake the `owners` that their controller references name. */
export function owned<T extends KubeObject, U extends KubeObject>(
  owners: ResourceDefinition<T>,
  children: ResourceDefinition<U>,
  spec: OwnedSpec<T, U> = {},
): Watch {
  return watchOf(children, {
    ...(spec.changed && { changed: spec.changed }),
    keys(child, context) {
      const namespace = child.metadata?.namespace;
      const reference = controllerRefOf(child);
      if (reference) {
        if (!refersTo(reference, owners)) return [];
        const key = objectKey(namespace, reference.name);
        const owner = context.lister(owners).get(key);
        return owner === undefined || owner.metadata?.uid === reference.uid ? [key] : [];
      }
      if (spec.selectorOf === undefined || child.metadata?.deletionTimestamp) return [];
      return context
        .lister(owners)
        .inNamespace(namespace ?? "")
        .filter((owner) => spec.selectorOf?.(owner).matches(child.metadata?.labels))
        .map((owner) => objectKey(namespace, owner.metadata?.name ?? ""));
    },
  });
}

export interface ClaimSpec<T extends KubeObject, U extends KubeObject> {
  readonly owners: ResourceDefinition<T>;
  readonly owner: T;
  readonly children: ResourceDefinition<U>;
  readonly selector: Selector;
  /** A further condition on adoption. */
  readonly adoptable?: (child: U) => boolean;
  /** Finalizers to add with the adoption. */
  readonly finalizers?: readonly string[];
}

/**
 * The children of `owner`: those that name it as controller and are selected, and orphans that are
 * selected, which it adopts first. Children that are no longer selected are released. Adoption
 * asks the server first whether the owner is still there and not going.
 * Source: pkg/controller/controller_ref_manager.go.
 */
export async function claim<T extends KubeObject, S, U extends KubeObject>(
  context: Context<T, S>,
  spec: ClaimSpec<T, U>,
): Promise<U[]> {
  const { owner, children, selector, adoptable = () => true } = spec;
  const lister = context.lister(children);
  const going = owner.metadata?.deletionTimestamp !== undefined;
  const selected = (child: U): boolean => selector.matches(child.metadata?.labels);
  const claimed: U[] = [];
  for (const child of lister.ownedBy(owner.metadata?.uid)) {
    if (selected(child)) claimed.push(child);
    else if (!going) await release(context, spec, child);
  }
  if (going) return claimed;
  const free = lister
    .by(orphans, owner.metadata?.namespace ?? "")
    .filter(
      (child) =>
        selected(child) && child.metadata?.deletionTimestamp === undefined && adoptable(child),
    );
  if (free.length === 0 || !(await mayAdopt(context, spec))) return claimed;
  for (const child of free) {
    const adopted = await adopt(context, spec, child);
    if (adopted) claimed.push(adopted);
  }
  return claimed;
}

async function mayAdopt<T extends KubeObject, S, U extends KubeObject>(
  context: Context<T, S>,
  { owners, owner }: ClaimSpec<T, U>,
): Promise<boolean> {
  const key = objectKey(owner.metadata?.namespace, owner.metadata?.name ?? "");
  const fresh = await context.resource(owners).get(key);
  if (fresh.metadata?.uid !== owner.metadata?.uid) {
    throw new Error(
      `original ${owners.kind} ${key} is gone: got uid ${fresh.metadata?.uid}, wanted ${owner.metadata?.uid}`,
    );
  }
  return fresh.metadata?.deletionTimestamp === undefined;
}

async function adopt<T extends KubeObject, S, U extends KubeObject>(
  context: Context<T, S>,
  spec: ClaimSpec<T, U>,
  child: U,
): Promise<U | undefined> {
  const { uid, finalizers = [] } = child.metadata ?? {};
  const wanted = [
    ...finalizers,
    ...(spec.finalizers ?? []).filter((name) => !finalizers.includes(name)),
  ];
  const references = (child.metadata?.ownerReferences ?? []).filter(
    (reference) => reference.uid !== spec.owner.metadata?.uid,
  );
  const metadata = {
    uid,
    ownerReferences: [...references, controllerRef(spec.owners, spec.owner)],
    ...(spec.finalizers && { finalizers: wanted }),
  };
  return patchUnlessGone(context, spec, { child, metadata });
}

async function release<T extends KubeObject, S, U extends KubeObject>(
  context: Context<T, S>,
  spec: ClaimSpec<T, U>,
  child: U,
): Promise<void> {
  const { uid, ownerReferences = [], finalizers = [] } = child.metadata ?? {};
  const dropped = spec.finalizers ?? [];
  const metadata = {
    uid,
    ownerReferences: ownerReferences.filter(
      (reference) => reference.uid !== spec.owner.metadata?.uid,
    ),
    ...(spec.finalizers && { finalizers: finalizers.filter((name) => !dropped.includes(name)) }),
  };
  await patchUnlessGone(context, spec, { child, metadata });
}

/** A merge patch whose uid makes it fail on another object of that name. */
async function patchUnlessGone<T extends KubeObject, S, U extends KubeObject>(
  context: Context<T, S>,
  spec: ClaimSpec<T, U>,
  change: { readonly child: U; readonly metadata: object },
): Promise<U | undefined> {
  const { namespace, name = "", resourceVersion } = change.child.metadata ?? {};
  const body = { metadata: { ...change.metadata, resourceVersion } };
  try {
    return await context
      .resource(spec.children)
      .patch(objectKey(namespace, name), { type: "merge", body });
  } catch (error) {
    if (isNotFound(error) || isInvalid(error)) return undefined;
    throw error;
  }
}
