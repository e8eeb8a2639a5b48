import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PostJson } from "./extender-calls.ts";
import { makeWorld, node, pod } from "./testing/world.ts";

const header = { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "KubeSchedulerConfiguration" };
const extender = {
  urlPrefix: "http://extender/",
  filterVerb: "filter",
  prioritizeVerb: "prioritize",
  weight: 5,
  nodeCacheCapable: true,
};

function extended(more: object, answers: Readonly<Record<string, (body: { NodeNames?: string[] }) => unknown>>) {
  const asked: string[] = [];
  const postJson: PostJson = async (url, body) => {
    const verb = url.split("/").at(-1) ?? "";
    asked.push(url);
    const answer = answers[verb];
    if (answer === undefined) throw new Error("connection refused");
    return answer(body as { NodeNames?: string[] });
  };
  const world = makeWorld({
    postJson,
    configuration: { ...header, extenders: [{ ...extender, ...more }] },
  });
  for (const name of ["a", "b", "c"]) world.addNode(node(name));
  return { world, asked };
}

describe("extenders", () => {
  it("filter and weigh nodes", async () => {
    const { world, asked } = extended(
      {},
      {
        filter: ({ NodeNames: nodenames = [] }) => ({
          NodeNames: nodenames.filter((name) => name !== "a"),
          FailedNodes: { a: "not a" },
          Error: "",
        }),
        prioritize: ({ NodeNames: nodenames = [] }) => nodenames.map((host) => ({ Host: host, Score: host === "c" ? 10 : 0 })),
      },
    );
    await using _ = world;
    world.addPod(pod("web"));
    await world.settle();
    assert.equal(world.nodeOf("web"), "c");
    assert.deepEqual(asked, ["http://extender/filter", "http://extender/prioritize"]);
  });

  it("say why no node is left", async () => {
    const { world } = extended(
      {},
      {
        filter: ({ NodeNames: nodenames = [] }) => ({
          nodeNames: [],
          failedNodes: Object.fromEntries(nodenames.map((name) => [name, "no licence"])),
        }),
      },
    );
    await using _ = world;
    world.addPod(pod("web"));
    await world.settle();
    assert.match(world.conditionOf("web", "PodScheduled").message, /^0\/3 nodes are available: 3 no licence\./);
  });

  it("are passed over when they fail and may be ignored, and keep pods back when not", async () => {
    for (const ignorable of [true, false]) {
      const { world } = extended({ ignorable }, {});
      await using _ = world;
      world.addPod(pod("web"));
      await world.settle();
      assert.equal(world.nodeOf("web") !== undefined, ignorable);
      if (!ignorable) assert.equal(world.conditionOf("web", "PodScheduled").reason, "SchedulerError");
    }
  });

  it("choose among nodes where room can be made, and who has to go", async () => {
    const bodies: object[] = [];
    const { world } = extended(
      { filterVerb: "", prioritizeVerb: "", preemptVerb: "preempt" },
      {
        preempt: (body) => {
          bodies.push(body);
          return { NodeNameToMetaVictims: { b: { Pods: [{ UID: "uid-default-low-b" }], NumPDBViolations: 0 } } };
        },
      },
    );
    await using _ = world;
    for (const name of ["a", "b", "c"]) {
      world.addPod(pod(`low-${name}`, { cpu: "6", nodeName: name, priority: 1 }));
    }
    world.addPod(pod("high", { cpu: "6", priority: 10 }));
    await world.settle();
    const victims = (name: string) => ({ Pods: [{ UID: `uid-default-low-${name}` }], NumPDBViolations: 0 });
    const [{ NodeNameToMetaVictims: offered } = {}] = bodies as { NodeNameToMetaVictims?: object }[];
    assert.deepEqual(offered, { a: victims("a"), b: victims("b"), c: victims("c") });
    assert.deepEqual(world.finishDeletions(), ["low-b"]);
    await world.advance(2000);
    assert.equal(world.nodeOf("high"), "b");
  });

  it("are asked about pods with their resources only, which the scheduler does not count", async () => {
    const { world, asked } = extended(
      {
        prioritizeVerb: "",
        bindVerb: "bind",
        managedResources: [{ name: "example.com/seat", ignoredByScheduler: true }],
      },
      { filter: ({ NodeNames: nodenames = [] }) => ({ nodeNames: nodenames }), bind: () => ({ Error: "" }) },
    );
    await using _ = world;
    world.addPod(pod("plain"));
    await world.settle();
    assert.deepEqual(asked, []);
    world.addPod(pod("seated", { requests: { "example.com/seat": "1" } }));
    await world.settle();
    assert.deepEqual(asked, ["http://extender/filter", "http://extender/bind"]);
  });
});
