import assert from "node:assert/strict";
import { at, edited, namesOf, refused } from "./api.ts";
import { change, createAndChange, discovered, type Operations, removeAll } from "./operations.ts";
import { area, scenario } from "./scenario.ts";

area("[sig-node] Node Lifecycle", () => {
  scenario("should run through the lifecycle of a node", async ({ all, unique }) => {
    const nodes = all("v1", "nodes");
    const name = `e2e-fake-node-${unique}`;
    const condition = { status: "True", message: "Set from e2e test", reason: "E2E", type: "Ready" };
    const created = await nodes.create({
      metadata: { name },
      spec: { unschedulable: true },
      status: { phase: "Running", conditions: [condition] },
    });
    assert.equal(created.metadata.name, name);
    assert.equal((await nodes.get(name)).metadata.name, name);
    const patched = await nodes.patch(name, { type: "strategic", body: { metadata: { labels: { [name]: "patched" } } } });
    assert.equal(patched.metadata.labels?.[name], "patched");
    assert.ok(Number(patched.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
    assert.deepEqual(namesOf(await nodes.list({ labelSelector: `${name}=patched` })), [name]);
    const updated = await change(nodes, name, { metadata: { labels: { [name]: "updated" } } });
    assert.equal(updated.metadata.labels?.[name], "updated");
    await nodes.delete(name);
    await refused(nodes.get(name), 404);
  });
});

interface LeaseSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

/** Times a few seconds after Go's zero time, in the year 1. */
function leaseSpec(holder: string, [acquired, renewed, transitions]: readonly [number, number, number]): LeaseSpec {
  const time = (seconds: number): string => `0001-01-01T00:0${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}.000000Z`;
  return {
    holderIdentity: holder,
    leaseDurationSeconds: 30,
    acquireTime: time(acquired),
    renewTime: time(renewed),
    leaseTransitions: transitions,
  };
}

area("[sig-node] Lease", () => {
  scenario("lease API should be available", async ({ own, all }) => {
    const leases = own("coordination.k8s.io/v1", "leases");
    const first = leaseSpec("holder", [2, 5, 0]);
    const created = await leases.create({ metadata: { name: "lease" }, spec: first });
    assert.deepEqual((await leases.get("lease"))["spec"], first);
    const second = leaseSpec("holder2", [20, 50, 1]);
    await leases.update(edited(created, { spec: second }));
    assert.deepEqual((await leases.get("lease"))["spec"], second);
    const third = { ...leaseSpec("holder3", [50, 70, 2]), leaseDurationSeconds: 60 };
    await leases.patch("lease", { type: "strategic", body: { spec: third } });
    assert.deepEqual((await leases.get("lease"))["spec"], third);
    await leases.create({ metadata: { name: "lease2", labels: { deletecollection: "true" } }, spec: first });
    assert.deepEqual(namesOf(await leases.list()), ["lease", "lease2"]);
    await leases.deleteAll({ labelSelector: "deletecollection=true" });
    assert.deepEqual(namesOf(await leases.list()), ["lease"]);
    await leases.delete("lease");
    await refused(leases.get("lease"), 404);
    await all("coordination.k8s.io/v1", "leases").list();
  });
});

area("[sig-node] RuntimeClass", () => {
  scenario("should support RuntimeClasses API operations", async (world) => {
    await discovered(world, { group: "node.k8s.io", resources: ["runtimeclasses"] });
    const { all, unique } = world;
    const runtimeClass = (i: number): object => ({
      metadata: { name: `e2e-example-${i}-${unique}`, labels: { test: unique } },
      handler: "e2e-handler",
    });
    const operations: Operations = {
      objects: all("node.k8s.io/v1", "runtimeclasses"),
      selection: { labelSelector: `test=${unique}` },
      objectsOf: [runtimeClass(1), runtimeClass(2), runtimeClass(3)],
    };
    const changed = await createAndChange(operations);
    assert.equal(at(changed, "handler"), "e2e-handler");
    assert.equal((await refused(operations.objects.create(runtimeClass(3)), 409)).reason, "AlreadyExists");
    await removeAll(operations, changed.metadata.name ?? "");
  });
});
