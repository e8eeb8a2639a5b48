import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api/core/v1/pod.ts";
import { planReplicas, replicaStatus, type ReplicaView } from "./plan.ts";

const nowMs = Date.parse("2026-01-01T01:00:00Z");
const view = (replicas: number, spec: Partial<ReplicaView> = {}): ReplicaView => ({
  replicas,
  minReadySeconds: 0,
  template: { metadata: { labels: { app: "x" } }, spec: { containers: [] } },
  generation: 1,
  status: { replicas: 0 },
  ...spec,
});

interface Row {
  readonly node?: string;
  readonly phase?: string;
  readonly ready?: string;
  readonly cost?: string;
  readonly created?: string;
  readonly going?: boolean;
  readonly restarts?: number;
}

function pod(name: string, row: Row = {}): Pod {
  const {
    node = "n",
    phase = "Running",
    ready = "2026-01-01T00:10:00Z",
    created = "2026-01-01T00:00:00Z",
  } = row;
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: created,
      labels: { app: "x" },
      ...(row.cost !== undefined && {
        annotations: { "controller.kubernetes.io/pod-deletion-cost": row.cost },
      }),
      ...(row.going && { deletionTimestamp: "2026-01-01T00:30:00Z" }),
    },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      ...(ready !== "" && {
        conditions: [{ type: "Ready", status: "True", lastTransitionTime: ready }],
      }),
      containerStatuses: [
        { name: "c", image: "", imageID: "", ready: true, restartCount: row.restarts ?? 0 },
      ],
    },
  };
}

const removed = (plan: ReturnType<typeof planReplicas>): string =>
  plan.remove.map(({ metadata }) => metadata?.name).join(" ");

test("planReplicas creates what is missing, counting active Pods only, within the burst", () => {
  const rows: [want: number, have: Pod[], create: number][] = [
    [3, [], 3],
    [3, [pod("a"), pod("b", { phase: "Failed" }), pod("c", { going: true })], 2],
    [2000, [], 500],
    [0, [], 0],
  ];
  for (const [want, have, create] of rows) {
    assert.equal(planReplicas(view(want), have, { related: have, nowMs }).create, create);
  }
});

test("planReplicas removes the Pod that is missed least", () => {
  const rows: [better: Row, worse: Row][] = [
    [{}, { node: "" }],
    [{}, { phase: "Pending" }],
    [{}, { ready: "" }],
    [{ cost: "5" }, { cost: "-5" }],
    [{}, { ready: "2026-01-01T00:59:00Z" }],
    [{}, { restarts: 3 }],
    [{}, { created: "2026-01-01T00:59:00Z" }],
  ];
  for (const [i, [better, worse]] of rows.entries()) {
    for (const have of [
      [pod("a", better), pod("z", worse)],
      [pod("z", worse), pod("a", better)],
    ]) {
      assert.equal(removed(planReplicas(view(1), have, { related: have, nowMs })), "z", `row ${i}`);
    }
  }
});

test("planReplicas removes from the node that has most of the family", () => {
  const have = [pod("a", { node: "n1" }), pod("b", { node: "n2" })];
  const related = [...have, pod("c", { node: "n2" })];
  assert.equal(removed(planReplicas(view(1), have, { related, nowMs })), "b");
});

test("replicaStatus counts what the Pods are", () => {
  const owned = [
    pod("ready"),
    pod("fresh", { ready: "2026-01-01T00:59:55Z" }),
    pod("unready", { ready: "" }),
    pod("going", { going: true }),
    pod("ended", { phase: "Succeeded" }),
  ];
  const status = replicaStatus(view(3, { minReadySeconds: 10 }), owned, {
    nowMs,
    failure: undefined,
  });
  assert.deepEqual(status, {
    replicas: 3,
    fullyLabeledReplicas: 3,
    readyReplicas: 2,
    availableReplicas: 1,
    terminatingReplicas: 1,
    observedGeneration: 1,
    conditions: [],
  });
});
