import { deviceClasses } from "#api/resource/v1/device-class.ts";
import { type AllocationResult, type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { resourceSlices } from "#api/resource/v1/resource-slice.ts";
import { durationMs } from "#apimachinery/go-duration.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { rfc3339 } from "#base/clock.ts";
import {
  type Context,
  definePlugin,
  failed,
  type NodeFilter,
  type PostFilterResult,
  type Status,
  unresolvable,
  unschedulable,
} from "../../framework.ts";
import { nodeSelectorMatcher } from "../../node-selection.ts";
import type { PodInfo } from "../../pod-info.ts";
import { allocate, type AnyRequest, type Pick } from "./allocator.ts";
import type { Consumption } from "./capacity.ts";
import { devicesReady, isHopeless } from "./binding-conditions.ts";
import { deallocate, releaseClaim, reserveClaim } from "./bind.ts";
import { claimsRefused, isReservedFor, podResourceClaims } from "./claims.ts";
import { inventoryOf, type PublishedDevice } from "./devices.ts";
import { inFlightOf } from "./in-flight.ts";
import { allocationOf } from "./result.ts";
import { selectorMatches } from "./selector.ts";

const elsewhere = unresolvable("resourceclaim not available on the node");
const noDevices = unresolvable("cannot allocate all claims");

interface Args {
  /** How long devices may take to become ready. */
  readonly bindingTimeoutMs: number;
}

/** Gives pods the devices that their claims ask for. Source: scheduler DynamicResources. */
export const dynamicResources = definePlugin<Args>({
  name: "DynamicResources",
  args: { bindingTimeoutMs: 600_000 },
  readArgs(given) {
    const { bindingTimeout } = (given ?? {}) as { readonly bindingTimeout?: string };
    return { bindingTimeoutMs: bindingTimeout === undefined ? 600_000 : durationMs(bindingTimeout) };
  },
  unique: ({ spec }) => (spec.resourceClaims?.length ?? 0) > 0,
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
    if ((pod.pod.spec.resourceClaims?.length ?? 0) === 0) return undefined;
    const claims = podResourceClaims(pod, listers);
    return "code" in claims ? claims : undefined;
  },
  filter: deviceFilter,
  postFilter,
});

function usesClaimNamed({ pod }: PodInfo, name: string | undefined): boolean {
  const direct = pod.spec.resourceClaims?.some(({ resourceClaimName }) => resourceClaimName === name);
  return (
    direct === true ||
    pod.status?.resourceClaimStatuses?.some(({ resourceClaimName }) => resourceClaimName === name) === true
  );
}

