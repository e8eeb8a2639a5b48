import { errorMessage } from "#base/error-message.ts";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import type { ClusterEvent } from "../../cluster-events.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { type Context, definePlugin, failed, type NodeFilter, type Status } from "../../framework.ts";
import type { PodInfo } from "../../pod-info.ts";
import { hasPlacedVolumes, podClaimsOf } from "../../pod-claims.ts";
import { bindVolumes } from "./bind.ts";
import { sortClaims } from "./claims.ts";
import { type Decision, decide } from "./decision.ts";
import { type Ledger, ledgerOf } from "./ledger.ts";

interface Args {
  readonly bindTimeoutMs: number;
}

/** Finds nodes where a pod's volumes are or can be, and binds them. Source: scheduler VolumeBinding. */
export const volumeBinding = definePlugin<Args>({
  name: "VolumeBinding",
  args: { bindTimeoutMs: 600_000 },
  readArgs(given) {
    const { bindTimeoutSeconds = 600 } = (given ?? {}) as { readonly bindTimeoutSeconds?: number };
    if (bindTimeoutSeconds < 0)
      throw new Error(
        `bindTimeoutSeconds: Invalid value: ${bindTimeoutSeconds}: invalid BindTimeoutSeconds, should not be a negative value`,
      );
    return { bindTimeoutMs: bindTimeoutSeconds * 1000 };
  },
  unique: hasPlacedVolumes,
  enqueueOn: [
    "StorageClass/add",
    "StorageClass/update",
    { on: "PersistentVolumeClaim/add", helps: isOwnClaim },
    { on: "PersistentVolumeClaim/update", helps: isOwnClaim },
    "PersistentVolume/add",
    "PersistentVolume/update",
    "Node/add",
    "Node/update-label",
    "Node/update-taint",
    "CSINode/add",
    "CSINode/update",
    "CSIDriver/update",
    "CSIStorageCapacity/add",
    "CSIStorageCapacity/update",
  ],
  filter: volumeFilter,
});

function isOwnClaim({ object }: ClusterEvent, pod: PodInfo): boolean {
  return object === undefined || podClaimsOf(pod).some(({ key }) => key === keyOfObject(object));
}

function volumeFilter(pod: PodInfo, context: Context<Args>): NodeFilter | Status | undefined {
  const { listers, cluster, args } = context;
  const sorted = sortClaims(pod, listers);
  if (sorted === undefined || "code" in sorted) return sorted;
  const ledger = ledgerOf(cluster);
  const decisions = new Map<string, Decision>();
  return {
    check(node) {
      const decision = decide(sorted, node, { listers, ledger });
      if ("code" in decision) return decision;
      decisions.set(node.name, decision);
      return undefined;
    },
    reserve({ name }) {
      const decision = decisions.get(name);
      if (decision === undefined) return failed(new Error(`no volumes were found for node ${name}`));
      note(ledger, decision, name);
      return undefined;
    },
    unreserve: ({ name }) => strike(ledger, decisions.get(name)),
    async preBind({ name }, signal) {
      const decision = decisions.get(name);
      if (decision === undefined || sorted.delayed.length === 0) return undefined;
      try {
        await bindVolumes(fresh(decision, context), name, {
          context,
          timeoutMs: args.bindTimeoutMs,
          signal,
        });
        strike(ledger, decision);
        return undefined;
      } catch (error) {
        return failed(new Error(`binding volumes: ${errorMessage(error)}`));
      }
    },
  };
}

function note(ledger: Ledger, { bindings, provisions }: Decision, nodeName: string): void {
  for (const { claim, volume } of bindings) ledger.volumes.set(volume.metadata?.name ?? "", keyOfObject(claim));
  for (const claim of provisions) ledger.claims.set(keyOfObject(claim), nodeName);
}

function strike(ledger: Ledger, decision: Decision | undefined): void {
  for (const { volume } of decision?.bindings ?? []) ledger.volumes.delete(volume.metadata?.name ?? "");
  for (const claim of decision?.provisions ?? []) ledger.claims.delete(keyOfObject(claim));
}

/** Claims as they are now: another pod of the same claim may have written to them. */
function fresh(decision: Decision, { listers }: Context<Args>): Decision {
  const claims = listers.of(persistentVolumeClaims);
  return {
    ...decision,
    provisions: decision.provisions.map((claim) => claims.get(keyOfObject(claim)) ?? claim),
  };
}
