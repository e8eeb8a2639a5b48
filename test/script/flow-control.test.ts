import assert from "node:assert/strict";
import { at, edited } from "./api.ts";
import { changeStatus, createAndChange, discovered, type Operations, removeAll } from "./operations.ts";
import { area, scenario, type World } from "./scenario.ts";

const group = "flowcontrol.apiserver.k8s.io";

const schema = {
  priorityLevelConfiguration: { name: "global-default" },
  matchingPrecedence: 10_000,
  distinguisherMethod: { type: "ByUser" },
  rules: [
    {
      subjects: [{ kind: "User", user: { name: "example-e2e-flow-schema" } }],
      nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
    },
  ],
};

const level = {
  type: "Limited",
  limited: { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } },
};

async function supports(world: World, plural: string, [spec, patch]: readonly [spec: object, patch: object]): Promise<void> {
  await discovered(world, { group, resources: [plural, `${plural}/status`] });
  const object = { metadata: { generateName: "e2e-example-", labels: { "example-e2e-label": world.unique } }, spec };
  const operations: Operations = {
    objects: world.all(`${group}/v1`, plural),
    selection: { labelSelector: `example-e2e-label=${world.unique}` },
    objectsOf: [object, object, object],
  };
  const changed = await createAndChange(operations);
  const name = changed.metadata.name ?? "";
  assert.equal(changed.metadata.generation, 1);
  const patched = await operations.objects.patch(name, { type: "merge", body: { spec: patch } });
  assert.deepEqual(at(edited(patched, { spec: patch }), "spec"), patched["spec"]);
  assert.equal(patched.metadata.generation, 2);
  const condition = { type: "PatchStatusFailed", status: "True", reason: "e2e" };
  await changeStatus(operations.objects, name, {
    patch: { conditions: [condition] },
    update: { condition: { type: "StatusUpdateFailed", status: "True", reason: "E2E", message: "Set from an e2e test" } },
  });
  await removeAll(operations, name);
}

area("[sig-api-machinery] API priority and fairness", () => {
  scenario("should support FlowSchema API operations", (world) =>
    supports(world, "flowschemas", [schema, { matchingPrecedence: 9999 }]));

  scenario("should support PriorityLevelConfiguration API operations", (world) =>
    supports(world, "prioritylevelconfigurations", [level, { limited: { nominalConcurrencyShares: 4 } }]));
});
