/** Volumes and devices as plainly as they can be said; see `naive.ts`. */
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { PersistentVolume } from "#api/core/v1/persistent-volume.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { ResourceClaim } from "#api/resource/v1/resource-claim.ts";
import type { ResourceSlice } from "#api/resource/v1/resource-slice.ts";
import { quantityValue } from "#apimachinery/quantity.ts";
import type { Place, Rules } from "./naive.ts";

const zone = "topology.kubernetes.io/zone";

export interface Storage {
  readonly claims: readonly PersistentVolumeClaim[];
  readonly volumes: readonly PersistentVolume[];
  /** Volumes that a node can attach, by its name. */
  readonly limits: ReadonlyMap<string, number>;
}

export function claimNamesOf({ spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
}

function nodesOf({ spec }: PersistentVolume): readonly string[] | undefined {
  return spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values;
}

function isOn(volume: PersistentVolume, { node }: Place): boolean {
  return nodesOf(volume)?.includes(node.metadata?.name ?? "") !== false;
}

/** All claims are in one namespace. */
export function storageRule({ claims, volumes, limits }: Storage): NonNullable<Rules["storage"]> {
  const claimOf = new Map(claims.map((claim) => [claim.metadata?.name ?? "", claim]));
  const volumeOf = (name: string) =>
    volumes.find(({ metadata }) => metadata?.name === claimOf.get(name)?.spec.volumeName);
  const handlesOf = (pod: Pod): string[] => claimNamesOf(pod).flatMap((name) => volumeOf(name)?.spec.csi?.volumeHandle ?? []);
  return (pod, place, places) => {
    const names = claimNamesOf(pod);
    const alone = names.filter((name) => claimOf.get(name)?.spec.accessModes?.includes("ReadWriteOncePod"));
    if (places.some(({ pods }) => pods.some((other) => claimNamesOf(other).some((name) => alone.includes(name)))))
      return ["node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"];
    const limit = limits.get(place.node.metadata?.name ?? "");
    const attached = new Set(place.pods.flatMap(handlesOf));
    const added = new Set(handlesOf(pod).filter((handle) => !attached.has(handle)));
    if (limit !== undefined && added.size > 0 && attached.size + added.size > limit)
      return ["node(s) exceed max volume count"];
    const against = new Set<string>();
    for (const name of names) {
      const volume = volumeOf(name);
      if (volume !== undefined && !isOn(volume, place)) against.add("node(s) didn't match PersistentVolume's node affinity");
      if (volume === undefined && smallestOn(claimOf.get(name), place, volumes) === undefined)
        against.add("node(s) didn't find available persistent volumes to bind");
    }
    if (against.size > 0) return [...against];
    const here = place.labels[zone];
    const zones = names.flatMap((name) => volumeOf(name)?.metadata?.labels?.[zone] ?? []);
    return here !== undefined && zones.some((each) => each !== here) ? ["node(s) had no available volume zone"] : [];
  };
}

/** The volume that is taken for a claim on a node. */
export function smallestOn(
  claim: PersistentVolumeClaim | undefined,
  place: Place,
  volumes: readonly PersistentVolume[],
): PersistentVolume | undefined {
  const size = ({ spec }: PersistentVolume): number => quantityValue(spec.capacity?.["storage"] ?? "0");
  const wanted = quantityValue(claim?.spec.resources?.requests?.["storage"] ?? "0");
  const open = volumes.filter(
    (volume) =>
      volume.spec.claimRef === undefined &&
      volume.spec.storageClassName === claim?.spec.storageClassName &&
      isOn(volume, place) &&
      size(volume) >= wanted,
  );
  return open.toSorted((a, b) => size(a) - size(b))[0];
}

export interface Devices {
  readonly claims: readonly ResourceClaim[];
  readonly slices: readonly ResourceSlice[];
}

/** Devices in use, as `pool/device`. */
export function devicesTaken(claims: readonly ResourceClaim[]): string[] {
  return claims.flatMap(
    ({ status }) => status?.allocation?.devices?.results?.map(({ pool, device }) => `${pool}/${device}`) ?? [],
  );
}

/** Every request asks for one device of a model, by a class of that name. Tries all ways to give them out. */
export function devicesRule({ claims, slices }: Devices): NonNullable<Rules["devices"]> {
  const taken = new Set(devicesTaken(claims));
  return (pod, { node }) => {
    const own = (pod.spec.resourceClaims ?? []).flatMap(
      ({ resourceClaimName }) => claims.find(({ metadata }) => metadata?.name === resourceClaimName) ?? [],
    );
    const models = own.flatMap(
      ({ spec }) => spec.devices?.requests?.map(({ exactly }) => exactly?.deviceClassName ?? "") ?? [],
    );
    const free = slices
      .filter(({ spec }) => spec.nodeName === node.metadata?.name)
      .flatMap(({ spec }) => spec.devices ?? [])
      .filter(({ name }) => !taken.has(`${node.metadata?.name}/${name}`))
      .map(({ attributes }) => attributes?.["model"]?.string ?? "");
    const give = (left: readonly string[], at: number): boolean =>
      at === models.length ||
      left.some((model, i) => (models[at] === "any" || models[at] === model) && give(left.toSpliced(i, 1), at + 1));
    return give(free, 0) ? [] : ["cannot allocate all claims"];
  };
}
