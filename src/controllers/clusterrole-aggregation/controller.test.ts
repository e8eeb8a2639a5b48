import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClusterRole, clusterRoles } from "#api/rbac/v1/cluster-role.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { clusterRoleAggregationController } from "./controller.ts";

function role(name: string, verb: string, label = "admin"): ClusterRole {
  return {
    metadata: { name, labels: { to: label } },
    rules: [{ verbs: [verb], apiGroups: [""], resources: ["pods"] }],
  };
}

test("the rules of selected roles are gathered, each once, and follow changes", async () => {
  const world = startControllerWorld([clusterRoleAggregationController]);
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { to: "admin" } }] };
  world.seed(clusterRoles, { metadata: { name: "admin" }, rules: [], aggregationRule });
  for (const each of [
    role("b", "get"),
    role("a", "list"),
    role("c", "get"),
    role("d", "delete", "other"),
  ])
    world.seed(clusterRoles, each);
  const verbs = () => (world.get(clusterRoles, "admin")?.rules ?? []).flatMap((rule) => rule.verbs);
  await world.settle();
  assert.deepEqual(verbs(), ["list", "get"]);
  world.api.remove(clusterRoles, "a");
  await world.settle();
  assert.deepEqual(verbs(), ["get"]);
});
