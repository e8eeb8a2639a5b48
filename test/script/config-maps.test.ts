import assert from "node:assert/strict";
import { at, edited, namesOf, type Objects, refused } from "./api.ts";
import { area, scenario, type World } from "./scenario.ts";

area("[sig-node] ConfigMap", () => {
  scenario("should fail to create ConfigMap with empty key", async ({ own }) => {
    const maps = own("v1", "configmaps");
    await refused(maps.create({ metadata: { name: "configmap-test-emptyKey" }, data: { "": "value-1" } }), 422);
    const status = await refused(maps.create({ metadata: { name: "configmap-test-empty-key" }, data: { "": "value-1" } }), 422);
    assert.match(status.message ?? "", /data\[\]: Invalid value: "": a valid config key must consist of/);
  });

  scenario("should update ConfigMap successfully [NodeConformance]", async ({ own }) => {
    const maps = own("v1", "configmaps");
    const metadata = { name: "configmap-test" };
    await maps.create({ metadata, data: { "data-1": "value-1", "data-2": "value-2" } });
    const data = { data: "value" };
    // Without a resourceVersion: whatever is there is replaced.
    await maps.update({ metadata, data });
    assert.deepEqual((await maps.get("configmap-test"))["data"], data);
  });

  scenario("should run through a ConfigMap lifecycle", async ({ own, all }) => {
    const maps = own("v1", "configmaps");
    const selection = { labelSelector: "test-configmap-static=true" };
    const { metadata } = await maps.list(selection);
    using watch = await maps.watch({ ...selection, resourceVersion: metadata.resourceVersion });
    const name = "test-configmap";
    const labels = { "test-configmap-static": "true" };
    const created = await maps.create({ metadata: { name, labels }, data: { valueName: "value" } });
    assert.deepEqual(await watch.next(), { type: "ADDED", object: created });
    await maps.patch(name, {
      type: "strategic",
      // Go prints a time that is not set.
      body: { metadata: { creationTimestamp: null, labels: { "test-configmap": "patched" } }, data: { valueName: "value1" } },
    });
    const { type, object } = await watch.next();
    assert.equal(type, "MODIFIED");
    assert.equal(object.metadata.labels?.["test-configmap"], "patched");
    assert.equal(object.metadata["creationTimestamp"], created.metadata["creationTimestamp"]);
    const fetched = await maps.get(name);
    assert.equal(at(fetched, "data", "valueName"), "value1");
    assert.equal(fetched.metadata.labels?.["test-configmap"], "patched");
    const { items } = await all("v1", "configmaps").list({ labelSelector: "test-configmap=patched" });
    const found = items.find((item) => item.metadata.namespace === fetched.metadata.namespace);
    assert.equal(at(found, "data", "valueName"), "value1");
    await maps.deleteAll(selection);
    assert.equal((await watch.next()).type, "DELETED");
    assert.deepEqual(namesOf(await maps.list(selection)), []);
  });
});

area("[sig-node] Secrets", () => {
  scenario("should fail to create secret due to empty secret key", async ({ own }) => {
    const secret = { metadata: { name: "secret-emptykey-test" }, data: { "": "dmFsdWUtMQo=" } };
    await refused(own("v1", "secrets").create(secret), 422);
  });

  scenario("should patch a secret", async ({ own, all, unique }) => {
    const secrets = own("v1", "secrets");
    const selection = { labelSelector: `testsecret-constant=${unique}` };
    const name = `test-secret-${unique}`;
    const labels = { "testsecret-constant": unique };
    await secrets.create({ metadata: { name, labels }, data: { key: "dmFsdWU=" }, type: "Opaque" });
    assert.deepEqual(namesOf(await all("v1", "secrets").list(selection)), [name]);
    await secrets.patch(name, {
      type: "strategic",
      body: { metadata: { labels: { testsecret: "true" } }, data: { key: "dmFsdWUx" } },
    });
    const secret = await secrets.get(name);
    assert.deepEqual(secret["data"], { key: "dmFsdWUx" });
    assert.equal(secret.metadata.labels?.["testsecret"], "true");
    await secrets.deleteAll({ labelSelector: "testsecret=true" });
    assert.deepEqual(namesOf(await all("v1", "secrets").list(selection)), []);
  });
});

/** The same rules for both kinds: once immutable, data stays as it is; metadata does not. */
async function becomesImmutable({ own }: World, plural: string, [one, two]: readonly [string, string]): Promise<void> {
  const objects: Objects = own("v1", plural);
  const name = "immutable";
  await objects.create({ metadata: { name }, data: { "data-1": one } });
  const update = async (patch: object): Promise<unknown> => objects.update(edited(await objects.get(name), patch));
  await update({ data: { "data-4": two } });
  await update({ immutable: true });
  const changed = await refused(update({ data: { "data-1": two } }), 422);
  assert.match(changed.message ?? "", /data: Forbidden: field is immutable when `immutable` is set/);
  await refused(update({ data: { "data-1": null } }), 422);
  for (const immutable of [false, null]) {
    const back = await refused(update({ immutable }), 422);
    assert.match(back.message ?? "", /immutable: Forbidden: field is immutable when `immutable` is set/);
  }
  await update({ metadata: { labels: { label1: "value1" } } });
  assert.deepEqual((await objects.get(name))["data"], { "data-1": one, "data-4": two });
  await objects.delete(name);
  await refused(objects.get(name), 404);
}

area("[sig-storage] ConfigMap", () => {
  scenario("should be immutable if `immutable` field is set", (world) =>
    becomesImmutable(world, "configmaps", ["value-1", "value-4"]),
  );
});

area("[sig-storage] Secrets", () => {
  scenario("should be immutable if `immutable` field is set", (world) =>
    becomesImmutable(world, "secrets", ["dmFsdWUtMQ==", "dmFsdWUtNA=="]),
  );
});
