import { type Deployment, deployments } from "#api/apps/v1/deployment.ts";
import type { ReplicaSet } from "#api/apps/v1/replica-set.ts";
import {
  inheritedAnnotations,
  revisionOf,
  rollbackAnnotation,
  sameTemplate,
  withoutHash,
} from "./annotations.ts";
import type { DeploymentContext } from "./rollout.ts";

/** The revision that the old `extensions/v1beta1` rollback asks for; 0 means the one before. */
export function rollbackTo({ metadata }: Deployment): bigint | undefined {
  const text = metadata?.annotations?.[rollbackAnnotation];
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : undefined;
}

/** Puts the template of an earlier revision back, and the request away. */
export async function rollBack(
  context: DeploymentContext,
  deployment: Deployment,
  request: { readonly sets: readonly ReplicaSet[]; readonly revision: bigint },
): Promise<void> {
  const revision = request.revision === 0n ? lastRevision(request.sets) : request.revision;
  const { [rollbackAnnotation]: _, ...annotations } = deployment.metadata?.annotations ?? {};
  const cleared = { ...deployment, metadata: { ...deployment.metadata, annotations } };
  const found = request.sets.find((set) => revision > 0n && revisionOf(set) === revision);
  await context
    .resource(deployments)
    .update(found ? restored(context, cleared, { set: found, revision }) : cleared);
  if (found) return;
  const message =
    revision === 0n
      ? "Unable to find last revision."
      : "Unable to find the revision to rollback to.";
  context.events.warning(deployment, "DeploymentRollbackRevisionNotFound", message);
}

function restored(
  context: DeploymentContext,
  deployment: Deployment,
  to: { set: ReplicaSet; revision: bigint },
): Deployment {
  const name = JSON.stringify(deployment.metadata?.name);
  const template = withoutHash(to.set.spec.template);
  if (template === undefined || sameTemplate(template, deployment.spec.template)) {
    context.events.warning(
      deployment,
      "DeploymentRollbackTemplateUnchanged",
      `The rollback revision contains the same template as current deployment ${name}`,
    );
    return deployment;
  }
  context.events.normal(
    deployment,
    "DeploymentRollback",
    `Rolled back deployment ${name} to revision ${to.revision}`,
  );
  const past = inheritedAnnotations(to.set, deployment);
  return {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: past },
    spec: { ...deployment.spec, template },
  };
}

/** The second highest; 0 when there is none. */
function lastRevision(sets: readonly ReplicaSet[]): bigint {
  return sets.map(revisionOf).toSorted((a, b) => (a < b ? 1 : -1))[1] ?? 0n;
}
