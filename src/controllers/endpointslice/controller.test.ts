import assert from "node:assert/strict";
import { test } from "node:test";
import { endpoints } from "#api/core/v1/endpoints.ts";
import { nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { endpointSlices } from "#api/discovery/v1/endpoint-slice.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { endpointsController } from "../endpoints/controller.ts";
import { endpointSliceMirroringController } from "../endpointslice-mirroring/controller.ts";
import { endpointSliceController } from "./controller.ts";

const labels = { app: "web" };

function service(spec: Partial<Service["spec"]> = {}): Service {
  return {
    kind: "Service",
    apiVersion: "v1",
    metadata: { namespace: "a", name: "web", labels: { team: "x" } },
    spec: {
      clusterIP: "10.96.0.1",
      ipFamilies: ["IPv4"],
      selector: labels,
      ports: [{ name: "http", port: 80, targetPort: "web" }],
      ...spec,
    },
  };
}

function pod(name: string, ip: string, port: number, ready = true): Pod {
  return {
    metadata: { namespace: "a", name, uid: name, labels },
    spec: {
      nodeName: "n1",
      containers: [{ name: "c", ports: [{ name: "web", containerPort: port }] }],
    },
    status: {
      phase: "Running",
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  };
}

function setUp(first: Service) {
  const world = startControllerWorld([endpointSliceController, endpointsController, endpointSliceMirroringController]);
  world.seed(nodes, {
    metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "z1" } },
    spec: {},
  });
  world.seed(services, first);
  const slices = () =>
    world
      .list(endpointSlices)
      .map(
        ({ ports, endpoints: all }) =>
          `${ports.map(({ port }) => port).join(",")}: ${all.map(({ addresses, conditions, zone }) => `${addresses[0]}${conditions?.ready ? "" : "!"}${zone ? `@${zone}` : ""}`).join(" ")}`,
      );
  const subsets = () =>
    (world.get(endpoints, "a/web")?.subsets ?? []).map(
      ({ addresses = [], notReadyAddresses = [], ports = [] }) =>
        `${ports.map(({ port }) => port).join(",")}: ${addresses.map(({ ip }) => ip).join(" ")}|${notReadyAddresses.map(({ ip }) => ip).join(" ")}`,
    );
  return { world, slices, subsets };
}

test("Pods become endpoints by their named ports, with readiness and zone", async () => {
  const { world, slices, subsets } = setUp(service());
  await world.settle();
  assert.deepEqual(slices(), [": "]);
  world.seed(pods, pod("p1", "10.0.0.1", 8080));
  world.seed(pods, pod("p2", "10.0.0.2", 8080, false));
  world.seed(pods, pod("p3", "10.0.0.3", 9090));
  await world.settle();
  assert.deepEqual(slices().toSorted(), ["8080: 10.0.0.1@z1 10.0.0.2!@z1", "9090: 10.0.0.3@z1"]);
  assert.deepEqual(subsets(), ["8080: 10.0.0.1|10.0.0.2", "9090: 10.0.0.3|"]);
  const [slice] = world.list(endpointSlices);
  assert.deepEqual(slice?.metadata.labels, {
    team: "x",
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  });
  assert.equal(slice?.metadata.ownerReferences?.[0]?.kind, "Service");
  assert.deepEqual(world.errors, []);
});

test("a Pod that goes is terminating in the slice and not in the Endpoints", async () => {
  const { world, slices, subsets } = setUp(service());
  world.seed(pods, pod("p1", "10.0.0.1", 8080));
  await world.settle();
  await world.client.resource(pods).delete("a/p1");
  await world.settle();
  assert.deepEqual(slices(), ["8080: 10.0.0.1!@z1"]);
  assert.deepEqual(world.list(endpointSlices)[0]?.endpoints[0]?.conditions, {
    ready: false,
    serving: true,
    terminating: true,
  });
  assert.deepEqual(subsets(), []);
});

test("headless Services are labelled, and Endpoints go with their Service", async () => {
  const { world } = setUp(service({ clusterIP: "None" }));
  world.seed(pods, pod("p1", "10.0.0.1", 8080));
  await world.settle();
  assert.equal(world.get(endpoints, "a/web")?.metadata.labels?.["service.kubernetes.io/headless"], "");
  world.api.remove(services, "a/web");
  await world.settle();
  assert.equal(world.get(endpoints, "a/web"), undefined);
});

test("hand-written Endpoints are mirrored, by family, and the mirror goes with them", async () => {
  const { world, slices } = setUp(service({ selector: {} }));
  const addresses = [{ ip: "1.2.3.4" }, { ip: "fd00::1" }];
  world.seed(endpoints, {
    metadata: { namespace: "a", name: "web" },
    subsets: [{ addresses, ports: [{ port: 443, protocol: "TCP" }] }],
  });
  await world.settle();
  assert.deepEqual(slices(), ["443: 1.2.3.4", "443: fd00::1"]);
  assert.deepEqual(
    world.list(endpointSlices).map(({ addressType }) => addressType),
    ["IPv4", "IPv6"],
  );
  world.api.remove(endpoints, "a/web");
  await world.settle();
  assert.deepEqual(slices(), []);
});
