import type { Deployment } from "#api/apps/v1/deployment.ts";
import type { ReplicaSet } from "#api/apps/v1/replica-set.ts";
import type { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
export const historyAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";
export const rollbackAnnotation = "deprecated.deployment.rollback.to";
export const hashLabel = "pod-template-hash";

/** Longest list of past revisions, in characters. */
const historyLengthMax = 2000;

/** Annotations that stay with the object they are on. */
const ownAnnotations: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  historyAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  rollbackAnnotation,
]);

/** The revision an object carries; 0 when none, or none that is an int64. Source: Go's strconv.ParseInt. */
export function revisionOf(object: KubeObject): bigint {
  const text = object.metadata?.annotations?.[revisionAnnotation] ?? "";
  if (!/^[+-]?\d{1,64}$/.test(text)) return 0n;
  const revision = BigInt(text.replace("+", ""));
  return BigInt.asIntN(64, revision) === revision ? revision : 0n;
}

/** Orders by revision, the lowest first. */
export function byRevision(a: KubeObject, b: KubeObject): number {
  const difference = revisionOf(a) - revisionOf(b);
  return difference < 0n ? -1 : Number(difference > 0n);
}

/** What a template says, whatever hash it is labelled with. */
export function sameTemplate(
  a: PodTemplateSpec | undefined,
  b: PodTemplateSpec | undefined,
): boolean {
  return semanticEqual(withoutHash(a), withoutHash(b));
}

export function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec | undefined {
  if (template?.metadata?.labels?.[hashLabel] === undefined) return template;
  const { [hashLabel]: _, ...labels } = template.metadata.labels;
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** Annotations of `to` with those of `from` that travel; the rest it keeps. */
export function inheritedAnnotations(from: KubeObject, to: KubeObject): Record<string, string> {
  const travelling = Object.entries(from.metadata?.annotations ?? {}).filter(
    ([key]) => !ownAnnotations.has(key),
  );
  return { ...to.metadata?.annotations, ...Object.fromEntries(travelling) };
}

/** The new ReplicaSet's annotations at `revision`: an older revision of it moves to the history. */
export function revisedAnnotations(
  deployment: Deployment,
  set: ReplicaSet,
  revision: bigint,
): Record<string, string> {
  const annotations = inheritedAnnotations(deployment, set);
  const old = revisionOf(set);
  if (old >= revision) return annotations;
  if (old > 0n) {
    const past = [
      ...(annotations[historyAnnotation] ?? "").split(",").filter(Boolean),
      String(old),
    ];
    while (past.join(",").length > historyLengthMax) past.shift();
    annotations[historyAnnotation] = past.join(",");
  }
  annotations[revisionAnnotation] = String(revision);
  return annotations;
}
