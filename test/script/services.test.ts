import assert from "node:assert/strict";
import { at, namesOf } from "./api.ts";
import { changeStatus } from "./operations.ts";
import { area, scenario } from "./scenario.ts";

area("[sig-network] Services", () => {
  scenario("should find a service from listing all namespaces", async ({ all }) => {
    const { items } = await all("v1", "services").list();
    assert.ok(items.some(({ metadata }) => metadata.name === "kubernetes" && metadata.namespace === "default"));
  });

  scenario("should complete a service status lifecycle", async ({ own, all, unique }) => {
    const services = own("v1", "services");
    const selection = { labelSelector: `test-service-static=${unique}` };
    const name = "test-service";
    const { metadata } = await all("v1", "services").list(selection);
    using watch = await services.watch({ ...selection, resourceVersion: metadata.resourceVersion });
    const created = await services.create({
      metadata: { name, labels: { "test-service-static": unique } },
      spec: {
        type: "LoadBalancer",
        loadBalancerClass: "example.com/internal-vip",
        ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 80 }],
      },
    });
    assert.deepEqual(await watch.next(), { type: "ADDED", object: created });
    assert.deepEqual(namesOf(await all("v1", "services").list(selection)), [name]);
    const gotten = await services.get(name, "status");
    assert.deepEqual(at(gotten, "status"), { loadBalancer: {} });
    const condition = {
      type: "StatusUpdate",
      status: "True",
      reason: "E2E",
      message: "Set from e2e test",
      lastTransitionTime: "2026-01-02T03:04:05Z",
    };
    const updated = await changeStatus(services, name, {
      patch: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } },
      update: { condition },
    });
    const patchedEvent = await watch.next();
    assert.equal(patchedEvent.type, "MODIFIED");
    assert.equal(patchedEvent.object.metadata.annotations?.["patchedstatus"], "true");
    assert.equal(at(patchedEvent.object, "status", "loadBalancer", "ingress", 0, "ip"), "203.0.113.1");
    assert.deepEqual(await watch.next(), { type: "MODIFIED", object: updated });
    await services.patch(name, { type: "strategic", body: { metadata: { labels: { "test-service": "patched" } } } });
    const labelled = await watch.next();
    assert.equal(labelled.object.metadata.labels?.["test-service"], "patched");
    await services.delete(name);
    assert.equal((await watch.next()).type, "DELETED");
  });

  scenario("should delete a collection of services", async ({ own }) => {
    const services = own("v1", "services");
    const rows = [
      ["e2e-svc-a", "set", 8001],
      ["e2e-svc-b", "set", 8002],
      ["e2e-svc-c", "other", 8003],
    ] as const;
    for (const [name, value, port] of rows) {
      await services.create({
        metadata: { name, labels: { "test-svc": value } },
        spec: { selector: { app: "none" }, ports: [{ name: "http", protocol: "TCP", port, targetPort: port }] },
      });
    }
    assert.deepEqual(
      namesOf(await services.list()),
      rows.map(([name]) => name),
    );
    await services.deleteAll({ labelSelector: "test-svc=set" });
    assert.deepEqual(namesOf(await services.list()), ["e2e-svc-c"]);
  });
});
