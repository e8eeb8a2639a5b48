import { type Deployment, deployments, type DeploymentStatus } from "#api/apps/v1/deployment.ts";
import { type ReplicaSet, replicaSets } from "#api/apps/v1/replica-set.ts";
import { pods } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { objectKey } from "#apimachinery/object.ts";
import { isEverything, labelSelectorOf } from "#apimachinery/selectors.ts";
import { defineController, done, indexOf, type Outcome, watchOf } from "../framework/controller.ts";
import { claim, controllerRefOf, orphans, owned } from "../framework/owners.ts";
import { isTerminal } from "../framework/pods.ts";
import { desiredReplicasAnnotation } from "./annotations.ts";
import {
  byCreation,
  isComplete,
  isRolling,
  newSetReplicas,
  planOldSets,
  planProportional,
  replicasOf,
} from "./arithmetic.ts";
import { rollBack, rollbackTo } from "./rollback.ts";
import {
  cleanUp,
  type DeploymentContext,
  divide,
  resize,
  type Rollout,
  withNewSet,
} from "./rollout.ts";
import {
  baseStatus,
  conditionOf,
  hasProgressDeadline,
  rolloutStatus,
  stuckCheckMs,
  type Verdict,
  withCondition,
} from "./status.ts";

const selectorOf = ({ spec }: Deployment) => labelSelectorOf(spec.selector);

/** Rolls Deployments out over ReplicaSets. Source: pkg/controller/deployment. */
export const deploymentController = defineController<Deployment>({
  name: "deployment-controller",
  for: deployments,
  workers: 5,
  indexes: [indexOf(replicaSets, orphans)],
  watches: [
    owned(deployments, replicaSets, { selectorOf }),
    // Recreate waits for the end of the last old Pod, which may come after its ReplicaSet's status says 0.
    watchOf(pods, {
      on: ["delete"],
      keys(pod, context) {
        const { namespace } = pod.metadata ?? {};
        const set = context
          .lister(replicaSets)
          .get(objectKey(namespace, controllerRefOf(pod)?.name ?? ""));
        const owner = set && controllerRefOf(set);
        return owner ? [objectKey(namespace, owner.name)] : [];
      },
    }),
  ],
  async reconcile(context) {
    const deployment = context.get();
    if (deployment === undefined) return done;
    const selector = selectorOf(deployment);
    if (isEverything(selector)) return refuseEverything(context, deployment);
    const sets = await claim(context, {
      owners: deployments,
      owner: deployment,
      children: replicaSets,
      selector,
    });
    const rollout = { deployment, ...divide(deployment, sets) };
    if (deployment.metadata?.deletionTimestamp !== undefined)
      return writeStatus(context, rollout, baseStatus);
    return advance(context, await markPause(context, rollout));
  },
});

async function refuseEverything(
  context: DeploymentContext,
  deployment: Deployment,
): Promise<Outcome> {
  context.events.warning(
    deployment,
    "SelectingAll",
    "This deployment is selecting all pods. A non-empty selector is required.",
  );
  const { generation: observedGeneration = 0 } = deployment.metadata ?? {};
  if ((deployment.status?.observedGeneration ?? 0) < observedGeneration) {
    await context
      .resource(deployments)
      .updateStatus({ ...deployment, status: { ...deployment.status, observedGeneration } });
  }
  return done;
}

/** One step: what is done here brings events that bring the next. */
async function advance(context: DeploymentContext, rollout: Rollout): Promise<Outcome> {
  const { deployment } = rollout;
  const revision = rollbackTo(deployment);
  if (deployment.spec.paused !== true && revision !== undefined) {
    await rollBack(context, deployment, { sets: allSets(rollout), revision });
    return done;
  }
  if (deployment.spec.paused === true || wasScaled(rollout)) return keepSize(context, rollout);
  return isRolling(deployment) ? roll(context, rollout) : recreate(context, rollout);
}

/** Says in a condition that the rollout is paused or goes on, so that pauses do not count as stuck. */
async function markPause(context: DeploymentContext, rollout: Rollout): Promise<Rollout> {
  const { deployment } = rollout;
  const progress = conditionOf(deployment.status, "Progressing");
  if (!hasProgressDeadline(deployment) || progress?.reason === "ProgressDeadlineExceeded")
    return rollout;
  const marked = progress?.reason === "DeploymentPaused";
  const paused = deployment.spec.paused === true;
  if (marked === paused) return rollout;
  const verdict: Verdict = paused
    ? {
        type: "Progressing",
        status: "Unknown",
        reason: "DeploymentPaused",
        message: "Deployment is paused",
      }
    : {
        type: "Progressing",
        status: "Unknown",
        reason: "DeploymentResumed",
        message: "Deployment is resumed",
      };
  const conditions = withCondition(
    deployment.status?.conditions ?? [],
    verdict,
    context.clock.nowMs(),
  );
  const status = { ...deployment.status, conditions };
  return {
    ...rollout,
    deployment: await context.resource(deployments).updateStatus({ ...deployment, status }),
  };
}

