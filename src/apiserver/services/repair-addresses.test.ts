import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#api/core/v1/service.ts";
import type { IPAddress } from "#api/networking/v1/ip-address.ts";
import { keyOfObject, objectKey } from "#apimachinery/object.ts";
import { rfc3339 } from "#base/clock.ts";
import { type Fault, findFaults } from "./repair-addresses.ts";
import { addressFor } from "./service-address.ts";

const nowMs = 1_000_000_000_000;

function service(name: string, clusterIP: string, type = "ClusterIP"): Service {
  return { metadata: { namespace: "default", name }, spec: { type, clusterIP, clusterIPs: [clusterIP] } as Service["spec"] };
}

/** An address that was booked for a Service some seconds ago. */
function address(name: string, owner: string, ageSeconds = 3600): IPAddress {
  const booked = addressFor(service(owner, ""), name);
  return { ...booked, metadata: { ...booked.metadata, creationTimestamp: rfc3339(nowMs - ageSeconds * 1000) } };
}

function bookOf<T extends Service | IPAddress>(objects: readonly T[]): { get(ns: string, name: string): T | undefined; values(): Iterable<T> } {
  const byKey = new Map(objects.map((object) => [keyOfObject(object), object]));
  return { get: (namespace, name) => byKey.get(objectKey(namespace, name)), values: () => byKey.values() };
}

function shown(fault: Fault): string {
  return fault.do === "delete" ? `delete ${fault.found.metadata?.name} ${fault.reason}` : `${fault.do} ${fault.address}`;
}

const rows: { name: string; services: Service[]; addresses: IPAddress[]; faults: string[] }[] = [
  { name: "all is well", services: [service("a", "10.0.0.5")], addresses: [address("10.0.0.5", "a")], faults: [] },
  { name: "a headless Service has none", services: [service("a", "None")], addresses: [], faults: [] },
  { name: "an address is missing", services: [service("a", "10.0.0.5")], addresses: [], faults: ["create 10.0.0.5"] },
  { name: "a Service is being written", services: [], addresses: [address("10.0.0.5", "a", 59)], faults: [] },
  { name: "a Service was never written", services: [], addresses: [address("10.0.0.5", "a", 61)], faults: ["delete 10.0.0.5 IPAddressNotAllocated"] },
  {
    name: "a Service has another address",
    services: [service("a", "10.0.0.5")],
    addresses: [address("10.0.0.5", "a"), address("10.0.0.6", "a")],
    faults: ["delete 10.0.0.6 IPAddressWrongReference"],
  },
  {
    name: "an address names a Service that is gone",
    services: [service("a", "10.0.0.5")],
    addresses: [address("10.0.0.5", "gone")],
    faults: ["recreate 10.0.0.5", "delete 10.0.0.5 IPAddressNotAllocated"],
  },
  {
    name: "two Services have one address",
    services: [service("a", "10.0.0.5"), service("b", "10.0.0.5")],
    addresses: [address("10.0.0.5", "a")],
    faults: ["report 10.0.0.5"],
  },
  {
    name: "somebody else's address stays",
    services: [],
    addresses: [{ ...address("10.0.0.5", "a"), metadata: { name: "10.0.0.5" } }],
    faults: [],
  },
];

for (const { name, services, addresses, faults } of rows) {
  test(name, () => {
    const book = { services: bookOf(services), addresses: bookOf(addresses) };
    assert.deepEqual(findFaults(book, nowMs).map(shown), faults);
  });
}
