import assert from "node:assert/strict";
import { at, namesOf, refused } from "./api.ts";
import type { Event } from "./encoding.ts";
import { change, changeStatus, createAndChange, discovered, type Operations, removeAll } from "./operations.ts";
import { area, scenario } from "./scenario.ts";

area("[sig-network] API Server", () => {
  scenario("should provide secure master service", async ({ api }) => {
    const service = await api.objects("v1", "services", "default").get("kubernetes");
    const ports = at(service, "spec", "ports") as { name: string; port: number }[];
    assert.deepEqual(
      ports.map(({ name, port }) => [name, port]),
      [["https", 443]],
    );
  });

  scenario("should have Endpoints and EndpointSlices pointing to API Server", async ({ api }) => {
    const endpoints = await api.objects("v1", "endpoints", "default").get("kubernetes");
    const { items } = await api
      .objects("discovery.k8s.io/v1", "endpointslices", "default")
      .list({ labelSelector: "kubernetes.io/service-name=kubernetes" });
    assert.equal(items.length, 1);
    const [subset] = endpoints["subsets"] as { addresses: { ip: string }[]; ports: object[] }[];
    const slices = items as unknown as { endpoints: { addresses: string[] }[]; ports: object[]; addressType: string }[];
    const addresses = slices.flatMap(({ endpoints: all }) => all.flatMap((endpoint) => endpoint.addresses));
    assert.ok(addresses.length > 0);
    assert.deepEqual(
      addresses,
      subset?.addresses.map(({ ip }) => ip),
    );
    assert.deepEqual(slices[0]?.ports, subset?.ports);
    assert.equal(slices[0]?.addressType, "IPv4");
  });
});

