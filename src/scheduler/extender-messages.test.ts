import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Extender, readExtender } from "./extender.ts";
import {
  evictionsMessage,
  evictionsOf,
  filteredOf,
  nodesMessage,
  raiseBindingError,
  weightedScoresOf,
} from "./extender-messages.ts";
import { addPodTo, createNodeInfo, type NodeInfo, setNode } from "./node-info.ts";
import { podInfoOf } from "./pod-info.ts";
import { node, pod } from "./testing/world.ts";

function nodeInfo(name: string): NodeInfo {
  const info = createNodeInfo(0, name);
  setNode(info, node(name));
  return info;
}

const extenderOf = (given: object): Extender => readExtender({ urlPrefix: "http://e/", weight: 2, ...given });
const nodes = ["a", "b"].map(nodeInfo);
const web = podInfoOf(pod("web"));

describe("messages of extenders", () => {
  it("have whole nodes, or names where these are known", () => {
    const named = nodesMessage(extenderOf({ nodeCacheCapable: true }), web, nodes) as { NodeNames: string[] };
    assert.deepEqual(named.NodeNames, ["a", "b"]);
    const whole = nodesMessage(extenderOf({}), web, nodes) as { Nodes: { items: unknown[] } };
    assert.deepEqual(whole.Nodes.items, nodes.map((info) => info.node));
  });

  it("are read in any case", () => {
    const { nodes: left, refusals } = filteredOf({ NodeNames: ["b"], failedNodes: { a: "no licence" } }, nodes);
    assert.deepEqual(left.map(({ name }) => name), ["b"]);
    assert.deepEqual([...refusals].map(([name, { code, reasons }]) => [name, code, ...reasons]), [["a", "Unschedulable", "no licence"]]);
    assert.throws(() => filteredOf({ Error: "out of order" }, nodes), /out of order/);
    assert.throws(() => raiseBindingError({ error: "gone" }), /gone/);
    raiseBindingError({});
  });

  it("have scores to 10, which count as much as the weight says", () => {
    assert.deepEqual(weightedScoresOf([{ Host: "a", Score: 10 }, { host: "b", score: 1 }], extenderOf({})), [
      { node: "a", score: 200 },
      { node: "b", score: 20 },
    ]);
    assert.deepEqual(weightedScoresOf({ error: "what" }, extenderOf({})), []);
  });

  it("name victims that are on the node, or are refused", () => {
    const info = nodeInfo("a");
    const victim = podInfoOf(pod("victim"));
    addPodTo(info, victim);
    const candidates = [{ node: info, pods: [victim], violationCount: 1 }];
    const sent = evictionsMessage(extenderOf({ nodeCacheCapable: true }), web, candidates) as {
      NodeNameToMetaVictims: object;
    };
    assert.deepEqual(sent.NodeNameToMetaVictims, { a: { Pods: [{ UID: victim.uid }], NumPDBViolations: 1 } });
    assert.deepEqual(evictionsOf(sent, candidates), candidates);
    assert.throws(() => evictionsOf({ nodeNameToMetaVictims: { b: {} } }, candidates), /node b is a candidate/);
    const unknown = { nodeNameToMetaVictims: { a: { pods: [{ uid: "x" }] } } };
    assert.throws(() => evictionsOf(unknown, candidates), /pod \(UID: x\) on node a/);
  });
});
