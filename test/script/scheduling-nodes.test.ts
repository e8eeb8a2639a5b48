import assert from "node:assert/strict";
import { type LimitRange, limitRanges } from "#api/core/v1/limit-range.ts";
import { namespaces } from "#api/core/v1/namespace.ts";
import { nodes, type Taint } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { events } from "#api/core/v1/event.ts";
import { runtimeClasses } from "#api/node/v1/runtime-class.ts";
import { area, scenario, type SchedulingWorld } from "./scheduling-world.ts";

function amounts(cpu: string, memory: string, storage: string): Record<string, string> {
  return { ...(cpu && { cpu }), ...(memory && { memory }), ...(storage && { "ephemeral-storage": storage }) };
}

function limitRange(name: string, labels: Record<string, string>): LimitRange {
  const limit = {
    type: "Container",
    min: amounts("50m", "100Mi", "100Gi"),
    max: amounts("500m", "500Mi", "500Gi"),
    default: amounts("500m", "500Mi", "500Gi"),
    defaultRequest: amounts("100m", "200Mi", "200Gi"),
  };
  return { metadata: { name, labels }, spec: { limits: [limit] } };
}

async function createWith(
  { client, namespace }: SchedulingWorld,
  name: string,
  resources: Pod["spec"]["containers"][number]["resources"],
): Promise<Pod> {
  const container = { name: "pause", image: "pause", ...(resources && { resources }) };
  return client.resource(pods).create({ metadata: { name, namespace }, spec: { containers: [container] } });
}

area("[sig-scheduling] LimitRange", () => {
  scenario("should create a LimitRange with defaults and ensure pod has those defaults applied.", async (world) => {
    const { client, namespace } = world;
    const resource = client.resource(limitRanges);
    const labels = { time: world.unique };
    const added = world.until(limitRanges, `${namespace}/limit-range`, () => true);
    const { metadata } = limitRange("limit-range", labels);
    const made = await resource.create({ ...limitRange("limit-range", labels), metadata: { ...metadata, namespace } });
    assert.equal((await added).metadata?.uid, made.metadata?.uid);
    const defaults = { requests: amounts("100m", "200Mi", "200Gi"), limits: amounts("500m", "500Mi", "500Gi") };
    const plain = await createWith(world, "pod-no-resources", undefined);
    assert.deepEqual(plain.spec.containers[0]?.resources, defaults);
    const partial = await createWith(world, "pod-partial-resources", {
      requests: amounts("", "150Mi", "150Gi"),
      limits: amounts("300m", "", ""),
    });
    assert.deepEqual(partial.spec.containers[0]?.resources, {
      requests: amounts("300m", "150Mi", "150Gi"),
      limits: amounts("300m", "500Mi", "500Gi"),
    });
    const small = { requests: amounts("10m", "50Mi", "50Gi") };
    const large = { requests: amounts("600m", "600Mi", "600Gi") };
    await assert.rejects(createWith(world, "pfpod", small), /minimum cpu usage per Container is 50m, but request is 10m/);
    await assert.rejects(createWith(world, "pfpod", large), /must be less than or equal to cpu limit/);
    const [first] = made.spec?.limits ?? [];
    assert.ok(first);
    await resource.update({ ...made, spec: { limits: [{ ...first, min: amounts("9m", "49Mi", "49Gi") }] } });
    await createWith(world, "pfpod", small);
    await assert.rejects(createWith(world, "pfpod1", large));
    await resource.delete(`${namespace}/limit-range`);
    await world.untilGone(limitRanges, `${namespace}/limit-range`);
    await createWith(world, "pfpod2", large);
  });

  scenario("should list, patch and delete a LimitRange by collection", async (world) => {
    const { client, namespace, unique } = world;
    const resource = client.resource(limitRanges);
    const other = `${unique}-other`;
    await client.resource(namespaces).create({ metadata: { name: other }, spec: {} });
    const labels = { "e2e-test": unique, [unique]: "created" };
    for (const where of [namespace, other]) {
      const { metadata, ...rest } = limitRange(unique, labels);
      await resource.create({ ...rest, metadata: { ...metadata, namespace: where } });
    }
    assert.equal((await resource.list({ labelSelector: `e2e-test=${unique}` })).items.length, 2);
    const limits = limitRange(unique, labels).spec?.limits.map((limit) => ({ ...limit, min: amounts("9m", "49Mi", "49Gi") }));
    const body = { metadata: { labels: { [unique]: "patched" } }, spec: { limits } };
    const patched = await resource.patch(`${namespace}/${unique}`, { type: "strategic", body });
    assert.equal(patched.metadata?.labels?.[unique], "patched");
    assert.deepEqual(patched.spec?.limits[0]?.min, amounts("9m", "49Mi", "49Gi"));
    await resource.deleteCollection({ namespace, labelSelector: `${unique}=patched` });
    const left = await resource.list({ labelSelector: `e2e-test=${unique}` });
    assert.deepEqual(left.items.map(({ metadata }) => metadata?.namespace), [other]);
  });
});

