/** Which volumes a claim may have on a node. Source: component-helpers storage/volume FindMatchingVolume. */
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import type { TopologySelectorTerm } from "#api/core/v1/topology-selector.ts";
import { csiDrivers } from "#api/storage/v1/csi-driver.ts";
import { csiStorageCapacities } from "#api/storage/v1/csi-storage-capacity.ts";
import { type StorageClass, storageClasses } from "#api/storage/v1/storage-class.ts";
import { getOwn } from "#apimachinery/maps.ts";
import { compareQuantities } from "#apimachinery/quantity.ts";
import { labelSelectorOf } from "#apimachinery/selectors.ts";
import type { Listers } from "../../listers.ts";
import type { NodeInfo } from "../../node-info.ts";
import { nodeSelectorMatcher } from "../../node-selection.ts";
import { storageClassOf } from "../../pod-claims.ts";

export function volumeFitsNode({ spec }: PersistentVolume, node: NodeInfo): boolean {
  const required = spec.nodeAffinity?.required;
  return required === undefined || nodeSelectorMatcher(required)(node);
}

/** The smallest volume that will do; one that is reserved for the claim before all others. */
export function matchingVolume(
  claim: PersistentVolumeClaim,
  node: NodeInfo,
  { listers, taken }: { readonly listers: Listers; readonly taken: (volume: PersistentVolume) => boolean },
): PersistentVolume | undefined {
  let best: PersistentVolume | undefined;
  for (const volume of listers.of(persistentVolumes).list()) {
    if (taken(volume) || !couldHold(volume, claim) || !volumeFitsNode(volume, node)) continue;
    const { claimRef } = volume.spec;
    if (claimRef?.name === claim.metadata?.name && claimRef?.namespace === claim.metadata?.namespace) return volume;
    if (claimRef !== undefined || volume.status?.phase !== "Available") continue;
    if (labelMismatch(volume, claim)) continue;
    if (best === undefined || compareQuantities(sizeOf(volume), sizeOf(best)) < 0) best = volume;
  }
  return best;
}

function sizeOf({ spec }: PersistentVolume): string {
  return spec.capacity?.storage ?? "0";
}

function couldHold(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { spec, metadata } = volume;
  if (metadata?.deletionTimestamp !== undefined) return false;
  const { claimRef } = spec;
  if (claimRef?.uid !== undefined && claimRef.uid !== claim.metadata?.uid) return false;
  if ((spec.storageClassName ?? "") !== storageClassOf(claim)) return false;
  if ((spec.volumeMode ?? "Filesystem") !== (claim.spec.volumeMode ?? "Filesystem")) return false;
  if ((spec.volumeAttributesClassName ?? "") !== (claim.spec.volumeAttributesClassName ?? "")) return false;
  if (compareQuantities(sizeOf(volume), claim.spec.resources?.requests?.storage ?? "0") < 0) return false;
  return (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode));
}

function labelMismatch({ metadata }: PersistentVolume, { spec }: PersistentVolumeClaim): boolean {
  return spec.selector !== undefined && !labelSelectorOf(spec.selector).matches(metadata?.labels ?? {});
}

/** `fits`, or which of the reasons stands against making a volume for the claim on the node. */
export function provisionable(
  claim: PersistentVolumeClaim,
  node: NodeInfo,
  listers: Listers,
): "fits" | "noProvisioner" | "noSpace" {
  const storageClass = listers.of(storageClasses).get(storageClassOf(claim));
  const { provisioner = "", allowedTopologies = [] } = storageClass ?? {};
  if (storageClass === undefined || provisioner === "" || provisioner === "kubernetes.io/no-provisioner")
    return "noProvisioner";
  if (allowedTopologies.length > 0 && !allowedTopologies.some((term) => topologyMatches(term, node)))
    return "noProvisioner";
  return hasSpace(claim, storageClass, { node, listers }) ? "fits" : "noSpace";
}

function topologyMatches({ matchLabelExpressions = [] }: TopologySelectorTerm, { labels }: NodeInfo): boolean {
  return (
    matchLabelExpressions.length > 0 &&
    matchLabelExpressions.every(({ key, values }) => values.includes(getOwn(labels, key) ?? ""))
  );
}

/** Drivers that tell of their capacity are held to it. */
function hasSpace(
  claim: PersistentVolumeClaim,
  { provisioner, metadata }: StorageClass,
  { node, listers }: { readonly node: NodeInfo; readonly listers: Listers },
): boolean {
  const driver = listers.of(csiDrivers).get(provisioner);
  if (driver?.spec.storageCapacity !== true) return true;
  const size = claim.spec.resources?.requests?.storage;
  if (size === undefined) return true;
  return listers
    .of(csiStorageCapacities)
    .list()
    .some(({ storageClassName, nodeTopology, capacity, maximumVolumeSize }) => {
      const limit = maximumVolumeSize ?? capacity;
      if (storageClassName !== metadata?.name || limit === undefined) return false;
      return compareQuantities(limit, size) >= 0 && labelSelectorOf(nodeTopology).matches(node.labels);
    });
}
