import assert from "node:assert/strict";
import { at, edited, namesOf, type Objects } from "./api.ts";
import type { Thing } from "./encoding.ts";
import { area, scenario } from "./scenario.ts";

function coreEvent(name: string, namespace: string, label: string): object {
  return {
    metadata: { name, labels: { [label]: "true" } },
    message: `This is ${name}`,
    reason: "Test",
    type: "Normal",
    count: 1,
    involvedObject: { namespace },
  };
}

function event(name: string, namespace: string, label: string): object {
  return {
    metadata: { name, labels: { [label]: "true" } },
    regarding: { namespace },
    eventTime: "2017-09-19T13:49:16.000000Z",
    note: `This is ${name}`,
    action: "Do",
    reason: "Test",
    type: "Normal",
    reportingController: "test-controller",
    reportingInstance: "test-node",
  };
}

/** The object but for what every write changes. */
function settled({ metadata, ...rest }: Thing): object {
  const { resourceVersion: _version, managedFields: _managers, ...others } = metadata;
  return { ...rest, metadata: others };
}

async function goesAsCollection(events: Objects, of: (name: string) => object): Promise<void> {
  const names = ["test-event-1", "test-event-2", "test-event-3"];
  const selection = { labelSelector: "testevent-set=true" };
  for (const name of names) await events.create(of(name));
  assert.deepEqual(namesOf(await events.list(selection)), names);
  await events.deleteAll(selection);
  assert.deepEqual(namesOf(await events.list(selection)), []);
}

area("[sig-instrumentation] Events", () => {
  scenario("should manage the lifecycle of an event", async ({ own, all, namespace, unique }) => {
    const events = own("v1", "events");
    const selection = { labelSelector: `${unique}=true` };
    const name = "event-test";
    await events.create(coreEvent(name, namespace, unique));
    assert.deepEqual(namesOf(await all("v1", "events").list(selection)), [name]);
    const message = "This is a test event - patched";
    await events.patch(name, { type: "strategic", body: { message } });
    const patched = await events.get(name);
    assert.equal(patched["message"], message);
    const series = { count: 100, lastObservedTime: "2017-09-19T13:49:16.000000Z" };
    await events.update(edited(patched, { series }));
    const updated = await events.get(name);
    assert.deepEqual(settled(updated), { ...settled(patched), series });
    await events.delete(name);
    assert.deepEqual(namesOf(await all("v1", "events").list(selection)), []);
  });

  scenario("should delete a collection of events", ({ own, namespace }) =>
    goesAsCollection(own("v1", "events"), (name) => coreEvent(name, namespace, "testevent-set")));
});

area("[sig-instrumentation] Events API", () => {
  scenario("should ensure that an event can be fetched, patched, deleted, and listed", async ({ own, all, namespace, unique }) => {
    const events = own("events.k8s.io/v1", "events");
    const everywhere = all("events.k8s.io/v1", "events");
    const selection = { labelSelector: `${unique}=true` };
    const name = "event-test";
    await events.create(event(name, namespace, unique));
    assert.deepEqual(namesOf(await everywhere.list(selection)), [name]);
    assert.deepEqual(namesOf(await events.list(selection)), [name]);
    assert.deepEqual(namesOf(await own("v1", "events").list({ fieldSelector: "source=test-controller" })), [name]);
    assert.deepEqual(namesOf(await events.list({ fieldSelector: "reportingController=test-controller" })), [name]);
    const created = await events.get(name);
    const note = "This is a test event - patched";
    await events.patch(name, { type: "strategic", body: { note } });
    const patched = await events.get(name);
    assert.deepEqual(settled(patched), { ...settled(created), note });
    const series = { count: 100, lastObservedTime: "2017-09-19T13:49:16.000000Z" };
    await events.update(edited(patched, { series }));
    assert.deepEqual(settled(await events.get(name)), { ...settled(patched), series });
    assert.equal(at(await own("v1", "events").get(name), "message"), note);
    await events.delete(name);
    assert.deepEqual(namesOf(await everywhere.list(selection)), []);
    assert.deepEqual(namesOf(await events.list(selection)), []);
  });

  scenario("should delete a collection of events", ({ own, namespace }) =>
    goesAsCollection(own("events.k8s.io/v1", "events"), (name) => event(name, namespace, "testevent-set")));
});
