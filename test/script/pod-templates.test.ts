import assert from "node:assert/strict";
import { at, edited, namesOf, type Objects, refused, type ThingList } from "./api.ts";
import { area, scenario, type World } from "./scenario.ts";

const template = { spec: { containers: [{ name: "nginx", image: "nginx:1" }] } };

area("[sig-node] PodTemplates", () => {
  scenario("should run the lifecycle of PodTemplates", async ({ own, all, unique }) => {
    const templates = own("v1", "podtemplates");
    const selection = { labelSelector: `podtemplate-static=${unique}` };
    const name = "nginx-pod-template";
    const created = await templates.create({ metadata: { name, labels: { "podtemplate-static": unique } }, template });
    assert.deepEqual(namesOf(await all("v1", "podtemplates").list(selection)), [name]);
    const body = { metadata: { labels: { podtemplate: "patched" } } };
    const patched = await templates.patch(name, { type: "strategic", body });
    assert.ok(Number(patched.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
    assert.equal((await templates.get(name)).metadata.labels?.["podtemplate"], "patched");
    await templates.delete(name);
    await refused(templates.get(name), 404);
    assert.deepEqual(namesOf(await all("v1", "podtemplates").list(selection)), []);
  });

  scenario("should delete a collection of pod templates", async ({ own }) => {
    const templates = own("v1", "podtemplates");
    const selection = { labelSelector: "podtemplate-set=true" };
    const names = ["test-podtemplate-1", "test-podtemplate-2", "test-podtemplate-3"];
    for (const name of names) await templates.create({ metadata: { name, labels: { "podtemplate-set": "true" } }, template });
    assert.deepEqual(namesOf(await templates.list(selection)), names);
    await templates.deleteAll(selection);
    assert.deepEqual(namesOf(await templates.list(selection)), []);
  });

  scenario("should replace a pod template", async ({ own }) => {
    const templates = own("v1", "podtemplates");
    const name = "podtemplate";
    await templates.create({ metadata: { name, labels: { "podtemplate-static": "true" } }, template });
    const gotten = await templates.get(name);
    const updated = await templates.update(edited(gotten, { metadata: { annotations: { updated: "true" } } }));
    assert.equal(updated.metadata.annotations?.["updated"], "true");
    assert.ok(Number(updated.metadata.resourceVersion) > Number(gotten.metadata.resourceVersion));
  });
});

const total = 400;
const writersMax = 20;

async function createMany({ own }: World): Promise<Objects> {
  const templates = own("v1", "podtemplates");
  const names = Array.from({ length: total }, (_, i) => `template-${String(i).padStart(4, "0")}`);
  for (let i = 0; i < total; i += writersMax) {
    const batch = names.slice(i, i + writersMax);
    await Promise.all(batch.map((name) => templates.create({ metadata: { name }, template })));
  }
  return templates;
}

/** Checks a page that begins at item `found`; returns where the next begins. */
function checkPage({ metadata, items }: ThingList, found: number, limit: number): number {
  assert.ok(items.length <= limit);
  assert.deepEqual(
    items.map((item) => item.metadata.name),
    items.map((_, i) => `template-${String(found + i).padStart(4, "0")}`),
  );
  const left = total - found - items.length;
  assert.equal(metadata.remainingItemCount, metadata.continue ? left : undefined);
  assert.equal(left === 0, !metadata.continue);
  return found + items.length;
}

/** Reads on from a page to the end: all at one revision. */
async function readOn(templates: Objects, first: ThingList, found: number, limits: readonly number[]): Promise<void> {
  let page = first;
  for (let i = 0; page.metadata.continue; i++) {
    const limit = limits[i % limits.length] ?? 1;
    page = await templates.list({ limit, continue: page.metadata.continue });
    assert.equal(page.metadata.resourceVersion, first.metadata.resourceVersion);
    found = checkPage(page, found, limit);
  }
  assert.equal(found, total);
}

area("[sig-api-machinery] Servers with support for API chunking", () => {
  scenario("should return chunks of results for list calls", async (world) => {
    const templates = await createMany(world);
    for (const limits of [[40, 1, 17], [33], [7, 40]]) {
      const [limit = 1] = limits;
      const first = await templates.list({ limit });
      // Another write does not show in the pages that follow.
      await templates.patch("template-0399", { type: "merge", body: { metadata: { annotations: { seen: String(limit) } } } });
      await readOn(templates, first, checkPage(first, 0, limit), limits);
    }
    assert.equal((await templates.list({ limit: total + 1 })).items.length, total);
  });

  scenario(
    "should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent [Slow]",
    async (world) => {
      const templates = await createMany(world);
      const limit = total / 10;
      const first = await templates.list({ limit });
      checkPage(first, 0, limit);
      await templates.patch("template-0399", { type: "merge", body: { metadata: { annotations: { newer: "true" } } } });
      const store = world.server.running.api.server.table.find("", "v1", "podtemplates")?.storage.store;
      await store?.compact(store.revision);
      const expired = await refused(templates.list({ limit, continue: first.metadata.continue ?? "" }), 410);
      assert.equal(expired.reason, "Expired");
      const token = String(at(expired, "metadata", "continue") ?? "");
      assert.notEqual(token, "");
      const second = await templates.list({ limit, continue: token });
      assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion);
      assert.equal(second.items.length, limit);
      await readOn(templates, second, checkPage(second, limit, limit), [limit]);
    },
  );
});
