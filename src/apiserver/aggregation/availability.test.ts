import assert from "node:assert/strict";
import { test } from "node:test";
import type { APIService } from "#api/apiregistration/v1/api-service.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { type EndpointSlice, endpointSlices } from "#api/discovery/v1/endpoint-slice.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { HttpClient, HttpRequestOptions, HttpResponse } from "#base/http.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createMemoryStore } from "#store/memory.ts";
import { LiveSet } from "../storage/live-set.ts";
import { ResourceStorage } from "../storage/storage.ts";
import { type Availability, checkAvailability, withAvailability } from "./availability.ts";
import type { RemoteTarget } from "./remote-service.ts";

const clock = createVirtualClock();
const random = createVirtualRandom(1);

async function liveSet<T extends KubeObject>(definition: ResourceDefinition<T>, objects: readonly T[]): Promise<LiveSet<T>> {
  const storage = new ResourceStorage({ store: createMemoryStore({ clock, random }), clock, definition });
  for (const object of objects) {
    const { namespace = "", name = "" } = object.metadata ?? {};
    await storage.create(storage.keyOf(namespace, name), object, { dryRun: false });
  }
  const set = new LiveSet<T>(storage, clock);
  await set.start();
  return set;
}

const registration = {
  metadata: { name: "v1.ice.example.com" },
  spec: {
    group: "ice.example.com",
    version: "v1",
    groupPriorityMinimum: 1,
    versionPriority: 1,
    service: { namespace: "default", name: "ext", port: 443 },
  },
} as APIService;

function service(spec: object): Service {
  return { kind: "Service", apiVersion: "v1", metadata: { namespace: "default", name: "ext" }, spec } as Service;
}

function slice(name: string, { port = "https", ready, of = "ext" }: { port?: string; ready?: boolean; of?: string }): EndpointSlice {
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: { namespace: "default", name, labels: { "kubernetes.io/service-name": of } },
    addressType: "IPv4",
    ports: [{ name: port, port: 8443 }],
    endpoints: [{ addresses: ["10.0.0.7"], conditions: { ...(ready !== undefined && { ready }) } }],
  } as EndpointSlice;
}

/** The way to the extension server: what it answers, or why it cannot be reached. */
function wayTo(answer: number | Error, reached: string[]): (target: RemoteTarget) => HttpClient {
  return ({ baseUrl, serverName }) => ({
    async request({ path }: HttpRequestOptions) {
      reached.push(`${baseUrl}${path} as ${serverName}`);
      if (answer instanceof Error) throw answer;
      const headers = {};
      return { status: answer, headers, headerValues: () => [], body: (async function* () {})(), readAll: async () => new Uint8Array(), discard() {} } satisfies HttpResponse;
    },
    upgrade: () => Promise.reject(new Error("no upgrades")),
    reconnect() {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

interface Row {
  readonly services?: readonly Service[];
  readonly slices?: readonly EndpointSlice[];
  readonly answer?: number | Error;
  readonly wanted: Availability;
  readonly reached?: string;
}

const clusterIp = service({ type: "ClusterIP", ports: [{ name: "https", port: 443 }] });
const asked = "https://10.0.0.7:8443/apis/ice.example.com/v1";
const no = (reason: string, message: string): Availability => ({ status: "False", reason, message });
const passed: Availability = { status: "True", reason: "Passed", message: "all checks passed" };

const rows: Readonly<Record<string, Row>> = {
  "no Service": { wanted: no("ServiceNotFound", 'service/ext in "default" is not present') },
  "another port": {
    services: [service({ type: "ClusterIP", ports: [{ name: "https", port: 8443 }] })],
    wanted: no("ServicePortError", 'service/ext in "default" is not listening on port 443'),
  },
  "no slices": {
    services: [clusterIp],
    slices: [slice("of-another", { of: "other" })],
    wanted: no("EndpointsNotFound", 'cannot find endpointslices for service/ext in "default"'),
  },
  "slices of another port": {
    services: [clusterIp],
    slices: [slice("a", { port: "http" })],
    wanted: no("MissingEndpoints", 'endpointslices for service/ext in "default" have no addresses with port name "https"'),
  },
  "no ready endpoint": {
    services: [clusterIp],
    slices: [slice("a", { ready: false })],
    wanted: no("MissingEndpoints", 'endpointslices for service/ext in "default" have no addresses with port name "https"'),
  },
  "a ready endpoint": { services: [clusterIp], slices: [slice("a", { ready: false }), slice("b", { ready: true })], wanted: passed, reached: asked },
  "an endpoint that does not say": { services: [clusterIp], slices: [slice("a", {})], wanted: passed, reached: asked },
  "a Service without endpoints of its own": {
    services: [service({ type: "ExternalName", externalName: "ext.example.com" })],
    wanted: passed,
    reached: "https://ext.example.com:443/apis/ice.example.com/v1",
  },
  "an error": {
    services: [clusterIp],
    slices: [slice("a", {})],
    answer: 500,
    wanted: no("FailedDiscoveryCheck", `failing or missing response from ${asked}: bad status from ${asked}: 500`),
    reached: asked,
  },
  "nobody there": {
    services: [clusterIp],
    slices: [slice("a", {})],
    answer: new Error("connection refused"),
    wanted: no("FailedDiscoveryCheck", `failing or missing response from ${asked}: Get "${asked}": connection refused`),
    reached: asked,
  },
};

for (const [what, { services: known = [], slices = [], answer = 200, wanted, reached }] of Object.entries(rows)) {
  test(`availability: ${what}`, async () => {
    const requests: string[] = [];
    const endpoints = { services: await liveSet(services, known), slices: await liveSet(endpointSlices, slices), random };
    assert.deepEqual(await checkAvailability(registration, { endpoints, clientOf: wayTo(answer, requests) }), wanted);
    assert.deepEqual(requests, reached === undefined ? [] : [`${reached} as ext.default.svc`]);
  });
}

test("the condition keeps its place among those of others", () => {
  const [before, after] = ["2026-11-25T10:00:00Z", "2026-11-25T10:00:05Z"];
  const passed = { status: "True", reason: "Passed", message: "all checks passed" } as const;
  const once = withAvailability(registration, { status: "False", reason: "MissingEndpoints", message: "none" }, before);
  const others = { type: "StatusUpdated", status: "True", reason: "E2E" } as const;
  const shared = { ...once, status: { conditions: [...(once.status?.conditions ?? []), others] } } as APIService;
  const twice = withAvailability(shared, passed, after);
  assert.deepEqual(twice.status?.conditions, [{ type: "Available", ...passed, lastTransitionTime: after }, others]);
  assert.equal(withAvailability(twice, passed, after), twice);
});
