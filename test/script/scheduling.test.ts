import assert from "node:assert/strict";
import { replicaSets } from "#api/apps/v1/replica-set.ts";
import { nodes } from "#api/core/v1/node.ts";
import { pods } from "#api/core/v1/pod.ts";
import { type PriorityClass, priorityClasses } from "#api/scheduling/v1/priority-class.ts";
import { isAlreadyExists } from "#apimachinery/status.ts";
import { area, scenario, type SchedulingWorld } from "./scheduling-world.ts";

const fake = "scheduling.k8s.io/foo";

/** Upstream's test of the scheduler tell pods that found no node by this condition. */
async function assertUnscheduled(world: SchedulingWorld, name: string, message: string): Promise<void> {
  const { note } = await world.failed(name);
  assert.equal(note, message);
  const pod = await world.until(
    pods,
    `${world.namespace}/${name}`,
    ({ status }) => status?.conditions?.some(({ type }) => type === "PodScheduled") === true,
  );
  const condition = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  assert.deepEqual([condition?.status, condition?.reason, condition?.message], ["False", "Unschedulable", message]);
  assert.equal(pod.spec.nodeName ?? "", "");
}

function onNode(name: string) {
  const matchFields = [{ key: "metadata.name", operator: "In", values: [name] }];
  return {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } },
  };
}

const preempts = "preemption: 0/3 nodes are available:";

area("[sig-scheduling] SchedulerPredicates [Serial]", () => {
  scenario("validates resource limits of pods that are allowed to run", async (world) => {
    const { nodeNames } = world;
    for (const name of nodeNames) {
      await world.label(name, "node", name);
      const { status } = await world.client.resource(nodes).get(name);
      const cpu = Number(status?.allocatable?.["cpu"]);
      const term = { matchExpressions: [{ key: "node", operator: "In", values: [name] }] };
      const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } };
      await world.createPod(`filler-${name}`, { requests: { cpu: `${cpu * 700}m` }, affinity: { nodeAffinity: required } });
    }
    const placed = await Promise.all(nodeNames.map((name) => world.running(`filler-${name}`)));
    assert.deepEqual(
      placed.map(({ spec }) => spec.nodeName),
      nodeNames,
    );
    await world.createPod("additional-pod", { requests: { cpu: "16" } });
    await assertUnscheduled(
      world,
      "additional-pod",
      `0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, ${preempts} 3 No preemption victims found for incoming pod.`,
    );
  });

  scenario("validates that NodeSelector is respected if not matching", async (world) => {
    await world.createPod("restricted-pod", { nodeSelector: { label: "nonempty" } });
    await assertUnscheduled(
      world,
      "restricted-pod",
      "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. " +
        `no new claims to deallocate, ${preempts} 3 Preemption is not helpful for scheduling.`,
    );
  });

  scenario("validates that NodeSelector is respected if matching", async (world) => {
    const [, name = ""] = world.nodeNames;
    await world.label(name, `kubernetes.io/e2e-${world.unique}`, "42");
    await world.createPod("with-labels", { nodeSelector: { [`kubernetes.io/e2e-${world.unique}`]: "42" } });
    const pod = await world.running("with-labels");
    assert.equal(pod.spec.nodeName, name);
  });

  scenario(
    "validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP",
    async (world) => {
      const [name = ""] = world.nodeNames;
      const nodeSelector = { [`kubernetes.io/e2e-${world.unique}`]: "95" };
      await world.label(name, `kubernetes.io/e2e-${world.unique}`, "95");
      const port = { containerPort: 8080, hostPort: 54322, protocol: "TCP" };
      await world.createPod("pod4", { nodeSelector, ports: [port] });
      await world.running("pod4");
      const hostIP = (await world.client.resource(nodes).get(name)).status?.addresses?.[0]?.address ?? "";
      await world.createPod("pod5", { nodeSelector, ports: [{ ...port, hostIP }] });
      await assertUnscheduled(
        world,
        "pod5",
        "0/3 nodes are available: 1 node(s) didn't have free ports for the requested pod ports, " +
          "2 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, " +
          `${preempts} 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.`,
      );
    },
  );
});

async function ensureClass(world: SchedulingWorld, name: string, value: number): Promise<PriorityClass | undefined> {
  try {
    return await world.client.resource(priorityClasses).create({ metadata: { name }, value });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return undefined;
  }
}

/** A pod on each node that takes two thirds of a resource; the first of low priority, the others medium. */
async function fillNodes(world: SchedulingWorld): Promise<string[]> {
  await ensureClass(world, "low", 1);
  await ensureClass(world, "medium", 100);
  await ensureClass(world, "high", 1000);
  const names: string[] = [];
  for (const [i, nodeName] of world.nodeNames.entries()) {
    await world.offer(nodeName, fake, "3");
    const priorityClassName = i === 0 ? "low" : "medium";
    await world.createPod(`pod${i}`, { priorityClassName, requests: { [fake]: "2" }, affinity: onNode(nodeName) });
    names.push(`pod${i}`);
  }
  for (const name of names) await world.running(name);
  return names;
}

async function assertOnlyFirstLeft(world: SchedulingWorld, [first = "", ...others]: readonly string[]): Promise<void> {
  const victim = await world.podOf(first);
  assert.ok(victim === undefined || victim.metadata?.deletionTimestamp !== undefined, `${first} was not preempted`);
  for (const name of others) assert.equal((await world.podOf(name))?.metadata?.deletionTimestamp, undefined, name);
}

