import assert from "node:assert/strict";
import { namesOf, type Objects, refused } from "./api.ts";
import { change, createAndChange, discovered, type Operations, removeAll } from "./operations.ts";
import { area, scenario } from "./scenario.ts";

const storage = "storage.k8s.io/v1";

/** Patches a label, finds the object by it, updates it. Returns the selection of the last state. */
async function relabel(objects: Objects, name: string): Promise<Readonly<Record<string, string>>> {
  assert.equal((await objects.get(name)).metadata.name, name);
  const created = await objects.get(name);
  const patched = await objects.patch(name, { type: "strategic", body: { metadata: { labels: { [name]: "patched" } } } });
  assert.equal(patched.metadata.labels?.[name], "patched");
  assert.ok(Number(patched.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
  assert.deepEqual(namesOf(await objects.list({ labelSelector: `${name}=patched` })), [name]);
  const updated = await change(objects, name, { metadata: { labels: { [name]: "updated" } } });
  assert.equal(updated.metadata.labels?.[name], "updated");
  return { labelSelector: `${name}=updated` };
}

/** A first object that goes by name, and its replacement that goes as a collection. */
async function runsThroughLifecycle(
  objects: Objects,
  spec: { readonly names: readonly [string, string]; of(name: string): object },
): Promise<void> {
  const [first, second] = spec.names;
  await objects.create(spec.of(first));
  await relabel(objects, first);
  await objects.delete(first);
  await refused(objects.get(first), 404);
  await objects.create(spec.of(second));
  await objects.deleteAll(await relabel(objects, second));
  await refused(objects.get(second), 404);
}

area("[sig-storage] CSIInlineVolumes", () => {
  scenario("should run through the lifecycle of a CSIDriver", async ({ all, unique }) => {
    const drivers = all(storage, "csidrivers");
    const selection = { labelSelector: `e2e-test=${unique}` };
    const names = [`inline-driver-a-${unique}`, `inline-driver-b-${unique}`] as const;
    const modes = [["Ephemeral"], ["Persistent", "Ephemeral"]];
    for (const [i, name] of names.entries()) {
      const driver = {
        metadata: { name, labels: { "e2e-test": unique } },
        spec: { volumeLifecycleModes: modes[i], fsGroupPolicy: "ReadWriteOnceWithFSType" },
      };
      const created = await drivers.create(driver);
      assert.deepEqual(created["spec"], {
        attachRequired: true,
        podInfoOnMount: false,
        storageCapacity: false,
        requiresRepublish: false,
        seLinuxMount: false,
        ...driver.spec,
      });
      assert.equal((await refused(drivers.create(driver), 409)).reason, "AlreadyExists");
      assert.equal((await drivers.get(name)).metadata.uid, created.metadata.uid);
    }
    const updated = await relabel(drivers, names[1]);
    assert.deepEqual(namesOf(await drivers.list(selection)), names);
    await drivers.delete(names[0]);
    await refused(drivers.get(names[0]), 404);
    await drivers.deleteAll(updated);
    await refused(drivers.get(names[1]), 404);
  });
});

area("[sig-storage] CSINodes CSI Conformance", () => {
  scenario("should run through the lifecycle of a csinode", ({ all, unique }) =>
    runsThroughLifecycle(all(storage, "csinodes"), {
      names: [`initial-${unique}`, `replacement-${unique}`],
      // As Go writes a node that no driver has come to.
      of: (name) => ({ metadata: { name }, spec: { drivers: null } }),
    }),
  );
});

area("[sig-storage] StorageClasses CSI Conformance", () => {
  scenario("should run through the lifecycle of a StorageClass", ({ all, unique }) =>
    runsThroughLifecycle(all(storage, "storageclasses"), {
      names: [`initial-${unique}`, `replacement-${unique}`],
      of: (name) => ({
        metadata: { name },
        provisioner: "e2e-fake-provisioner",
        reclaimPolicy: "Delete",
        volumeBindingMode: "WaitForFirstConsumer",
      }),
    }),
  );
});

area("[sig-storage] CSIStorageCapacity", () => {
  scenario("should support CSIStorageCapacities API operations", async (world) => {
    await discovered(world, { group: "storage.k8s.io", resources: ["csistoragecapacities"] });
    const { own, all, unique } = world;
    const capacity = {
      metadata: { generateName: "e2e-example", labels: { test: unique } },
      storageClassName: "e2e-example-class",
      capacity: "100Gi",
      nodeTopology: { matchLabels: { zone: "a" } },
    };
    const operations: Operations = {
      objects: own(storage, "csistoragecapacities"),
      everywhere: all(storage, "csistoragecapacities"),
      selection: { labelSelector: `test=${unique}` },
      objectsOf: [capacity, capacity, capacity],
    };
    const { metadata } = await createAndChange(operations);
    await refused(operations.objects.create({ ...capacity, metadata: { name: metadata.name } }), 409);
    await removeAll(operations, metadata.name ?? "");
  });
});
