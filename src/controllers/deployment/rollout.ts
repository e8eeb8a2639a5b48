import { errorMessage } from "#base/error-message.ts";
import { type Deployment, deployments, type DeploymentStatus } from "#api/apps/v1/deployment.ts";
import { type ReplicaSet, replicaSets } from "#api/apps/v1/replica-set.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/status.ts";
import type { Context } from "../framework/controller.ts";
import { contentHash } from "../framework/hash.ts";
import { controllerRef, isControlledBy } from "../framework/owners.ts";
import { isNamespaceTerminating } from "../framework/pods.ts";
import {
  byRevision,
  hashLabel,
  revisedAnnotations,
  revisionAnnotation,
  revisionOf,
  sameTemplate,
} from "./annotations.ts";
import { byCreation, newSetReplicas, replicasOf, sizeAnnotations } from "./arithmetic.ts";
import {
  conditionOf,
  hasProgressDeadline,
  type RolloutSets,
  type Verdict,
  withCondition,
} from "./status.ts";

export type DeploymentContext = Context<Deployment, undefined>;

/** One Deployment and its ReplicaSets, as this reconcile knows them. */
export interface Rollout extends RolloutSets {
  readonly deployment: Deployment;
}

/** The ReplicaSet of the present template (the oldest, should there be several), and all others. */
export function divide(deployment: Deployment, sets: readonly ReplicaSet[]): RolloutSets {
  const newSet = sets
    .toSorted(byCreation)
    .find(({ spec }) => sameTemplate(spec.template, deployment.spec.template));
  return { newSet, oldSets: sets.filter((set) => set !== newSet) };
}

function nextRevision(oldSets: readonly ReplicaSet[]): bigint {
  return oldSets.map(revisionOf).reduce((highest, one) => (one > highest ? one : highest), 0n) + 1n;
}

/** Brings revision, annotations and minReadySeconds of the new ReplicaSet up to date; makes it when asked. */
export async function withNewSet(
  context: DeploymentContext,
  rollout: Rollout,
  options: { readonly create: boolean },
): Promise<Rollout> {
  const revision = nextRevision(rollout.oldSets);
  const { newSet } = rollout;
  if (newSet) return refresh(context, { ...rollout, newSet }, revision);
  return options.create ? create(context, rollout, revision) : rollout;
}

async function refresh(
  context: DeploymentContext,
  rollout: Rollout & { readonly newSet: ReplicaSet },
  revision: bigint,
): Promise<Rollout> {
  const { deployment, newSet } = rollout;
  const annotations = revisedAnnotations(deployment, newSet, revision);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  let updated = newSet;
  if (
    !deepEqual(annotations, newSet.metadata?.annotations ?? {}) ||
    (newSet.spec.minReadySeconds ?? 0) !== minReadySeconds
  ) {
    updated = await context.resource(replicaSets).update({
      ...newSet,
      metadata: { ...newSet.metadata, annotations },
      spec: { ...newSet.spec, minReadySeconds },
    });
  }
  const missing =
    hasProgressDeadline(deployment) && conditionOf(deployment.status, "Progressing") === undefined;
  const verdict: Verdict | undefined = missing
    ? progressing(
        "True",
        "FoundNewReplicaSet",
        `Found new replica set ${JSON.stringify(newSet.metadata?.name)}`,
      )
    : undefined;
  const noted = await note(context, deployment, { revision: String(revisionOf(updated)), verdict });
  return { ...rollout, deployment: noted, newSet: updated };
}

async function create(
  context: DeploymentContext,
  rollout: Rollout,
  revision: bigint,
): Promise<Rollout> {
  const { deployment, oldSets } = rollout;
  const blueprint = newSetOf(deployment, revision);
  const replicas = newSetReplicas(deployment, oldSets, {
    spec: { ...blueprint.spec, replicas: 0 },
  });
  const wanted = { ...blueprint, spec: { ...blueprint.spec, replicas } };
  const name = wanted.metadata?.name ?? "";
  let newSet: ReplicaSet;
  try {
    newSet = await context.resource(replicaSets).create(wanted);
  } catch (error) {
    if (!isAlreadyExists(error)) return failCreate(context, deployment, { name, error });
    const existing = await context.resource(replicaSets).get(keyOfObject(wanted));
    if (
      !isControlledBy(existing, deployment) ||
      !sameTemplate(existing.spec.template, deployment.spec.template)
    ) {
      return collide(context, deployment, error);
    }
    const noted = await note(context, deployment, {
      revision: String(revision),
      verdict: undefined,
    });
    return { deployment: noted, newSet: existing, oldSets };
  }
  if (replicas > 0) {
    context.events.normal(
      deployment,
      "ScalingReplicaSet",
      `Scaled up replica set ${name} from 0 to ${replicas}`,
    );
  }
  const verdict = hasProgressDeadline(deployment)
    ? progressing("True", "NewReplicaSetCreated", `Created new replica set ${JSON.stringify(name)}`)
    : undefined;
  const noted = await note(context, deployment, { revision: String(revision), verdict });
  return { deployment: noted, newSet, oldSets };
}

