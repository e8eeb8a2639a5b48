import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#api/core/v1/service.ts";
import type { Endpoint, EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import { servicePortViews } from "./service-ports.ts";

const node = { nodeName: "here", zone: "z1" };

function service(spec: Service["spec"] = {}): Service {
  return {
    metadata: { name: "web", namespace: "default" },
    spec: { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"], ports: [{ port: 80, protocol: "TCP" }], ...spec },
  };
}

function slice(endpoints: readonly Endpoint[]): EndpointSlice {
  return {
    metadata: { name: "web-1", namespace: "default" },
    addressType: "IPv4",
    endpoints: [...endpoints],
    ports: [{ name: "", port: 8080, protocol: "TCP" }],
  };
}

/** Each endpoint is `LAST-OCTET:CONDITIONS[@NODE]`: r ready, s serving, t terminating; `-` leaves all three unsaid. */
function endpoint(text: string): Endpoint {
  const [, octet = "", said = "", nodeName = "here"] = /^(\d+):([rst]*|-)(?:@(\S+))?$/.exec(text) ?? [];
  const conditions =
    said === "-" ? {} : { ready: said.includes("r"), serving: said.includes("s"), terminating: said.includes("t") };
  return { addresses: [`10.0.0.${octet}`], conditions, nodeName };
}

function octets(list: readonly { readonly address: string }[] | undefined): string {
  return (list ?? []).map(({ address }) => address.split(".").at(-1)).join(" ");
}

const cases: readonly { readonly endpoints: string; readonly used: string; readonly local?: string; readonly spec?: Service["spec"] }[] = [
  { endpoints: "1:rs 2:rs@there", used: "1 2", local: "1" },
  { endpoints: "1:- 2:", used: "1" },
  { endpoints: "1:rs 2:st", used: "1" },
  { endpoints: "1:s 2:st 3:t", used: "2" },
  // Ready while it goes: the Service publishes addresses that are not ready.
  { endpoints: "1:rt", used: "1" },
  { endpoints: "1:rt 2:rs 3:st", used: "1 2" },
  { endpoints: "1:st 2:rs@there", used: "2", local: "1" },
  { endpoints: "1:rs@there", used: "", local: "", spec: { internalTrafficPolicy: "Local" } },
];

for (const { endpoints, used, local, spec } of cases) {
  test(`servicePortViews of ${endpoints} ${JSON.stringify(spec ?? {})}`, () => {
    const [view] = servicePortViews(service(spec), [slice(endpoints.split(" ").map(endpoint))], node);
    assert.equal(octets(view?.endpoints), used);
    assert.equal(octets(view?.localEndpoints), local ?? used);
  });
}

test("servicePortViews takes a slice for the port and protocol that it names", () => {
  const ports = [
    { name: "tcp", port: 80, protocol: "TCP" },
    { name: "udp", port: 80, protocol: "UDP" },
  ];
  const only = (name: string, port: number, protocol: string): EndpointSlice => ({
    ...slice([endpoint(`${port}:rs`)]),
    ports: [{ name, port, protocol }],
  });
  const views = servicePortViews(service({ ports }), [only("tcp", 1, "TCP"), only("udp", 2, "UDP")], node);
  assert.deepEqual(
    views.map(({ protocol, endpoints }) => `${protocol} ${endpoints.map(({ address, port }) => `${address}:${port}`).join(" ")}`),
    ["tcp 10.0.0.1:1", "udp 10.0.0.2:2"],
  );
});
