import assert from "node:assert/strict";
import { test } from "node:test";
import { ipAddresses } from "#api/networking/v1/ip-address.ts";
import { serviceCidrs } from "#api/networking/v1/service-cidr.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { serviceCidrController } from "./controller.ts";

test("a range becomes ready, and stays until its last address is gone", async () => {
  const world = startControllerWorld([serviceCidrController]);
  world.seed(serviceCidrs, { metadata: { name: "extra" }, spec: { cidrs: ["10.9.0.0/24"] } });
  const labels = { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" };
  world.seed(ipAddresses, { metadata: { name: "10.9.0.7", labels }, spec: {} });
  await world.settle();
  const ready = () => world.get(serviceCidrs, "extra")?.status?.conditions?.map(({ status, reason }) => `${status} ${reason}`);
  assert.deepEqual(ready(), ["True "]);
  assert.deepEqual(world.get(serviceCidrs, "extra")?.metadata.finalizers, ["networking.k8s.io/service-cidr-finalizer"]);
  await world.client.resource(serviceCidrs).delete("extra");
  await world.settle(60_000);
  assert.deepEqual(ready(), ["False Terminating"]);
  world.api.remove(ipAddresses, "10.9.0.7");
  await world.settle(20_000);
  assert.equal(world.get(serviceCidrs, "extra"), undefined);
  assert.deepEqual(world.errors, []);
});

test("a range within another one may go at once", async () => {
  const world = startControllerWorld([serviceCidrController]);
  world.seed(serviceCidrs, { metadata: { name: "all" }, spec: { cidrs: ["10.0.0.0/8"] } });
  world.seed(serviceCidrs, { metadata: { name: "part" }, spec: { cidrs: ["10.9.0.0/24"] } });
  const labels = { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" };
  world.seed(ipAddresses, { metadata: { name: "10.9.0.7", labels }, spec: {} });
  await world.settle();
  await world.client.resource(serviceCidrs).delete("part");
  await world.settle(5_000);
  assert.notEqual(world.get(serviceCidrs, "part"), undefined);
  await world.settle(8_000);
  assert.equal(world.get(serviceCidrs, "part"), undefined);
});