function allSets({ newSet, oldSets }: Rollout): ReplicaSet[] {
  return newSet ? [...oldSets, newSet] : [...oldSets];
}

function wasScaled(rollout: Rollout): boolean {
  const wanted = String(replicasOf(rollout.deployment));
  return allSets(rollout)
    .filter((set) => replicasOf(set) > 0)
    .map(({ metadata }) => metadata?.annotations?.[desiredReplicasAnnotation])
    .some((known) => known !== undefined && known !== wanted);
}

/** Paused, or the size alone changed: no step of the rollout, only sizes in proportion. */
async function keepSize(context: DeploymentContext, found: Rollout): Promise<Outcome> {
  const rollout = await withNewSet(context, found, { create: false });
  const { deployment } = rollout;
  for (const change of planSizes(rollout)) await resize(context, deployment, change);
  if (deployment.spec.paused === true && rollbackTo(deployment) === undefined)
    await cleanUp(context, rollout);
  return writeStatus(context, rollout, baseStatus);
}

function planSizes(rollout: Rollout): { set: ReplicaSet; to: number }[] {
  const { deployment, newSet, oldSets } = rollout;
  const wanted = replicasOf(deployment);
  const active = allSets(rollout).filter((set) => replicasOf(set) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? oldSets.toSorted(byCreation).at(-1);
    return only && replicasOf(only) !== wanted ? [{ set: only, to: wanted }] : [];
  }
  if (newSet && isSaturated(deployment, newSet)) {
    return oldSets.filter((set) => replicasOf(set) > 0).map((set) => ({ set, to: 0 }));
  }
  return isRolling(deployment) ? planProportional(deployment, active) : [];
}

function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  const told = set.metadata?.annotations?.[desiredReplicasAnnotation];
  return (
    replicasOf(set) === wanted &&
    told === String(wanted) &&
    (set.status?.availableReplicas ?? 0) === wanted
  );
}

async function roll(context: DeploymentContext, found: Rollout): Promise<Outcome> {
  const rollout = await withNewSet(context, found, { create: true });
  const { deployment, newSet, oldSets } = rollout;
  if (newSet === undefined) return done;
  const wanted = replicasOf(deployment);
  const to =
    replicasOf(newSet) > wanted ? wanted : newSetReplicas(deployment, allSets(rollout), newSet);
  if (
    await resize(context, deployment, {
      set: newSet,
      to: replicasOf(newSet) === wanted ? wanted : to,
    })
  ) {
    return writeStatus(context, rollout, rolloutStatus);
  }
  const shrinks = planOldSets(deployment, newSet, oldSets);
  for (const change of shrinks) await resize(context, deployment, change);
  if (shrinks.length === 0 && isComplete(deployment, deployment.status ?? {}))
    await cleanUp(context, rollout);
  return writeStatus(context, rollout, rolloutStatus);
}

async function recreate(context: DeploymentContext, found: Rollout): Promise<Outcome> {
  const known = await withNewSet(context, found, { create: false });
  const running = known.oldSets.filter((set) => replicasOf(set) > 0);
  for (const set of running) await resize(context, known.deployment, { set, to: 0 });
  if (running.length > 0 || oldPodsRun(context, known))
    return writeStatus(context, known, rolloutStatus);
  const rollout = await withNewSet(context, known, { create: true });
  const { deployment, newSet } = rollout;
  if (newSet) await resize(context, deployment, { set: newSet, to: replicasOf(deployment) });
  if (isComplete(deployment, deployment.status ?? {})) await cleanUp(context, rollout);
  return writeStatus(context, rollout, rolloutStatus);
}

function oldPodsRun(context: DeploymentContext, { oldSets }: Rollout): boolean {
  if (oldSets.some(({ status }) => (status?.replicas ?? 0) > 0)) return true;
  return oldSets.some(({ metadata }) =>
    context
      .lister(pods)
      .ownedBy(metadata?.uid)
      .some((pod) => !isTerminal(pod)),
  );
}

async function writeStatus(
  context: DeploymentContext,
  rollout: Rollout,
  statusOf: (deployment: Deployment, sets: Rollout, nowMs: number) => DeploymentStatus,
): Promise<Outcome> {
  const { deployment } = rollout;
  const nowMs = context.clock.nowMs();
  const status = statusOf(deployment, rollout, nowMs);
  if (!deepEqual(withZeros(status), withZeros(deployment.status ?? {}))) {
    await context.resource(deployments).updateStatus({ ...deployment, status });
  }
  const waitMs = statusOf === rolloutStatus ? stuckCheckMs(deployment, status, nowMs) : undefined;
  return waitMs === undefined ? done : { requeueAfterMs: waitMs };
}

/** Left out and 0 are the same in a status. */
function withZeros(status: DeploymentStatus): object {
  const written = Object.entries(status).filter(([, value]) => value !== undefined && value !== 0);
  return Object.fromEntries(
    written.filter(([, value]) => !Array.isArray(value) || value.length > 0),
  );
}
