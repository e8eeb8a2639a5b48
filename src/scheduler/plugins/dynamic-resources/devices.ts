/** Devices that drivers publish, by where they can be used. */
import type { NodeSelector } from "#api/core/v1/node-selector.ts";
import type { Counter, CounterSet, Device, DeviceAttribute, ResourceSlice } from "#api/resource/v1/resource-slice.ts";
import { getOwn } from "#apimachinery/maps.ts";
import type { NodeInfo } from "../../node-info.ts";
import { nodeSelectorMatcher } from "../../node-selection.ts";

export interface PublishedDevice {
  /** `driver/pool/device`. */
  readonly id: string;
  readonly driver: string;
  readonly pool: string;
  readonly device: Device;
  /** Where it can be used; undefined: everywhere. */
  readonly nodeSelector: NodeSelector | undefined;
}

export interface Inventory {
  /** Devices that can be used on a node. */
  on(node: NodeInfo): readonly PublishedDevice[];
  /** Shared counters by `driver/pool/set`. */
  readonly counters: ReadonlyMap<string, CounterSet["counters"]>;
  readonly byId: ReadonlyMap<string, PublishedDevice>;
}

const inventories = new WeakMap<readonly ResourceSlice[], Inventory>();

/** Kept with the list: listers give the same one until something changes. */
export function inventoryOf(slices: readonly ResourceSlice[]): Inventory {
  let inventory = inventories.get(slices);
  if (inventory === undefined) inventories.set(slices, (inventory = takeInventory(slices)));
  return inventory;
}

function takeInventory(slices: readonly ResourceSlice[]): Inventory {
  const local = new Map<string, PublishedDevice[]>();
  const elsewhere: PublishedDevice[] = [];
  const counters = new Map<string, CounterSet["counters"]>();
  const byId = new Map<string, PublishedDevice>();
  for (const { spec } of newestGenerations(slices)) {
    const { driver, pool } = spec;
    for (const set of spec.sharedCounters ?? []) counters.set(`${driver}/${pool.name}/${set.name}`, set.counters);
    for (const device of spec.devices ?? []) {
      const place = spec.perDeviceNodeSelection ? device : spec;
      const nodeSelector = selectorOf(place);
      const id = `${driver}/${pool.name}/${device.name}`;
      const published = { id, driver, pool: pool.name, device, nodeSelector };
      byId.set(id, published);
      if (!place.nodeName) elsewhere.push(published);
      else local.set(place.nodeName, [...(local.get(place.nodeName) ?? []), published]);
    }
  }
  return {
    on: (node) => [
      ...(local.get(node.name) ?? []),
      ...elsewhere.filter(({ nodeSelector }) => nodeSelector === undefined || nodeSelectorMatcher(nodeSelector)(node)),
    ],
    counters,
    byId,
  };
}

/** Slices of an older generation of their pool are about to go. */
function newestGenerations(slices: readonly ResourceSlice[]): ResourceSlice[] {
  const newest = new Map<string, number>();
  const keyOf = ({ spec }: ResourceSlice): string => `${spec.driver}/${spec.pool.name}`;
  for (const slice of slices) {
    const generation = Number(slice.spec.pool.generation);
    newest.set(keyOf(slice), Math.max(newest.get(keyOf(slice)) ?? 0, generation));
  }
  return slices.filter((slice) => Number(slice.spec.pool.generation) === newest.get(keyOf(slice)));
}

interface Place {
  readonly nodeName?: string | undefined;
  readonly nodeSelector?: NodeSelector | undefined;
}

function selectorOf({ nodeName, nodeSelector }: Place): NodeSelector | undefined {
  if (!nodeName) return nodeSelector;
  return {
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] }],
  };
}

/** The value of an attribute named in full (`domain/name`), as text that tells its type. */
export function attributeText({ driver, device }: PublishedDevice, name: string): string | undefined {
  const own =
    getOwn(device.attributes, name) ??
    (name.startsWith(`${driver}/`) ? getOwn(device.attributes, name.slice(driver.length + 1)) : undefined);
  return own === undefined ? undefined : textOf(own);
}

function textOf({ int, bool, string, version }: DeviceAttribute): string | undefined {
  if (int !== undefined) return `int ${int}`;
  if (bool !== undefined) return `bool ${bool}`;
  if (string !== undefined) return `string ${string}`;
  return version === undefined ? undefined : `version ${version}`;
}

export type Counters = Readonly<Record<string, Counter>>;
