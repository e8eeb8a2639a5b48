/**
 * What an allocation takes of a device's capacities. A device that may be allocated many times has them
 * for all together; any other, for its only user. Source: structured/internal consumable_capacity.go.
 */
import type { CapacityRequestPolicy, Device } from "#api/resource/v1/resource-slice.ts";
import { addQuantities, compareQuantities, formatQuantity, quantityBigInt, quantityOf } from "#apimachinery/quantity.ts";
import { getOwn } from "#apimachinery/maps.ts";

/** Quantities by the name of the capacity. */
export type Consumption = Readonly<Record<string, string>>;

/** Undefined: the device has no such capacity, or gives it in other portions only. */
export function consumptionOf(
  { capacity = {} }: Device,
  requested: Consumption | undefined,
): Consumption | undefined {
  if (Object.keys(requested ?? {}).some((name) => !Object.hasOwn(capacity, name))) return undefined;
  const consumed: [string, string][] = [];
  for (const [name, { value, requestPolicy }] of Object.entries(capacity)) {
    const amount = portionOf(getOwn(requested, name), value, requestPolicy);
    if (isOutside(amount, requestPolicy)) return undefined;
    consumed.push([name, amount]);
  }
  return Object.fromEntries(consumed);
}

/** Whether all of it together is there. */
export function suffices({ capacity = {} }: Device, consumptions: readonly Consumption[]): boolean {
  return Object.entries(capacity).every(([name, { value }]) => {
    const sum = consumptions.reduce((total, each) => addQuantities(total, getOwn(each, name) ?? "0"), quantityOf(0));
    return compareQuantities(sum, value) <= 0;
  });
}

function portionOf(requested: string | undefined, value: string, policy: CapacityRequestPolicy | undefined): string {
  if (requested === undefined) return policy?.default ?? value;
  const { validRange, validValues } = policy ?? {};
  if (validRange?.min != null) return rangePortion(requested, validRange.min, validRange.step ?? undefined);
  const next = validValues?.toSorted(compareQuantities).find((valid) => compareQuantities(valid, requested) >= 0);
  return next ?? requested;
}

function rangePortion(requested: string, min: string, step: string | undefined): string {
  if (compareQuantities(requested, min) < 0) return min;
  if (step === undefined) return requested;
  const [wanted, least, by] = [requested, min, step].map(quantityBigInt) as [bigint, bigint, bigint];
  const steps = (wanted - least + by - 1n) / by;
  return formatQuantity(quantityOf(least + steps * by, "BinarySI"));
}

function isOutside(amount: string, policy: CapacityRequestPolicy | undefined): boolean {
  if (policy === undefined || (policy.default != null && compareQuantities(amount, policy.default) === 0)) return false;
  const { validRange, validValues = [] } = policy;
  if (validRange !== undefined) return validRange.max != null && compareQuantities(amount, validRange.max) > 0;
  return validValues.length > 0 && !validValues.some((valid) => compareQuantities(valid, amount) === 0);
}