function deviceFilter(pod: PodInfo, context: Context<Args>): NodeFilter | Status | undefined {
  if ((pod.pod.spec.resourceClaims?.length ?? 0) === 0) return undefined;
  const { listers, client, cluster, args, clock } = context;
  const claims = podResourceClaims(pod, listers);
  if ("code" in claims) return claims;
  if (claims.length === 0) return undefined;
  const hopeless = claims.some((claim) => isHopeless(claim, { nowMs: clock.nowMs(), timeoutMs: args.bindingTimeoutMs }));
  const refusal = claimsRefused(claims, pod, listers);
  if (refusal !== undefined) return refusal;
  const inFlight = inFlightOf(cluster);
  const allocations = new Map<string, ReadonlyMap<ResourceClaim, AllocationResult>>();
  const places = claims.flatMap(({ status }) =>
    status?.allocation?.nodeSelector ? [nodeSelectorMatcher(status.allocation.nodeSelector)] : [],
  );
  const open = claims.filter(({ status }) => status?.allocation === undefined);
  const resultOptions = {
    classOf: (name: string) => listers.of(deviceClasses).get(name),
    newShareId: () => context.random.uuid(),
  };
  const find = open.length === 0 ? undefined : finder(open, context);
  return {
    check(node) {
      if (hopeless || places.some((matches) => !matches(node))) return elsewhere;
      if (find === undefined) return undefined;
      // Another pod of the same claim decides about it right now.
      if (open.some(({ metadata }) => inFlight.has(metadata?.uid ?? ""))) return noDevices;
      const picks = find(node);
      if (picks === undefined) return noDevices;
      const options = { ...resultOptions, nodeName: node.name };
      allocations.set(node.name, new Map(open.map((claim) => [claim, allocationOf(claim, picks, options)])));
      return undefined;
    },
    reserve({ name }) {
      const found = allocations.get(name);
      if (open.length > 0 && found === undefined) return failed(new Error("claim allocation not found for node"));
      for (const [claim, allocation] of found ?? []) inFlight.set(claim.metadata?.uid ?? "", allocation);
      return undefined;
    },
    unreserve() {
      for (const { metadata } of open) inFlight.delete(metadata?.uid ?? "");
      for (const claim of claims) {
        const now = listers.of(resourceClaims).get(keyOfObject(claim));
        if (now !== undefined && isReservedFor(now, pod)) void releaseClaim(now, pod, client).catch(() => undefined);
      }
    },
    async preBind({ name }, signal) {
      try {
        const made = allocations.get(name);
        const stamped = (claim: ResourceClaim): AllocationResult | undefined => {
          const allocation = made?.get(claim);
          const stamps = allocation !== undefined && context.featureEnabled("DRADeviceBindingConditions");
          return stamps ? { ...allocation, allocationTimestamp: rfc3339(clock.nowMs()) } : allocation;
        };
        for (const claim of claims) await reserveClaim(claim, { pod, allocation: stamped(claim), client });
        const conditional = claims.filter((claim) =>
          (made?.get(claim) ?? claim.status?.allocation)?.devices?.results?.some(({ bindingConditions }) => bindingConditions?.length),
        );
        if (conditional.length > 0) await devicesReady(conditional, { context, timeoutMs: args.bindingTimeoutMs, signal });
        return undefined;
      } catch (error) {
        return failed(error);
      } finally {
        for (const { metadata } of open) inFlight.delete(metadata?.uid ?? "");
      }
    },
  };
}

/** Looks for devices on one node after the other, with what is taken as it is now. */
function finder(open: readonly ResourceClaim[], { listers, cluster }: Context<Args>) {
  const inventory = inventoryOf(listers.of(resourceSlices).list());
  const taken = new Set<string>();
  const shared = new Map<string, Consumption[]>();
  const take = ({ devices }: AllocationResult): void => {
    for (const { driver, pool, device, adminAccess, shareID, consumedCapacity = {} } of devices?.results ?? []) {
      const id = `${driver}/${pool}/${device}`;
      if (adminAccess === true) continue;
      if (shareID === undefined) taken.add(id);
      else shared.set(id, [...(shared.get(id) ?? []), consumedCapacity]);
    }
  };
  for (const { status } of listers.of(resourceClaims).list()) if (status?.allocation) take(status.allocation);
  for (const allocation of inFlightOf(cluster).values()) take(allocation);

  const selects = (request: AnyRequest, device: PublishedDevice): boolean => {
    const ofClass = listers.of(deviceClasses).get(request.deviceClassName)?.spec.selectors ?? [];
    return [...ofClass, ...(request.selectors ?? [])].every(
      ({ cel }) => cel === undefined || selectorMatches(cel.expression, device),
    );
  };
  return (node: Parameters<typeof inventory.on>[0]): readonly Pick[] | undefined =>
    allocate(open, inventory.on(node), { inventory, taken, shared, selects });
}

/** A claim that holds devices in the wrong place, for nobody, is given back. */
async function postFilter(
  { pod }: { readonly pod: PodInfo },
  { listers, client, cluster, args, clock }: Context<Args>,
): Promise<PostFilterResult> {
  const claims = (pod.pod.spec.resourceClaims?.length ?? 0) === 0 ? [] : podResourceClaims(pod, listers);
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
