import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import { planSlices } from "./slices.ts";

const ports = [{ name: "", protocol: "TCP", port: 80 }];
const endpoint = (ip: string) => ({ addresses: [ip] });

function slice(name: string, ips: string): EndpointSlice {
  return {
    metadata: { name },
    addressType: "IPv4",
    ports,
    endpoints: ips.split(" ").filter(Boolean).map(endpoint),
  };
}

const show = (slices: readonly EndpointSlice[]): string =>
  slices
    .map(
      ({ metadata, endpoints }) =>
        `${metadata.name}=${endpoints.map(({ addresses }) => addresses[0]).join(",")}`,
    )
    .join(" ");

test("planSlices changes as few slices as it can (3 endpoints a slice)", () => {
  const rows: [
    existing: EndpointSlice[],
    wanted: string,
    plan: [create: string, update: string, remove: string],
  ][] = [
    [[], "a", ["a", "", ""]],
    [[], "a b c d", ["a,b,c d", "", ""]],
    [[slice("s", "a b")], "b a", ["", "", ""]],
    [[slice("s", "a b")], "a b c", ["", "s=a,b,c", ""]],
    [[slice("s", "a b c")], "a b c d", ["d", "", ""]],
    [[slice("s", "a b c"), slice("t", "d")], "a b e d", ["", "s=a,b,e", ""]],
    [[slice("s", "a"), slice("t", "b c")], "a b c d", ["", "t=b,c,d", ""]],
    [[slice("s", "a"), slice("t", "b")], "b", ["", "", "s"]],
    [[slice("s", "a")], "", ["", "s=", ""]],
  ];
  for (const [i, [existing, wanted, [create, update, remove]]] of rows.entries()) {
    const endpoints = wanted.split(" ").filter(Boolean).map(endpoint);
    const groups = endpoints.length > 0 ? [{ ports, endpoints }] : [];
    const plan = planSlices(existing, groups, {
      endpointsMax: 3,
      placeholder: true,
      refresh: (s) => s,
    });
    const created = plan.create
      .map((group) => group.endpoints.map(({ addresses }) => addresses[0]).join(","))
      .join(" ");
    const removed = plan.remove.map(({ metadata }) => metadata.name).join(" ");
    assert.deepEqual([created, show(plan.update), removed], [create, update, remove], `row ${i}`);
  }
});
