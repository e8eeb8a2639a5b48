import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { getOwn } from "#apimachinery/maps.ts";
import { definePlugin, unresolvable } from "../../framework.ts";
import { hasPlacedVolumes, podClaimsOf } from "../../pod-claims.ts";

const refusal = unresolvable("node(s) had no available volume zone");

/** Labels that say where a volume is, under their old and new names. */
const keys: readonly (readonly string[])[] = [
  ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"],
  ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"],
];

/** Keeps pods in the zones of their volumes. Source: scheduler VolumeZone. */
export const volumeZone = definePlugin({
  name: "VolumeZone",
  unique: hasPlacedVolumes,
  enqueueOn: [
    "StorageClass/add",
    "Node/add",
    "Node/update-label",
    "PersistentVolumeClaim/add",
    "PersistentVolumeClaim/update",
    "PersistentVolume/add",
    "PersistentVolume/update",
  ],
  filter(pod, { listers }) {
    const places = podClaimsOf(pod).flatMap(({ key }) => {
      const claim = listers.of(persistentVolumeClaims).get(key);
      const labels = listers.of(persistentVolumes).get(claim?.spec.volumeName ?? "")?.metadata?.labels;
      return keys.flatMap((names) => {
        const value = names.map((name) => getOwn(labels, name)).find((found) => found !== undefined);
        return value === undefined ? [] : [{ names, values: new Set(value.split("__")) }];
      });
    });
    if (places.length === 0) return undefined;
    return {
      check({ labels }) {
        const valueOf = (names: readonly string[]) =>
          names.map((name) => getOwn(labels, name)).find((found) => found !== undefined);
        // A node that says nothing of its place is in the only one there is.
        if (keys.every((names) => valueOf(names) === undefined)) return undefined;
        return places.every(({ names, values }) => values.has(valueOf(names) ?? "")) ? undefined : refusal;
      },
    };
  },
});
