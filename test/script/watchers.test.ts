import assert from "node:assert/strict";
import { edited, type Objects, type Watch } from "./api.ts";
import type { Event, Thing } from "./encoding.ts";
import { area, scenario } from "./scenario.ts";

const label = "watch-this-configmap";

function labelled(name: string, value: string): object {
  return { metadata: { name, labels: { [label]: value } } };
}

async function setData(maps: Objects, name: string, mutation: string): Promise<Thing> {
  return maps.update(edited(await maps.get(name), { data: { mutation } }));
}

async function setLabel(maps: Objects, name: string, value: string): Promise<Thing> {
  return maps.update(edited(await maps.get(name), { metadata: { labels: { [label]: value } } }));
}

/** The next events, each with the object where one is given: nothing else came between. */
async function expectEvents(watch: Watch, expected: readonly (readonly [type: string, object?: Thing])[]): Promise<Event[]> {
  const seen: Event[] = [];
  for (const [type, object] of expected) {
    const event = await watch.next();
    seen.push(event);
    assert.equal(event.type, type);
    if (object !== undefined) assert.deepEqual(event.object, object);
  }
  return seen;
}

area("[sig-api-machinery] Watchers", () => {
  scenario("should observe add, update, and delete watch notifications on configmaps", async ({ own }) => {
    const maps = own("v1", "configmaps");
    const [valueA, valueB] = ["multiple-watchers-A", "multiple-watchers-B"];
    using watchA = await maps.watch({ labelSelector: `${label}=${valueA}` });
    using watchB = await maps.watch({ labelSelector: `${label}=${valueB}` });
    using watchAB = await maps.watch({ labelSelector: `${label} in (${valueA},${valueB})` });
    const a = "e2e-watch-test-configmap-a";
    const b = "e2e-watch-test-configmap-b";
    const created = await maps.create(labelled(a, valueA));
    const first = await setData(maps, a, "1");
    const second = await setData(maps, a, "2");
    await maps.delete(a);
    const other = await maps.create(labelled(b, valueB));
    await maps.delete(b);
    const ofA = [["ADDED", created], ["MODIFIED", first], ["MODIFIED", second], ["DELETED"]] as const;
    const ofB = [["ADDED", other], ["DELETED"]] as const;
    await expectEvents(watchA, ofA);
    await expectEvents(watchB, ofB);
    await expectEvents(watchAB, [...ofA, ...ofB]);
    // What would have come wrongly comes before this.
    const last = await maps.create(labelled("last", valueA));
    await expectEvents(watchA, [["ADDED", last]]);
  });

  scenario("should be able to start watching from a specific resource version", async ({ own }) => {
    const maps = own("v1", "configmaps");
    const name = "e2e-watch-test-resource-version";
    await maps.create(labelled(name, "from-resource-version"));
    const first = await setData(maps, name, "1");
    const second = await setData(maps, name, "2");
    await maps.delete(name);
    using watch = await maps.watch({
      labelSelector: `${label}=from-resource-version`,
      resourceVersion: first.metadata.resourceVersion ?? "",
    });
    await expectEvents(watch, [["MODIFIED", second], ["DELETED"]]);
  });

  scenario("should be able to restart watching from the last resource version observed by the previous watch", async ({ own }) => {
    const maps = own("v1", "configmaps");
    const name = "e2e-watch-test-watch-closed";
    const labelSelector = `${label}=watch-closed-and-restarted`;
    const broken = await maps.watch({ labelSelector });
    const created = await maps.create(labelled(name, "watch-closed-and-restarted"));
    const first = await setData(maps, name, "1");
    const seen = await expectEvents(broken, [["ADDED", created], ["MODIFIED", first]]);
    broken.close();
    const second = await setData(maps, name, "2");
    using again = await maps.watch({ labelSelector, resourceVersion: seen.at(-1)?.object.metadata.resourceVersion ?? "" });
    await maps.delete(name);
    await expectEvents(again, [["MODIFIED", second], ["DELETED"]]);
  });

  scenario("should observe an object deletion if it stops meeting the requirements of the selector", async ({ own }) => {
    const maps = own("v1", "configmaps");
    const name = "e2e-watch-test-label-changed";
    const value = "label-changed-and-restored";
    using watch = await maps.watch({ labelSelector: `${label}=${value}` });
    const created = await maps.create(labelled(name, value));
    const first = await setData(maps, name, "1");
    const changed = await setLabel(maps, name, "wrong-value");
    const [, , gone] = await expectEvents(watch, [["ADDED", created], ["MODIFIED", first], ["DELETED"]]);
    // The state that matched last, at the revision that ended it.
    assert.equal(gone?.object.metadata.resourceVersion, changed.metadata.resourceVersion);
    assert.equal(gone?.object.metadata.labels?.[label], value);
    await setData(maps, name, "2");
    const restored = await setLabel(maps, name, value);
    const third = await setData(maps, name, "3");
    await maps.delete(name);
    await expectEvents(watch, [["ADDED", restored], ["MODIFIED", third], ["DELETED"]]);
  });

  scenario("should receive events on concurrent watches in same order", async ({ own }) => {
    const maps = own("v1", "configmaps");
    const watchesMax = 100;
    const start = (await maps.list()).metadata.resourceVersion;
    const writing = write(maps, watchesMax);
    using main = await maps.watch({ resourceVersion: start });
    const watches: Watch[] = [];
    const versions: (string | undefined)[] = [];
    let from = start;
    for (let i = 0; i < watchesMax; i++) {
      watches.push(await maps.watch({ resourceVersion: from }));
      from = (await main.next()).object.metadata.resourceVersion ?? "";
      versions.push(from);
    }
    await writing;
    // A watch that began at event i sees event i first, then the same as all others.
    for (const [i, watch] of watches.entries()) {
      const seen = await watch.until(({ object }) => object.metadata.resourceVersion === versions.at(-1));
      assert.deepEqual(seen.map(({ object }) => object.metadata.resourceVersion), versions.slice(i));
      watch.close();
    }
  });
});

/** Creates, updates and deletes a few objects in turn. */
async function write(maps: Objects, count: number): Promise<void> {
  for (let i = 0, next = 0; i < count; i++) {
    const name = `cm-${next}`;
    if (i % 3 === 0) await maps.create({ metadata: { name } });
    else if (i % 3 === 1) await maps.update(edited(await maps.get(name), { data: { value: String(i) } }));
    else await maps.delete(`cm-${next++}`);
  }
}
