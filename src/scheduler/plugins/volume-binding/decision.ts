/** What becomes of a pod's claims on one node. Source: volumebinding FindPodVolumes. */
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import { type PersistentVolume, persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { type Status, unresolvable } from "../../framework.ts";
import type { Listers } from "../../listers.ts";
import type { NodeInfo } from "../../node-info.ts";
import { selectedNodeAnnotation } from "../../pod-claims.ts";
import type { SortedClaims } from "./claims.ts";
import type { Ledger } from "./ledger.ts";
import { matchingVolume, provisionable, volumeFitsNode } from "./match.ts";

export interface Decision {
  readonly bindings: readonly {
    readonly claim: PersistentVolumeClaim;
    readonly volume: PersistentVolume;
  }[];
  /** Claims that a volume is made for. */
  readonly provisions: readonly PersistentVolumeClaim[];
}

const reasons = {
  noVolume: "node(s) didn't find available persistent volumes to bind",
  wrongNode: "node(s) didn't match PersistentVolume's node affinity",
  noSpace: "node(s) did not have enough free storage",
  volumeGone: "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
};

export function decide(
  { bound, delayed }: SortedClaims,
  node: NodeInfo,
  { listers, ledger }: { readonly listers: Listers; readonly ledger: Ledger },
): Decision | Status {
  const against = new Set<string>();
  for (const claim of bound) {
    const volume = listers.of(persistentVolumes).get(claim.spec.volumeName ?? "");
    if (volume === undefined) against.add(reasons.volumeGone);
    else if (!volumeFitsNode(volume, node)) against.add(reasons.wrongNode);
  }
  const bindings: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
  const provisions: PersistentVolumeClaim[] = [];
  const chosen = new Set<string>();
  for (const claim of delayed) {
    const key = keyOfObject(claim);
    const selected = ledger.claims.get(key) ?? claim.metadata?.annotations?.[selectedNodeAnnotation];
    if (selected !== undefined && selected !== node.name) {
      against.add(reasons.noVolume);
      continue;
    }
    const volume = selected === undefined ? matchingVolume(claim, node, { listers, taken }) : undefined;
    if (volume !== undefined) {
      chosen.add(volume.metadata?.name ?? "");
      bindings.push({ claim, volume });
      continue;
    }
    const verdict = provisionable(claim, node, listers);
    if (verdict === "fits") provisions.push(claim);
    else against.add(verdict === "noSpace" ? reasons.noSpace : reasons.noVolume);
    function taken({ metadata }: PersistentVolume): boolean {
      const name = metadata?.name ?? "";
      const owner = ledger.volumes.get(name);
      return chosen.has(name) || (owner !== undefined && owner !== key);
    }
  }
  return against.size > 0 ? unresolvable(...against) : { bindings, provisions };
}
