/**
 * Finds devices for claims on a node: a search that goes back when a choice turns out wrong.
 * Source: k8s.io/dynamic-resource-allocation/structured.
 */
import type { DeviceConstraint, DeviceRequest, ExactDeviceRequest } from "#api/resource/v1/resource-claim-spec.ts";
import type { ResourceClaim } from "#api/resource/v1/resource-claim.ts";
import { quantityNumber } from "#apimachinery/quantity.ts";
import { isTolerated } from "../../toleration.ts";
import { type Consumption, consumptionOf, suffices } from "./capacity.ts";
import { attributeText, type Inventory, type PublishedDevice } from "./devices.ts";

/** A request, or one of its alternatives. */
export type AnyRequest = Omit<ExactDeviceRequest, "adminAccess"> & {
  readonly adminAccess?: boolean | undefined;
  /** `request`, or `request/alternative`. */
  readonly fullName: string;
};

export interface Pick {
  readonly claim: ResourceClaim;
  readonly request: AnyRequest;
  readonly device: PublishedDevice;
  /** Of the device's capacities. */
  readonly consumed: Consumption;
}

export interface AllocatorOptions {
  readonly inventory: Inventory;
  /** Ids of devices that are taken. */
  readonly taken: ReadonlySet<string>;
  /** What is consumed of devices that may be allocated many times, by their ids. */
  readonly shared?: ReadonlyMap<string, readonly Consumption[]>;
  /** Whether a device is what a request's class and selectors ask for. */
  readonly selects: (request: AnyRequest, device: PublishedDevice) => boolean;
}

/** Choices tried for one node before it is given up. */
export const stepsMax = 20_000;

/** Undefined: the devices at hand do not do. */
export function allocate(
  claims: readonly ResourceClaim[],
  devices: readonly PublishedDevice[],
  options: AllocatorOptions,
): readonly Pick[] | undefined {
  const wanted = claims.flatMap((claim) =>
    (claim.spec.devices?.requests ?? []).map((request) => ({
      claim,
      alternatives: alternativesOf(request),
    })),
  );
  const picks: Pick[] = [];
  let steps = 0;

  const free = (device: PublishedDevice, request: AnyRequest): boolean => {
    if (request.adminAccess === true) return !picks.some((pick) => pick.device.id === device.id);
    if (options.taken.has(device.id)) return false;
    if (device.device.allowMultipleAllocations === true) return true;
    return !picks.some((pick) => pick.device.id === device.id && pick.request.adminAccess !== true);
  };

  /** False, and nothing is picked: the device has not enough of what is asked for. */
  function pick(claim: ResourceClaim, request: AnyRequest, device: PublishedDevice): boolean {
    const consumed = consumptionOf(device.device, request.capacity?.requests);
    if (consumed === undefined) return false;
    const shares = device.device.allowMultipleAllocations === true && request.adminAccess !== true;
    const others = shares ? picks.filter((each) => each.device.id === device.id).map((each) => each.consumed) : [];
    const before = shares ? (options.shared?.get(device.id) ?? []) : [];
    if (!suffices(device.device, [...before, ...others, consumed])) return false;
    picks.push({ claim, request, device, consumed });
    return true;
  }

  function place(at: number): boolean {
    const next = wanted[at];
    if (next === undefined) return true;
    return next.alternatives.some((request) => fill(at, request, { left: countOf(request), from: 0 }));
  }

  function fill(at: number, request: AnyRequest, { left, from }: { left: number | "all"; from: number }): boolean {
    const { claim } = wanted[at] as (typeof wanted)[number];
    if (left === "all") return fillAll(at, request, claim);
    if (left === 0) return place(at + 1);
    for (let i = from; i < devices.length && steps++ < stepsMax; i++) {
      const device = devices[i] as PublishedDevice;
      if (!usable(device, request) || !free(device, request) || !pick(claim, request, device)) continue;
      if (consistent(picks, claim) && countersSuffice(picks, options)) {
        const again = device.device.allowMultipleAllocations === true ? i : i + 1;
        if (fill(at, request, { left: left - 1, from: again })) return true;
      }
      picks.pop();
    }
    return false;
  }

  function fillAll(at: number, request: AnyRequest, claim: ResourceClaim): boolean {
    const all = devices.filter((device) => usable(device, request));
    if (all.length === 0 || all.some((device) => !free(device, request))) return false;
    const before = picks.length;
    const picked = all.every((device) => pick(claim, request, device));
    if (picked && consistent(picks, claim) && countersSuffice(picks, options) && place(at + 1)) return true;
    picks.length = before;
    return false;
  }

  function usable(device: PublishedDevice, request: AnyRequest): boolean {
    const tolerations = request.tolerations ?? [];
    const untolerated = (device.device.taints ?? []).some(
      (taint) => (taint.effect === "NoSchedule" || taint.effect === "NoExecute") && !isTolerated(taint, tolerations),
    );
    return !untolerated && options.selects(request, device);
  }

  return place(0) ? picks : undefined;
}

export function alternativesOf({ name, exactly, firstAvailable = [] }: DeviceRequest): AnyRequest[] {
  if (exactly !== undefined) return [{ ...exactly, fullName: name }];
  return firstAvailable.map((request) => ({ ...request, fullName: `${name}/${request.name}` }));
}

function countOf({ allocationMode, count }: AnyRequest): number | "all" {
  return allocationMode === "All" ? "all" : Number(count ?? 1);
}

function consistent(picks: readonly Pick[], claim: ResourceClaim): boolean {
  const own = picks.filter((pick) => pick.claim === claim);
  return (claim.spec.devices?.constraints ?? []).every((constraint) => holds(constraint, own));
}

function holds(
  { requests = [], matchAttribute, distinctAttribute }: DeviceConstraint,
  picks: readonly Pick[],
): boolean {
  const concerned = picks.filter(
    ({ request }) =>
      requests.length === 0 ||
      requests.some((name) => name === request.fullName || request.fullName.startsWith(`${name}/`)),
  );
  const attribute = matchAttribute ?? distinctAttribute;
  if (attribute === undefined || concerned.length === 0) return true;
  const values = concerned.map(({ device }) => attributeText(device, attribute));
  if (values.includes(undefined)) return false;
  const different = new Set(values).size;
  return matchAttribute === undefined ? different === values.length : different === 1;
}

/** Parts of a device share what the whole has. */
function countersSuffice(picks: readonly Pick[], { inventory, taken }: AllocatorOptions): boolean {
  const concerned = picks.filter(({ device }) => device.device.consumesCounters?.length);
  if (concerned.length === 0) return true;
  const using = [...taken].flatMap((id) => inventory.byId.get(id) ?? []);
  const used = new Map<string, number>();
  for (const { driver, pool, device } of [...using, ...concerned.map((pick) => pick.device)]) {
    for (const { counterSet, counters } of device.consumesCounters ?? []) {
      for (const [name, { value }] of Object.entries(counters ?? {})) {
        const key = `${driver}/${pool}/${counterSet}\n${name}`;
        used.set(key, (used.get(key) ?? 0) + quantityNumber(value));
      }
    }
  }
  return [...used].every(([key, amount]) => {
    const [set = "", name = ""] = key.split("\n");
    const available = inventory.counters.get(set)?.[name];
    return available !== undefined && amount <= quantityNumber(available.value);
  });
}