area("[sig-scheduling] SchedulerPreemption [Serial]", () => {
  scenario("validates basic preemption works", async (world) => {
    const names = await fillNodes(world);
    await world.createPod("preemptor-pod", { priorityClassName: "high", requests: { [fake]: "2" } });
    const preemptor = await world.running("preemptor-pod");
    assert.equal(preemptor.spec.nodeName, world.nodeNames[0]);
    assert.equal(preemptor.status?.nominatedNodeName, undefined);
    await assertOnlyFirstLeft(world, names);
  });

  scenario("validates lower priority pod preemption by critical pod", async (world) => {
    const names = await fillNodes(world);
    const priorityClassName = "system-cluster-critical";
    await world.createPod("critical-pod", { namespace: "kube-system", priorityClassName, requests: { [fake]: "2" } });
    const { spec } = await world.running("critical-pod", "kube-system");
    assert.equal(spec.priority, 2_000_000_000);
    await assertOnlyFirstLeft(world, names);
  });

  scenario("validates pod disruption condition is added to the preempted pod", async (world) => {
    const [name = ""] = world.nodeNames;
    await ensureClass(world, "low", 1);
    await ensureClass(world, "high", 1000);
    await world.offer(name, fake, "1");
    for (const other of world.nodeNames.slice(1)) await world.offer(other, fake, "");
    const requests = { [fake]: "1" };
    const finalizers = ["example.com/test-finalizer"];
    await world.createPod("victim-pod", { priorityClassName: "low", requests, finalizers, affinity: onNode(name) });
    await world.running("victim-pod");
    await world.createPod("preemptor-pod", { priorityClassName: "high", requests, affinity: onNode(name) });
    const victim = await world.until(
      pods,
      `${world.namespace}/victim-pod`,
      ({ metadata }) => metadata?.deletionTimestamp !== undefined,
    );
    const condition = victim.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
    assert.deepEqual(
      [condition?.status, condition?.reason, condition?.message],
      ["True", "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"],
    );
    const body = { metadata: { finalizers: null } };
    await world.client.resource(pods).patch(`${world.namespace}/victim-pod`, { type: "merge", body });
    await world.running("preemptor-pod");
  });

  scenario("PreemptionExecutionPath runs ReplicaSets to verify preemption running path", async (world) => {
    const [name = ""] = world.nodeNames;
    const cpu = "example.com/fakecpu";
    await world.offer(name, cpu, "1000");
    const seen = new Map<string, number>();
    const own = world.cluster.informers.of(pods).subscribe({
      onAdd({ metadata }) {
        const set = metadata?.labels?.["name"];
        if (metadata?.namespace === world.namespace && set !== undefined) seen.set(set, (seen.get(set) ?? 0) + 1);
      },
    });
    const nodeSelector = { "kubernetes.io/hostname": name };
    for (const [i, amount] of ["200", "300", "450", "500"].entries()) {
      const set = `pod${i + 1}`;
      await ensureClass(world, `p${i + 1}`, i + 1);
      const spec = { priorityClassName: `p${i + 1}`, nodeSelector, terminationGracePeriodSeconds: 0 };
      if (set === "pod4") {
        await world.createPod(set, { ...spec, requests: { [cpu]: amount }, labels: { name: set } });
        continue;
      }
      const resources = { requests: { [cpu]: amount }, limits: { [cpu]: amount } };
      const template = {
        metadata: { labels: { name: set } },
        spec: { ...spec, containers: [{ name: "pause", image: "pause", resources }] },
      };
      await world.client.resource(replicaSets).create({
        metadata: { name: `rs-${set}`, namespace: world.namespace },
        spec: { replicas: 1, selector: { matchLabels: { name: set } }, template },
      });
      await world.until(replicaSets, `${world.namespace}/rs-${set}`, ({ status }) => status?.availableReplicas === 1);
    }
    await world.running("pod4");
    // Both sets that lost their Pod made another, once; it waits for room, and the third set was left alone.
    for (const set of ["pod1", "pod2"]) {
      const waits = ({
        metadata,
        spec,
      }: {
        metadata?: { labels?: Record<string, string> | undefined } | undefined;
        spec: { nodeName?: string | undefined };
      }) => metadata?.labels?.["name"] === set && !spec.nodeName;
      assert.ok(world.cluster.informers.of(pods).lister.inNamespace(world.namespace).some(waits), `${set} is not made again`);
    }
    assert.deepEqual(Object.fromEntries(seen), { pod1: 2, pod2: 2, pod3: 1, pod4: 1 });
    own[Symbol.dispose]();
    for (const set of ["pod1", "pod2", "pod3"]) {
      await world.client.resource(replicaSets).delete(`${world.namespace}/rs-${set}`, { propagationPolicy: "Orphan" });
      await world.untilGone(replicaSets, `${world.namespace}/rs-${set}`);
    }
  });

  scenario(
    "PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods",
    async (world) => {
      const resource = world.client.resource(priorityClasses);
      const [one, two] = [`${world.unique}-p1`, `${world.unique}-p2`];
      await resource.create({ metadata: { name: one }, value: 1 });
      const second = await resource.create({ metadata: { name: two }, value: 2 });
      const forbidden = /value: Forbidden: may not be changed in an update/;
      await assert.rejects(resource.patch(one, { type: "strategic", body: { value: 10 } }), forbidden);
      await assert.rejects(resource.update({ ...second, value: 20 }), forbidden);
      const description = "updated description";
      await resource.patch(one, { type: "strategic", body: { description } });
      await resource.update({ ...second, description });
      const { items } = await resource.list();
      const own = items.filter(({ metadata }) => metadata?.name?.startsWith(world.unique));
      assert.deepEqual(
        own.map((each) => [each.value, each.description]),
        [
          [1, description],
          [2, description],
        ],
      );
    },
  );
});
