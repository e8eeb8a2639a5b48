import assert from "node:assert/strict";
import { at, edited } from "./api.ts";
import { changeStatus } from "./operations.ts";
import { area, scenario } from "./scenario.ts";

area("[sig-api-machinery] Namespaces [Serial]", () => {
  scenario("should patch a Namespace", async ({ all, unique }) => {
    const namespaces = all("v1", "namespaces");
    const name = `nspatchtest-${unique}`;
    await namespaces.create({ metadata: { name } });
    await namespaces.patch(name, { type: "strategic", body: { metadata: { labels: { testLabel: "testValue" } } } });
    assert.equal((await namespaces.get(name)).metadata.labels?.["testLabel"], "testValue");
  });

  scenario("should apply changes to a namespace status", async (world) => {
    const namespaces = world.all("v1", "namespaces");
    const { namespace } = world;
    assert.equal(at(await namespaces.get(namespace, "status"), "status", "phase"), "Active");
    const condition = { type: "StatusPatch", status: "True", reason: "E2E", message: "Patched by an e2e test" };
    const updated = await changeStatus(namespaces, namespace, {
      patch: { conditions: [condition] },
      update: { condition: { ...condition, type: "StatusUpdate", message: "Updated by an e2e test" } },
    });
    assert.equal(at(updated, "status", "phase"), "Active");
  });

  scenario("should apply an update to a Namespace", async ({ all, namespace }) => {
    const namespaces = all("v1", "namespaces");
    const updated = await namespaces.update(edited(await namespaces.get(namespace), { metadata: { labels: { [namespace]: "updated" } } }));
    assert.equal(updated.metadata.labels?.[namespace], "updated");
  });
});
