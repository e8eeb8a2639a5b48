import type { Slot } from "./struct-shape.ts";

/**
 * Makes an object of the fields found, in the order of the struct. `slots` and `values` belong
 * together and may be reordered. One field order per type keeps V8's hidden classes few.
 */
export function assembleStruct(slots: Slot[], values: unknown[]): Record<string, unknown> {
  sortBySlot(slots, values);
  const object: Record<string, unknown> = {};
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i];
    if (slot !== undefined) object[slot.name] = values[i];
  }
  return object;
}

/** Insertion sort: the input is short, and most often in order already. */
function sortBySlot(slots: Slot[], values: unknown[]): void {
  for (let i = 1; i < slots.length; i++) {
    const slot = slots[i];
    const value = values[i];
    if (slot === undefined) continue;
    let j = i - 1;
    for (
      let other = slots[j];
      other !== undefined && other.index > slot.index;
      other = slots[--j]
    ) {
      slots[j + 1] = other;
      values[j + 1] = values[j];
    }
    slots[j + 1] = slot;
    values[j + 1] = value;
  }
}
