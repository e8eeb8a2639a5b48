import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { namespaces } from "#api/core/v1/namespace.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { rootCaPublisher } from "./controller.ts";

test("the CA is published, restored when changed, and made again when deleted", async () => {
  const world = startControllerWorld([rootCaPublisher], { settings: { rootCa: "PEM" } });
  world.seed(namespaces, { metadata: { name: "a" }, spec: {} });
  const key = "a/kube-root-ca.crt";
  const data = () => world.get(configMaps, key)?.data;
  await world.settle();
  assert.deepEqual(data(), { "ca.crt": "PEM" });
  const metadata = world.get(configMaps, key)?.metadata ?? {};
  world.seed(configMaps, { metadata, data: { "ca.crt": "PEM", more: "x" } });
  await world.settle();
  assert.deepEqual(data(), { "ca.crt": "PEM" });
  world.api.remove(configMaps, key);
  await world.settle();
  assert.deepEqual(data(), { "ca.crt": "PEM" });
});
