/** One pod's search for devices, and what is written when it is to be bound. */
import { deviceClasses } from "#api/resource/v1/device-class.ts";
import { type AllocationResult, type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { resourceSlices } from "#api/resource/v1/resource-slice.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { rfc3339 } from "#base/clock.ts";
import { type Context, failed, type NodeFilter, unresolvable } from "../../framework.ts";
import type { NodeInfo } from "../../node-info.ts";
import { nodeSelectorMatcher } from "../../node-selection.ts";
import type { PodInfo } from "../../pod-info.ts";
import { allocate, type AnyRequest, type Pick } from "./allocator.ts";
import { devicesReady, isHopeless } from "./binding-conditions.ts";
import { deleteClaim, makeSpecialClaim, releaseClaim, reserveClaim } from "./bind.ts";
import type { Consumption } from "./capacity.ts";
import { isReservedFor } from "./claims.ts";
import { inventoryOf, type PublishedDevice } from "./devices.ts";
import { isDelegated, type SpecialClaim, specialClaim } from "./extended-resources.ts";
import { inFlightOf } from "./in-flight.ts";
import { allocationOf } from "./result.ts";
import { selectorMatches } from "./selector.ts";

export interface DeviceArgs {
  /** How long devices may take to become ready. */
  readonly bindingTimeoutMs: number;
}

export interface Wanted {
  /** That the pod names. */
  readonly claims: readonly ResourceClaim[];
  /** Extended resources that a class stands for. */
  readonly classed: readonly string[];
}

const elsewhere = unresolvable("resourceclaim not available on the node");
const noDevices = unresolvable("cannot allocate all claims");

/** What was found for a node. */
interface Found {
  readonly allocations: ReadonlyMap<ResourceClaim, AllocationResult>;
  readonly special: SpecialClaim | undefined;
}

export function createDeviceFilter(pod: PodInfo, { claims, classed }: Wanted, context: Context<DeviceArgs>): NodeFilter {
  const { listers, client, cluster, args, clock } = context;
  const hopeless = claims.some((claim) => isHopeless(claim, { nowMs: clock.nowMs(), timeoutMs: args.bindingTimeoutMs }));
  const places = claims.flatMap(({ status }) =>
    status?.allocation?.nodeSelector ? [nodeSelectorMatcher(status.allocation.nodeSelector)] : [],
  );
  const open = claims.filter(({ status }) => status?.allocation === undefined);
  const specialFor = createSpecialClaims(pod, classed, context);
  const inFlight = inFlightOf(cluster);
  const found = new Map<string, Found>();
  let find: ReturnType<typeof finder> | undefined;
  let written: ResourceClaim | undefined;

  function settle(nodeName: string): void {
    for (const { metadata } of found.get(nodeName)?.allocations.keys() ?? []) inFlight.delete(metadata?.uid ?? "");
  }

  return {
    check(node) {
      if (hopeless || places.some((matches) => !matches(node))) return elsewhere;
      const special = specialFor(node);
      const sought = special === undefined ? open : [...open, special.claim];
      if (sought.length === 0) return undefined;
      // Another pod of the same claim decides about it right now.
      if (open.some(({ metadata }) => inFlight.has(metadata?.uid ?? ""))) return noDevices;
      find ??= finder(context);
      const picks = find(sought, node);
      if (picks === undefined) return noDevices;
      const options = {
        classOf: (name: string) => listers.of(deviceClasses).get(name),
        newShareId: () => context.random.uuid(),
        nodeName: node.name,
      };
      const allocations = new Map(sought.map((claim) => [claim, allocationOf(claim, picks, options)]));
      found.set(node.name, { allocations, special });
      return undefined;
    },
    reserve({ name }) {
      const own = found.get(name);
      if (open.length > 0 && own === undefined) return failed(new Error("claim allocation not found for node"));
      for (const [claim, allocation] of own?.allocations ?? []) inFlight.set(claim.metadata?.uid ?? "", allocation);
      return undefined;
    },
    unreserve({ name }) {
      settle(name);
      for (const claim of claims) {
        const now = listers.of(resourceClaims).get(keyOfObject(claim));
        if (now !== undefined && isReservedFor(now, pod)) void releaseClaim(now, pod, client).catch(() => undefined);
      }
      if (written !== undefined) void deleteClaim(written, client).catch(() => undefined);
      written = undefined;
    },
    async preBind({ name }, signal) {
      try {
        const { allocations, special } = found.get(name) ?? { allocations: undefined, special: undefined };
        const allocated = (claim: ResourceClaim) => stamped(allocations?.get(claim), context);
        for (const claim of claims) await reserveClaim(claim, { pod, allocation: allocated(claim), client });
        if (special !== undefined) {
          written = await makeSpecialClaim(special, pod, client);
          await reserveClaim(written, { pod, allocation: allocated(special.claim), client });
        }
        const conditional = claims.filter((claim) => isConditional(allocations?.get(claim) ?? claim.status?.allocation));
        if (written !== undefined && special && isConditional(allocations?.get(special.claim))) conditional.push(written);
        if (conditional.length > 0) await devicesReady(conditional, { context, timeoutMs: args.bindingTimeoutMs, signal });
        return undefined;
      } catch (error) {
        return failed(error);
      } finally {
        settle(name);
      }
    },
  };
}

function isConditional(allocation: AllocationResult | undefined): boolean {
  return allocation?.devices?.results?.some(({ bindingConditions }) => bindingConditions?.length) === true;
}

function stamped(allocation: AllocationResult | undefined, { featureEnabled, clock }: Context<DeviceArgs>): AllocationResult | undefined {
  if (allocation === undefined || !featureEnabled("DRADeviceBindingConditions")) return allocation;
  return { ...allocation, allocationTimestamp: rfc3339(clock.nowMs()) };
}

/** The claim that a pod needs on a node beside its own; one for all nodes that leave the same resources to claims. */
function createSpecialClaims(
  pod: PodInfo,
  classed: readonly string[],
  { listers, random }: Context<DeviceArgs>,
): (node: NodeInfo) => SpecialClaim | undefined {
  const known = new Map<string, SpecialClaim>();
  return (node) => {
    const delegated = classed.filter((name) => isDelegated(name, node));
    if (delegated.length === 0) return undefined;
    const key = delegated.join("\n");
    const special = known.get(key) ?? specialClaim(pod, delegated, { listers, newUid: () => random.uuid() });
    known.set(key, special);
    return special;
  };
}

/** Looks for devices on one node after the other, with what is taken as it is now. */
function finder({ listers, cluster }: Context<DeviceArgs>) {
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
  return (sought: readonly ResourceClaim[], node: NodeInfo): readonly Pick[] | undefined =>
    allocate(sought, inventory.on(node), { inventory, taken, shared, selects });
}