area("[sig-network] Endpoints", () => {
  scenario("should test the lifecycle of an Endpoint", async ({ own, all, unique }) => {
    const endpoints = own("v1", "endpoints");
    const selection = { labelSelector: `test-endpoint-static=${unique}` };
    const name = "testservice";
    using watch = await endpoints.watch({
      ...selection,
      resourceVersion: (await all("v1", "endpoints").list(selection)).metadata.resourceVersion,
    });
    const sees = async (type: string): Promise<Event> => {
      const event = await watch.next();
      assert.equal(event.type, type);
      return event;
    };
    const created = await endpoints.create({
      metadata: { name, labels: { "test-endpoint-static": unique } },
      subsets: [{ addresses: [{ ip: "10.0.0.24" }], ports: [{ name: "http", port: 80, protocol: "TCP" }] }],
    });
    await sees("ADDED");
    assert.deepEqual(namesOf(await all("v1", "endpoints").list(selection)), [name]);
    await change(endpoints, name, { metadata: { labels: { "test-service": "updated" } } });
    assert.equal((await sees("MODIFIED")).object.metadata.labels?.["test-service"], "updated");
    const patched = await endpoints.patch(name, {
      type: "strategic",
      body: {
        metadata: { labels: { "test-service": "patched" } },
        subsets: [{ addresses: [{ ip: "10.0.0.25" }], ports: [{ name: "http-test", port: 8080 }] }],
      },
    });
    assert.ok(Number(patched.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
    await sees("MODIFIED");
    const fetched = await endpoints.get(name);
    assert.equal(fetched.metadata.labels?.["test-service"], "patched");
    const ports = [{ name: "http-test", port: 8080, protocol: "TCP" }];
    assert.deepEqual(fetched["subsets"], [{ addresses: [{ ip: "10.0.0.25" }], ports }]);
    await endpoints.deleteAll(selection);
    await sees("DELETED");
    await refused(endpoints.get(name), 404);
  });
});

area("[sig-network] EndpointSlice", () => {
  scenario("should support creating EndpointSlice API operations", async (world) => {
    await discovered(world, { group: "discovery.k8s.io", resources: ["endpointslices"] });
    const { own, all, unique } = world;
    const slice = {
      metadata: { generateName: "e2e-example-ing", labels: { "special-label": unique } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["1.2.3.4", "5.6.7.8"] }, { addresses: ["2.2.3.4", "6.6.7.8"] }],
    };
    const operations: Operations = {
      objects: own("discovery.k8s.io/v1", "endpointslices"),
      everywhere: all("discovery.k8s.io/v1", "endpointslices"),
      selection: { labelSelector: `special-label=${unique}` },
      objectsOf: [slice, slice, slice],
    };
    const changed = await createAndChange(operations);
    assert.match(changed.metadata.name ?? "", /^e2e-example-ing[a-z0-9]{5}$/);
    await removeAll(operations, changed.metadata.name ?? "");
  });
});

const networking = "networking.k8s.io";

area("[sig-network] Ingress API", () => {
  scenario("should support creating Ingress API operations", async (world) => {
    await discovered(world, { group: networking, resources: ["ingresses", "ingresses/status"] });
    const { own, all, unique } = world;
    const backend = { service: { name: "test-backend", port: { number: 8080 } } };
    const ingress = {
      metadata: { generateName: "e2e-example-ing", labels: { "special-label": unique } },
      spec: {
        defaultBackend: { service: { name: "default-backend", port: { number: 80 } } },
        rules: [{ host: "foo.bar.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      },
    };
    const operations: Operations = {
      objects: own(`${networking}/v1`, "ingresses"),
      everywhere: all(`${networking}/v1`, "ingresses"),
      selection: { labelSelector: `special-label=${unique}` },
      objectsOf: [ingress, ingress, ingress],
    };
    const { metadata } = await createAndChange(operations);
    await changeStatus(operations.objects, metadata.name ?? "", {
      patch: { loadBalancer: { ingress: [{ ip: "169.1.1.1" }] } },
      update: { status: { loadBalancer: { ingress: [{ ip: "169.1.1.2" }] } } },
    });
    await removeAll(operations, metadata.name ?? "");
  });
});

area("[sig-network] IngressClass API", () => {
  scenario("should support creating IngressClass API operations", async (world) => {
    await discovered(world, { group: networking, resources: ["ingressclasses"] });
    const { all, unique } = world;
    const ingressClass = (i: number): object => ({
      metadata: { name: `ingressclass${i}-${unique}`, labels: { "special-label": unique } },
      spec: { controller: "example.com/controller" },
    });
    const operations: Operations = {
      objects: all(`${networking}/v1`, "ingressclasses"),
      selection: { labelSelector: `special-label=${unique}` },
      objectsOf: [ingressClass(1), ingressClass(2), ingressClass(3)],
    };
    const { metadata } = await createAndChange(operations);
    await removeAll(operations, metadata.name ?? "");
  });
});

area("[sig-network] ServiceCIDR and IPAddress API", () => {
  scenario("should support ServiceCIDR API operations", async (world) => {
    await discovered(world, { group: networking, resources: ["servicecidrs", "servicecidrs/status"] });
    const { all, unique } = world;
    const cidr = (i: number): object => ({
      metadata: { name: `e2e-${i}-${unique}`, labels: { "special-label": unique } },
      spec: { cidrs: [`203.0.${i}.0/24`] },
    });
    const operations: Operations = {
      objects: all(`${networking}/v1`, "servicecidrs"),
      selection: { labelSelector: `special-label=${unique}` },
      objectsOf: [cidr(113), cidr(114), cidr(115)],
    };
    const { metadata } = await createAndChange(operations);
    const condition = {
      type: "StatusPatch",
      status: "True",
      reason: "E2E",
      message: "Set by e2e test",
      lastTransitionTime: "2026-01-02T03:04:05Z",
    };
    await changeStatus(operations.objects, metadata.name ?? "", {
      patch: { conditions: [condition] },
      update: { condition: { ...condition, type: "StatusUpdate" } },
    });
    await removeAll(operations, metadata.name ?? "");
  });

  scenario("should support IPAddress API operations", async (world) => {
    await discovered(world, { group: networking, resources: ["ipaddresses"] });
    const { all, api, unique } = world;
    const subnet = api.encoding.name === "json" ? "192.0.2" : "198.51.100";
    const address = (i: number): object => ({
      metadata: { name: `${subnet}.${i}`, labels: { "special-label": unique } },
      spec: { parentRef: { resource: "services", name: "my-service", namespace: "default" } },
    });
    const operations: Operations = {
      objects: all(`${networking}/v1`, "ipaddresses"),
      selection: { labelSelector: `special-label=${unique}` },
      objectsOf: [address(1), address(2), address(3)],
    };
    const { metadata } = await createAndChange(operations);
    await removeAll(operations, metadata.name ?? "");
  });
});
