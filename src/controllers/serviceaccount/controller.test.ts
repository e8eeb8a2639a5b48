import assert from "node:assert/strict";
import { test } from "node:test";
import { namespaces } from "#api/core/v1/namespace.ts";
import { serviceAccounts } from "#api/core/v1/service-account.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { serviceAccountController } from "./controller.ts";

test("every active namespace gets a default account, again when it is deleted", async () => {
  const world = startControllerWorld([serviceAccountController]);
  world.seed(namespaces, { metadata: { name: "a" }, spec: {}, status: { phase: "Active" } });
  world.seed(namespaces, { metadata: { name: "b" }, spec: {}, status: { phase: "Terminating" } });
  await world.settle();
  const names = () =>
    world.list(serviceAccounts).map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
  assert.deepEqual(names(), ["a/default"]);
  world.api.remove(serviceAccounts, "a/default");
  await world.settle();
  assert.deepEqual(names(), ["a/default"]);
});
