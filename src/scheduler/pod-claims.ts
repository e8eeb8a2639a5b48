/** The PersistentVolumeClaims that a pod uses. */
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { PodInfo } from "./pod-info.ts";

export interface PodClaim {
  /** `namespace/name`. */
  readonly key: string;
  readonly name: string;
  /** Made for this pod: nobody else's claim of that name will do. */
  readonly ephemeral: boolean;
}

export const bindCompletedAnnotation = "pv.kubernetes.io/bind-completed";
export const boundByControllerAnnotation = "pv.kubernetes.io/bound-by-controller";
export const selectedNodeAnnotation = "volume.kubernetes.io/selected-node";

export function podClaimsOf({ pod, namespace, name }: PodInfo): PodClaim[] {
  return (pod.spec.volumes ?? []).flatMap((volume): PodClaim[] => {
    const { persistentVolumeClaim, ephemeral } = volume;
    if (persistentVolumeClaim) {
      const { claimName } = persistentVolumeClaim;
      return [{ key: `${namespace}/${claimName}`, name: claimName, ephemeral: false }];
    }
    if (!ephemeral) return [];
    const claimName = `${name}-${volume.name}`;
    return [{ key: `${namespace}/${claimName}`, name: claimName, ephemeral: true }];
  });
}

/** Pods that share a class may not differ in what they mount. */
export function hasPlacedVolumes({ spec }: Pod): boolean {
  return (spec.volumes ?? []).some(
    (volume) =>
      volume.persistentVolumeClaim !== undefined ||
      volume.ephemeral !== undefined ||
      volume.csi !== undefined ||
      volume.gcePersistentDisk !== undefined ||
      volume.awsElasticBlockStore !== undefined ||
      volume.iscsi !== undefined ||
      volume.rbd !== undefined,
  );
}

/** Why an existing claim is not the one that a pod's ephemeral volume means. */
export function foreignEphemeral(claim: PersistentVolumeClaim, { pod, uid }: PodInfo): string | undefined {
  const owner = claim.metadata?.ownerReferences?.find(({ controller }) => controller);
  if (owner?.uid === uid) return undefined;
  const { namespace, name } = claim.metadata ?? {};
  return `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata?.name} (pod is not owner)`;
}

export function storageClassOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName ?? "";
}

/** The claim and its volume agree that they belong together. */
export function isFullyBound({ metadata, spec }: PersistentVolumeClaim): boolean {
  return Boolean(spec.volumeName) && metadata?.annotations?.[bindCompletedAnnotation] !== undefined;
}
