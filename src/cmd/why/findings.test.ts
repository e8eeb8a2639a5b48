import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Event } from "#api/core/v1/event.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Explanation } from "#scheduler/why.ts";
import { findingsOf } from "./findings.ts";
import type { Material } from "./material.ts";

const ready: Node = {
  metadata: { name: "n" },
  spec: {},
  status: { conditions: [{ type: "Ready", status: "True", reason: "KubeletReady", message: "ok" }] },
} as Node;

const notReady: Node = {
  ...ready,
  status: { conditions: [{ type: "Ready", status: "False", reason: "KubeletNotReady", message: "runtime is down" }] },
} as Node;

function pod(spec: Partial<Pod["spec"]>, status: Pod["status"] = {}, metadata: Pod["metadata"] = {}): Pod {
  return {
    metadata: { name: "web", namespace: "ns", uid: "u", ...metadata },
    spec: { schedulerName: "default-scheduler", containers: [{ name: "main", image: "app:1" }], ...spec },
    status,
  };
}

function onNode(container: Partial<ContainerStatus>, spec: Partial<Pod["spec"]> = {}): Pod {
  const status = { name: "main", image: "app:1", imageID: "", ready: false, restartCount: 0, ...container } as ContainerStatus;
  return pod({ nodeName: "n", ...spec }, { phase: "Running", containerStatuses: [status] });
}

function event(reason: string, message: string, involvedObject: Event["involvedObject"] = {}): Event {
  return { metadata: { name: reason }, reason, message, involvedObject } as Event;
}

function attempt(outcome: Explanation["outcome"], refusals: readonly (readonly [string, string, string])[] = []): Explanation {
  return {
    pod: "ns/web",
    uid: "u",
    attempts: 1,
    atMs: 0,
    outcome,
    message: "m",
    nodeCount: 3,
    refusals: refusals.map(([plugin, reason, nodes]) => ({
      plugin,
      reason,
      resolvable: true,
      nodeCount: nodes.split(" ").length,
      nodes: nodes.split(" "),
    })),
    scores: [],
  };
}

function say(material: Partial<Material>): string[] {
  const all = { namespace: "ns", name: "web", pod: undefined, events: [], node: ready, claims: new Map(), attempt: undefined };
  return findingsOf({ ...all, ...material }).map(({ sentence }) => sentence);
}

const gate = { conditionType: "example.com/open" };
const pulling = { waiting: { reason: "ImagePullBackOff", message: "Back-off pulling image" } };
const crash = { waiting: { reason: "CrashLoopBackOff", message: "back-off" } };
const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };
const pvc = { spec: { storageClassName: "fast" }, status: { phase: "Pending" } } as PersistentVolumeClaim;

const rows: readonly (readonly [string, Partial<Material>, readonly string[]])[] = [
  [
    "quota, told by the controller that could not create it",
    { events: [event("FailedCreate", "Error creating: exceeded quota: q, requested: pods=1", { kind: "ReplicaSet", name: "web-5" })] },
    ["There is no Pod web in namespace ns.", "ReplicaSet web-5 cannot create its Pods: exceeded quota: q, requested: pods=1."],
  ],
  [
    "scheduling gates",
    { pod: pod({ schedulingGates: [{ name: "a" }, { name: "b" }] }) },
    ["Nobody may schedule it before its scheduling gates are removed: a, b."],
  ],
  [
    "a scheduler that nobody runs",
    { pod: pod({ schedulerName: "other" }) },
    ['No scheduler has looked at it yet. It asks for the scheduler "other": does that run?'],
  ],
  [
    "what each plugin refused",
    {
      pod: pod({}),
      attempt: attempt("Unschedulable", [
        ["NodeResourcesFit", "Insufficient cpu", "a b"],
        ["TaintToleration", "node(s) had untolerated taint(s) {gpu: yes}", "c"],
      ]),
    },
    ["2 of 3 nodes: not enough cpu left for what it requests (a, b).", "1 of 3 nodes: it does not tolerate their taint gpu: yes (c)."],
  ],
  [
    "a claim that is not bound",
    { pod: pod({}), claims: new Map([["data", pvc], ["gone", undefined]]) },
    ["Its PersistentVolumeClaim data is Pending (storage class fast).", "Its PersistentVolumeClaim gone does not exist."],
  ],
  [
    "a node that is not ready",
    { pod: onNode({ state: running, ready: true }), node: notReady },
    ["Its node n is not ready (KubeletNotReady: runtime is down)."],
  ],
  ["a node that is gone", { pod: pod({ nodeName: "n" }, { phase: "Running" }), node: undefined }, ["Its node n does not exist any more."]],
  [
    "an image that cannot be pulled",
    { pod: onNode({ state: pulling }), events: [event("Failed", "Failed to pull image: not found")] },
    ["Container main waits for its image app:1: Failed to pull image: not found."],
  ],
  [
    "a container that keeps ending",
    { pod: onNode({ state: crash, restartCount: 4, lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } } }) },
    ["Container main keeps ending (4 restarts); it ended with more memory than its limit allows (OOMKilled). See its log: kubectl logs --previous."],
  ],
  [
    "a probe",
    { pod: onNode({ state: running, started: true }), events: [event("Unhealthy", "Readiness probe failed: 503")] },
    ["Container main runs, but is not ready by its readiness probe: Readiness probe failed: 503."],
  ],
  [
    "readiness gates",
    { pod: onNode({ state: running, ready: true }, { readinessGates: [gate] }) },
    ["It is not ready before somebody sets its readiness gates to True: example.com/open."],
  ],
  [
    "a volume that cannot be mounted",
    { pod: pod({ nodeName: "n" }, { phase: "Pending" }), events: [event("FailedMount", "secret x not found")] },
    ["A volume is not there: secret x not found."],
  ],
  [
    "finalizers",
    { pod: pod({ nodeName: "n" }, { phase: "Succeeded" }, { deletionTimestamp: "T", finalizers: ["f"] }) },
    ["It is being deleted, and has until T; it stays until its finalizers are removed: f.", "All its containers ended with success."],
  ],
  [
    "nothing",
    { pod: pod({ nodeName: "n" }, { phase: "Running", conditions: [{ type: "Ready", status: "True" }] }) },
    ["Pod ns/web is Running and ready on node n; nothing stands in its way."],
  ],
];

describe("findingsOf tells of", () => {
  for (const [title, material, sentences] of rows) {
    it(title, () => assert.deepEqual(say(material), sentences));
  }
});
