import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { duplicate, forbidden, invalid, required, tooMany } from "#apimachinery/field-error.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import { type Findings, immutableText, validateDnsLabel } from "#apimachinery/validation/checks.ts";
import { validateConditions } from "#apimachinery/validation/conditions.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { validateDriverName } from "./device-validation.ts";
import {
  AllocationResult,
  type ResourceClaim,
  type ResourceClaimStatus,
} from "./resource-claim.ts";
import { ResourceClaimSpec } from "./resource-claim-spec.ts";
import {
  defaultClaimDevices,
  requestNames,
  validateClaimSpec,
  validateRequestName,
} from "./resource-claim-spec-validation.ts";

/** Source: pkg/registry/resource/resourceclaim/strategy.go and its validation. */
const reservedMax = 256;

export const resourceClaimStrategy: Strategy<ResourceClaim> = {
  deleteReturnsObject: true,
  default: ({ spec }) => defaultClaimDevices(spec),
  prepareForCreate(claim) {
    claim.status = {};
  },
  prepareForUpdate(claim, { old }) {
    claim.status = old.status;
  },
  validate: ({ spec }) => [...validateClaimSpec(spec, "spec")],
  validateUpdate: ({ spec }, { old }) => {
    if (semanticEqual(spec, old.spec)) return [...validateClaimSpec(spec, "spec")];
    return [invalid("spec", internalValue(ResourceClaimSpec, spec), immutableText)];
  },
};

export function* validateClaimStatus(claim: ResourceClaim, old: ResourceClaim): Findings {
  const status = claim.status ?? {};
  yield* validateAllocation(claim, old);
  const { reservedFor = [] } = status;
  const path = "status.reservedFor";
  if (reservedFor.length > reservedMax) yield tooMany(path, reservedFor.length, reservedMax);
  for (const [i, consumer] of reservedFor.entries()) {
    const at = `${path}[${i}]`;
    if (consumer.resource === "") yield required(`${at}.resource`, "");
    if (consumer.name === "") yield required(`${at}.name`, "");
    if (consumer.uid === "") yield required(`${at}.uid`, "");
    const isRepeated = reservedFor.slice(0, i).some(({ uid }) => uid === consumer.uid);
    if (isRepeated) yield duplicate(at, consumer.uid);
  }
  if (reservedFor.length > 0 && status.allocation === undefined) {
    yield forbidden(path, "may not be specified when `allocated` is not set");
  }
  yield* validateDeviceStatuses(status);
}

function* validateAllocation(claim: ResourceClaim, old: ResourceClaim): Findings {
  const path = "status.allocation";
  const allocation = claim.status?.allocation;
  const before = old.status?.allocation;
  if (allocation === undefined) return;
  if (before !== undefined) {
    if (semanticEqual(allocation, before)) return;
    yield invalid(path, internalValue(AllocationResult, allocation), immutableText);
    return;
  }
  const names = requestNames(claim.spec.devices);
  for (const [i, result] of (allocation.devices?.results ?? []).entries()) {
    const at = `${path}.devices.results[${i}]`;
    yield* validateRequestName(result.request, `${at}.request`, names);
    yield* validateDriverName(result.driver, `${at}.driver`);
    if (result.pool === "") yield required(`${at}.pool`, "");
    yield* validateDnsLabel(result.device, `${at}.device`);
  }
}

function* validateDeviceStatuses({ devices = [], allocation }: ResourceClaimStatus): Findings {
  const key = (it: {
    driver: string;
    pool: string;
    device: string;
    shareID?: string | undefined;
  }): string => [it.driver, it.pool, it.device, it.shareID ?? ""].join("/");
  const allocated = new Set((allocation?.devices?.results ?? []).map(key));
  for (const [i, device] of devices.entries()) {
    const at = `status.devices[${i}]`;
    if (!allocated.has(key(device))) {
      const { driver, pool, device: name, shareID = "" } = device;
      const value = { Driver: driver, Pool: pool, Device: name, ShareID: shareID };
      yield invalid(at, value, "must be an allocated device in the claim");
    }
    yield* validateConditions(device.conditions, `${at}.conditions`);
  }
}

/** `allocated,reserved`, `pending`. */
export function claimStateText({ metadata: meta, status }: ResourceClaim): string {
  const states = [
    ...(meta.deletionTimestamp ? ["deleted"] : []),
    ...(status?.allocation === undefined
      ? meta.deletionTimestamp
        ? []
        : ["pending"]
      : ["allocated"]),
    ...((status?.reservedFor ?? []).length > 0 ? ["reserved"] : []),
  ];
  return states.join(",");
}
