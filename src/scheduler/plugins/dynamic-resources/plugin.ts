import type { Pod } from "#api/core/v1/pod.ts";
import { durationMs } from "#apimachinery/go-duration.ts";
import {
  type Context,
  definePlugin,
  type NodeFilter,
  type PostFilterResult,
  type Status,
  unschedulable,
} from "../../framework.ts";
import { nodeSelectorMatcher } from "../../node-selection.ts";
import type { PodInfo } from "../../pod-info.ts";
import { isHopeless } from "./binding-conditions.ts";
import { deallocate, deleteClaim } from "./bind.ts";
import { claimsRefused, isReservedFor, podResourceClaims } from "./claims.ts";
import { createDeviceFilter, type DeviceArgs } from "./device-filter.ts";
import { classedResources, priorClaim } from "./extended-resources.ts";

const bindingTimeoutMsDefault = 600_000;

/** Gives pods the devices that their claims ask for. Source: scheduler DynamicResources. */
export const dynamicResources = definePlugin<DeviceArgs>({
  name: "DynamicResources",
  args: { bindingTimeoutMs: bindingTimeoutMsDefault },
  readArgs(given) {
    const { bindingTimeout } = (given ?? {}) as { readonly bindingTimeout?: string };
    return { bindingTimeoutMs: bindingTimeout === undefined ? bindingTimeoutMsDefault : durationMs(bindingTimeout) };
  },
  unique: (pod, context) => namesClaims(pod) || classedOf(pod, context).length > 0,
  enqueueOn: [
    "Pod/update-claims",
    "AssignedPod/update-claims",
    {
      on: "ResourceClaim/add",
      helps: ({ object }, pod) => object === undefined || usesClaimNamed(pod, object.metadata?.name),
    },
    "ResourceClaim/update",
    "ResourceClaim/delete",
    "Node/add",
    "Node/update-label",
    "Node/update-taint",
    "DeviceClass/add",
    "DeviceClass/update",
    "ResourceSlice/add",
    "ResourceSlice/update",
  ],
  preEnqueue(pod, { listers }) {
    if (!namesClaims(pod.pod)) return undefined;
    const claims = podResourceClaims(pod, listers);
    return "code" in claims ? claims : undefined;
  },
  filter: deviceFilter,
  postFilter,
});

function namesClaims({ spec }: Pod): boolean {
  return (spec.resourceClaims?.length ?? 0) > 0;
}

function classedOf(pod: Pod, { listers, featureEnabled }: Context<DeviceArgs>): string[] {
  return featureEnabled("DRAExtendedResource") ? classedResources(pod, listers) : [];
}

function usesClaimNamed({ pod }: PodInfo, name: string | undefined): boolean {
  const direct = pod.spec.resourceClaims?.some(({ resourceClaimName }) => resourceClaimName === name);
  return (
    direct === true ||
    pod.status?.resourceClaimStatuses?.some(({ resourceClaimName }) => resourceClaimName === name) === true
  );
}

function deviceFilter(pod: PodInfo, context: Context<DeviceArgs>): NodeFilter | Status | undefined {
  const classed = classedOf(pod.pod, context);
  if (!namesClaims(pod.pod) && classed.length === 0) return undefined;
  const claims = namesClaims(pod.pod) ? podResourceClaims(pod, context.listers) : [];
  if ("code" in claims) return claims;
  if (claims.length === 0 && classed.length === 0) return undefined;
  const refusal = claimsRefused(claims, pod, context.listers);
  if (refusal !== undefined) return refusal;
  // Its devices may be others' by now: it is removed, and the pod tried anew.
  if (classed.length > 0 && priorClaim(pod, context.listers) !== undefined) {
    return unschedulable("cannot schedule extended resource claim");
  }
  return createDeviceFilter(pod, { claims, classed }, context);
}

/** A claim that holds devices in the wrong place, for nobody, is given back. */
async function postFilter(
  { pod }: { readonly pod: PodInfo },
  context: Context<DeviceArgs>,
): Promise<PostFilterResult> {
  const { listers, client, cluster, args, clock } = context;
  const prior = classedOf(pod.pod, context).length > 0 ? priorClaim(pod, listers) : undefined;
  if (prior !== undefined) {
    await deleteClaim(prior, client);
    return { status: unschedulable("deletion of ResourceClaim completed") };
  }
  const claims = namesClaims(pod.pod) ? podResourceClaims(pod, listers) : [];
  if ("code" in claims || claims.length === 0) return { status: unschedulable("no new claims to deallocate") };
  for (const claim of claims) {
    const { allocation, reservedFor = [] } = claim.status ?? {};
    const idle = reservedFor.length === 0 || (reservedFor.length === 1 && isReservedFor(claim, pod));
    if (allocation === undefined || !idle) continue;
    const matches = allocation.nodeSelector === undefined ? () => true : nodeSelectorMatcher(allocation.nodeSelector);
    const hopeless = isHopeless(claim, { nowMs: clock.nowMs(), timeoutMs: args.bindingTimeoutMs });
    if (!hopeless && cluster.nodes.every((node) => node === undefined || matches(node))) continue;
    await deallocate(claim, client);
    return { status: unschedulable("deallocation of ResourceClaim completed") };
  }
  return { status: unschedulable("still not schedulable") };
}