area("[sig-architecture] Conformance Tests", () => {
  scenario("should have at least two untainted nodes", async ({ client }) => {
    const { items } = await client.resource(nodes).list();
    const open = items.filter(({ spec }) => (spec?.taints ?? []).length === 0 && spec?.unschedulable !== true);
    assert.ok(open.length >= 2);
  });
});

const evictTaint: Taint = { key: "kubernetes.io/e2e-evict-taint-key", value: "evictTaintVal", effect: "NoExecute" };

async function taint({ client }: SchedulingWorld, node: string, taints: readonly Taint[]): Promise<void> {
  await client.resource(nodes).patch(node, { type: "merge", body: { spec: { taints: taints.length > 0 ? taints : null } } });
}

function tolerating(tolerationSeconds: number) {
  return [{ key: evictTaint.key, operator: "Equal", value: evictTaint.value, effect: "NoExecute", tolerationSeconds }];
}

area("[sig-node] NoExecuteTaintManager", () => {
  scenario("Single Pod [Serial] removing taint cancels eviction [Disruptive]", async (world) => {
    await world.createPod("taint-eviction-4", { tolerations: tolerating(600) });
    const { spec, metadata } = await world.running("taint-eviction-4");
    const node = spec.nodeName ?? "";
    await taint(world, node, [evictTaint]);
    await world.until(nodes, node, (each) => each.spec?.taints?.some(({ key }) => key === evictTaint.key) === true);
    const said = untilEvent(world, metadata?.uid ?? "", "TaintManagerEviction");
    await taint(world, node, []);
    assert.match(await said, /^Cancelling deletion of Pod /);
    assert.equal((await world.podOf("taint-eviction-4"))?.metadata?.deletionTimestamp, undefined);
  });

  scenario("Multiple Pods [Serial] evicts pods with minTolerationSeconds [Disruptive]", async (world) => {
    const label = `kubernetes.io/e2e-${world.unique}`;
    const [node = ""] = world.nodeNames;
    await world.label(node, label, "yes");
    const names = ["taint-eviction-b1", "taint-eviction-b2"];
    for (const [i, name] of names.entries()) {
      // Of several that tolerate the taint the shortest counts.
      const tolerations = [...tolerating(i + 1), ...tolerating(600)];
      await world.createPod(name, { nodeSelector: { [label]: "yes" }, tolerations });
      await world.running(name);
    }
    await taint(world, node, [evictTaint]);
    for (const name of names) await world.untilGone(pods, `${world.namespace}/${name}`);
    await taint(world, node, []);
  });
});

async function untilEvent(world: SchedulingWorld, uid: string, reason: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const look = (event: { involvedObject?: { uid?: string | undefined } | undefined; reason?: string | undefined; message?: string | undefined }): void => {
    if (event.involvedObject?.uid === uid && event.reason === reason) resolve(event.message ?? "");
  };
  const subscription = world.cluster.informers.of(events).subscribe({ onAdd: look, onUpdate: look });
  return promise.finally(() => subscription[Symbol.dispose]());
}

area("[sig-node] RuntimeClass", () => {
  scenario("should schedule a Pod requesting a RuntimeClass without PodOverhead [NodeConformance]", async (world) => {
    await world.client.resource(runtimeClasses).create({ metadata: { name: world.unique }, handler: "test-handler" });
    const pod = await world.createPod("plain", { runtimeClassName: world.unique });
    assert.equal(pod.spec.overhead, undefined);
    assert.ok((await world.running("plain")).spec.nodeName);
  });

  scenario("should schedule a Pod requesting a RuntimeClass and initialize its Overhead [NodeConformance]", async (world) => {
    const podFixed = { cpu: "10m", memory: "1Mi" };
    await world.client
      .resource(runtimeClasses)
      .create({ metadata: { name: world.unique }, handler: "test-handler", overhead: { podFixed } });
    const pod = await world.createPod("with-overhead", { runtimeClassName: world.unique });
    assert.deepEqual(pod.spec.overhead, podFixed);
    await world.running("with-overhead");
  });
});
