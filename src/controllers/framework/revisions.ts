import { type ControllerRevision, controllerRevisions } from "#api/apps/v1/controller-revision.ts";
import type { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject, type KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { sortedJson } from "#apimachinery/sorted-json.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/status.ts";
import type { Context } from "./controller.ts";
import { contentHash } from "./hash.ts";
import { controllerRef, isControlledBy } from "./owners.ts";

export interface RevisionSpec<T extends KubeObject> {
  readonly owners: ResourceDefinition<T>;
  readonly owner: T;
  readonly template: PodTemplateSpec;
  /** Labels of the revision, beside its hash under `hashLabel`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly hashLabel: string;
  readonly collisionCount: number | undefined;
}

export interface Revisions {
  /** Of the present template. */
  readonly current: ControllerRevision;
  /** All others, oldest first. */
  readonly old: readonly ControllerRevision[];
}

/** The name that the content's hash gives is taken by other content: count up and try again. */
export class RevisionCollision extends Error {
  override readonly name = "RevisionCollision";
}

/** What is kept of a template: a strategic merge patch that would bring it back. Clients compare it by bytes, in Go's order. */
function snapshotOf(template: PodTemplateSpec): Record<string, unknown> {
  return sortedJson({ spec: { template: { ...template, $patch: "replace" } } });
}

/** The template that a revision kept. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec | undefined {
  const data = revision.data as
    | { spec?: { template?: PodTemplateSpec & { $patch?: string } } }
    | undefined;
  if (data?.spec?.template === undefined) return undefined;
  const { $patch: _, ...template } = data.spec.template;
  return template;
}

export function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  return a.revision - b.revision || (a.metadata.name ?? "").localeCompare(b.metadata.name ?? "");
}

/**
 * Finds or makes the revision of the present template, as the newest of `known`.
 * Source: pkg/controller/history.
 */
export async function syncRevisions<T extends KubeObject, S>(
  context: Context<T, S>,
  spec: RevisionSpec<T>,
  known: readonly ControllerRevision[],
): Promise<Revisions> {
  const sorted = known.toSorted(byRevision);
  const snapshot = snapshotOf(spec.template);
  const same = sorted.findLast((revision) => semanticEqual(templateOf(revision), spec.template));
  const old = sorted.filter((revision) => revision !== same);
  const number = (old.at(-1)?.revision ?? 0) + 1;
  if (same === undefined)
    return { current: await createRevision(context, spec, { snapshot, number }), old };
  if (same.revision >= number) return { current: same, old };
  return {
    current: await context.resource(controllerRevisions).update({ ...same, revision: number }),
    old,
  };
}

async function createRevision<T extends KubeObject, S>(
  context: Context<T, S>,
  spec: RevisionSpec<T>,
  of: { readonly snapshot: Record<string, unknown>; readonly number: number },
): Promise<ControllerRevision> {
  const hash = contentHash(of.snapshot, spec.collisionCount);
  const { name, namespace } = spec.owner.metadata ?? {};
  const wanted: ControllerRevision = {
    kind: "ControllerRevision",
    apiVersion: "apps/v1",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...spec.labels, [spec.hashLabel]: hash },
      ownerReferences: [controllerRef(spec.owners, spec.owner)],
    },
    data: of.snapshot,
    revision: of.number,
  };
  try {
    return await context.resource(controllerRevisions).create(wanted);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const existing = await context.resource(controllerRevisions).get(keyOfObject(wanted));
    if (isControlledBy(existing, spec.owner) && semanticEqual(templateOf(existing), spec.template))
      return existing;
    throw new RevisionCollision(`revision ${wanted.metadata.name} has other content`);
  }
}

/** Deletes old revisions that no Pod runs, beyond `limit`. */
export async function trimRevisions<T extends KubeObject, S>(
  context: Context<T, S>,
  old: readonly ControllerRevision[],
  keep: { readonly limit: number; readonly isLive: (revision: ControllerRevision) => boolean },
): Promise<void> {
  const idle = old.filter((revision) => !keep.isLive(revision));
  for (const revision of idle.slice(0, Math.max(0, idle.length - keep.limit))) {
    const { uid = "" } = revision.metadata;
    await context
      .resource(controllerRevisions)
      .delete(keyOfObject(revision), { preconditions: { uid } })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }
}
