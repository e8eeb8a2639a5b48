import { type StatefulSet, statefulSets } from "#api/apps/v1/stateful-set.ts";
import type { ControllerRevision } from "#api/apps/v1/controller-revision.ts";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { OwnerReference } from "#apimachinery/object.ts";
import { controllerRef, ownerRef } from "../framework/owners.ts";
import { podFromTemplate } from "../framework/pods.ts";
import { templateOf } from "../framework/revisions.ts";

/** On Pods: the name of their revision. */
export const revisionLabel = "controller-revision-hash";
const podNameLabel = "statefulset.kubernetes.io/pod-name";
const podIndexLabel = "apps.kubernetes.io/pod-index";

export function startOrdinal({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0;
}

export function replicasOf({ spec }: StatefulSet): number {
  return spec.replicas ?? 1;
}

/** `web-3` of `web` is 3; -1 when the name is none of the set's. */
export function ordinalOf(set: StatefulSet, { metadata }: Pod): number {
  const { name = "" } = metadata;
  const prefix = `${set.metadata.name}-`;
  const text = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return /^(0|[1-9]\d*)$/.test(text) ? Number(text) : -1;
}

export function claimName(
  set: StatefulSet,
  template: PersistentVolumeClaim,
  ordinal: number,
): string {
  return `${template.metadata.name}-${set.metadata.name}-${ordinal}`;
}

/** The Pod of an ordinal, as `revision` has it. */
export function podOfSet(set: StatefulSet, revision: ControllerRevision, ordinal: number): Pod {
  const template = templateOf(revision) ?? set.spec.template;
  const pod = podFromTemplate(template, set, controllerRef(statefulSets, set));
  const name = `${set.metadata.name}-${ordinal}`;
  const { generateName: _, ...metadata } = pod.metadata;
  return withIdentity(set, {
    ...pod,
    metadata: {
      ...metadata,
      name,
      labels: { ...metadata.labels, [revisionLabel]: revision.metadata.name ?? "" },
    },
  });
}

/** Name labels, host name and claims that the set gives its Pods, whatever they had. */
export function withIdentity(set: StatefulSet, pod: Pod): Pod {
  const ordinal = ordinalOf(set, pod);
  const { name = "" } = pod.metadata;
  const claims = (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    name: template.metadata.name ?? "",
    persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
  }));
  const others = (pod.spec.volumes ?? []).filter(
    (volume) => !claims.some((claim) => claim.name === volume.name),
  );
  const volumes = [...claims, ...others];
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata.labels, [podNameLabel]: name, [podIndexLabel]: String(ordinal) },
    },
    spec: {
      ...pod.spec,
      hostname: name,
      ...(set.spec.serviceName && { subdomain: set.spec.serviceName }),
      ...(volumes.length > 0 && { volumes }),
    },
  };
}

/** Labels and claims are right; a host name cannot be changed and was right when it was made. */
export function hasIdentity(set: StatefulSet, pod: Pod): boolean {
  const { labels } = pod.metadata;
  const named = labels?.[podNameLabel] === pod.metadata.name;
  const claimed = (set.spec.volumeClaimTemplates ?? []).every((template) =>
    (pod.spec.volumes ?? []).some(
      (volume) =>
        volume.name === template.metadata.name &&
        volume.persistentVolumeClaim?.claimName === claimName(set, template, ordinalOf(set, pod)),
    ),
  );
  return named && claimed;
}

/** The claims of an ordinal, as they are made. */
export function claimsOfSet(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    kind: "PersistentVolumeClaim",
    apiVersion: "v1",
    metadata: {
      ...template.metadata,
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec.selector?.matchLabels },
    },
    spec: template.spec,
  }));
}

export interface RetentionOwner {
  readonly set: StatefulSet;
  /** The Pod of the ordinal, when it is there. */
  readonly pod: Pod | undefined;
  /** The ordinal is beyond the set's size. */
  readonly condemned: boolean;
}

/**
 * Owners that a claim is to have by the retention policy: the set when claims go with it, the Pod
 * when claims go with a smaller set and its ordinal is one to go; references of others stay.
 */
export function retentionOwners(
  claim: PersistentVolumeClaim,
  of: RetentionOwner,
): OwnerReference[] {
  const { set, pod, condemned } = of;
  const { whenDeleted = "Retain", whenScaled = "Retain" } =
    set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const ours = new Set([set.metadata.uid, pod?.metadata.uid]);
  const others = (claim.metadata.ownerReferences ?? []).filter(({ uid }) => !ours.has(uid));
  if (whenScaled === "Delete" && condemned && pod) return [...others, ownerRef(pods, pod)];
  return whenDeleted === "Delete" ? [...others, controllerRef(statefulSets, set)] : others;
}