function newSetOf(deployment: Deployment, revision: bigint): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = contentHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const set: ReplicaSet = {
    kind: "ReplicaSet",
    apiVersion: "apps/v1",
    metadata: {
      name: `${deployment.metadata?.name}-${hash}`,
      namespace: deployment.metadata?.namespace,
      labels,
      ownerReferences: [controllerRef(deployments, deployment)],
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  const annotations = {
    ...revisedAnnotations(deployment, set, revision),
    ...sizeAnnotations(deployment),
  };
  return { ...set, metadata: { ...set.metadata, annotations } };
}

/** Another ReplicaSet has the name that the hash gives: count up and have another hash. */
async function collide(
  context: DeploymentContext,
  deployment: Deployment,
  error: unknown,
): Promise<never> {
  const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
  await context
    .resource(deployments)
    .updateStatus({ ...deployment, status: { ...deployment.status, collisionCount } });
  throw error;
}

async function failCreate(
  context: DeploymentContext,
  deployment: Deployment,
  { name, error }: { readonly name: string; readonly error: unknown },
): Promise<never> {
  if (isNamespaceTerminating(error)) throw error;
  const message = `Failed to create new replica set ${JSON.stringify(name)}: ${errorMessage(error)}`;
  if (hasProgressDeadline(deployment)) {
    const verdict = progressing("False", "ReplicaSetCreateError", message);
    await note(context, deployment, { revision: undefined, verdict }).catch(() => undefined);
  }
  context.events.warning(deployment, "ReplicaSetCreateError", message);
  throw error;
}

function progressing(status: "True" | "False", reason: string, message: string): Verdict {
  return { type: "Progressing", status, reason, message };
}

interface Note {
  readonly revision: string | undefined;
  readonly verdict: Verdict | undefined;
}

/** Writes the revision and a condition of the Deployment, if that changes anything. */
async function note(
  context: DeploymentContext,
  deployment: Deployment,
  { revision, verdict }: Note,
): Promise<Deployment> {
  const old = deployment.metadata?.annotations ?? {};
  const revised = revision === undefined || old[revisionAnnotation] === revision;
  if (revised && verdict === undefined) return deployment;
  const annotations = revision === undefined ? old : { ...old, [revisionAnnotation]: revision };
  const conditions = deployment.status?.conditions ?? [];
  const status: DeploymentStatus = {
    ...deployment.status,
    conditions: verdict ? withCondition(conditions, verdict, context.clock.nowMs()) : conditions,
  };
  return context.resource(deployments).updateStatus({
    ...deployment,
    metadata: { ...deployment.metadata, annotations },
    status,
  });
}

/** Sets the size of a ReplicaSet and what it must know of the Deployment's. True when the size changed. */
export async function resize(
  context: DeploymentContext,
  deployment: Deployment,
  change: { set: ReplicaSet; to: number },
): Promise<boolean> {
  const { set, to } = change;
  const from = replicasOf(set);
  const sizes = sizeAnnotations(deployment);
  const old = set.metadata?.annotations ?? {};
  const knows = Object.entries(sizes).every(([key, value]) => old[key] === value);
  if (from === to && knows) return false;
  await context.resource(replicaSets).update({
    ...set,
    metadata: { ...set.metadata, annotations: { ...old, ...sizes } },
    spec: { ...set.spec, replicas: to },
  });
  if (from === to) return false;
  const direction = to > from ? "up" : "down";
  const message = `Scaled ${direction} replica set ${set.metadata?.name} from ${from} to ${to}`;
  context.events.normal(deployment, "ScalingReplicaSet", message);
  return true;
}

/** Deletes the oldest ReplicaSets beyond the history that is to be kept. */
export async function cleanUp(
  context: DeploymentContext,
  { deployment, oldSets }: Rollout,
): Promise<void> {
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined || limit === 2 ** 31 - 1) return;
  const living = oldSets.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  const surplus = living
    .toSorted((a, b) => byRevision(a, b) || byCreation(a, b))
    .slice(0, Math.max(0, living.length - limit));
  for (const set of surplus) {
    const { generation = 0, uid = "" } = set.metadata ?? {};
    const idle = (set.status?.replicas ?? 0) === 0 && replicasOf(set) === 0;
    if (!idle || generation > (set.status?.observedGeneration ?? 0)) continue;
    await context
      .resource(replicaSets)
      .delete(keyOfObject(set), { preconditions: { uid }, propagationPolicy: "Background" })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }
}
