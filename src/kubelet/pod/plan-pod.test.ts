import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { ContainerStatus, PodSandboxStatus, type RuntimeContainerStatus } from "../cri/messages.ts";
import { type PodPlan, planPod, type ProbeResult } from "./plan-pod.ts";
import type { PodRuntime } from "./pod-runtime.ts";
import { annotationNames, containerHash } from "./runtime-labels.ts";

/**
 * A row: `spec | runtime | plan`. Spec: restart policy, then containers, `i:` init, `s:` sidecar,
 * `e:` ephemeral. Runtime: sandbox (`ready`, `dead`, `none`), then `name=state` with state
 * `run`, `new`, `lost`, or an exit code; `!live`/`!start` is a failed probe, `+start` a passed one.
 */
const rows = [
  ["Always a", "none", "kill sandbox#0 start:a"],
  ["Always a b", "ready", "start:a,b"],
  ["Always a", "ready a=run", "-"],
  ["Always a", "ready a=0", "start:a"],
  ["Always a", "ready a=3", "start:a"],
  ["OnFailure a", "ready a=3", "start:a"],
  ["OnFailure a", "ready a=0", "kill"],
  ["Never a", "ready a=3", "kill"],
  ["Never a b", "ready a=3 b=run", "-"],
  ["Never a b", "ready a=0", "start:b"],
  ["Always a", "ready a=new", "start:a"],
  ["Always a", "ready a=lost", "kill:a start:a"],
  ["Always a", "ready a=run!live", "kill:a start:a"],
  ["Never a", "ready a=run!live", "kill:a kill"],
  ["Always a", "ready a=run!start", "kill:a start:a"],
  ["Always a", "dead a=137", "kill sandbox#1 start:a"],
  ["Never a", "dead a=137", "kill"],
  ["OnFailure a b", "dead a=0 b=137", "kill sandbox#1 start:b"],
  ["OnFailure a", "dead a=0", "kill"],
  ["Always i:x a", "none", "kill sandbox#0 init:x"],
  ["Always i:x a", "ready", "init:x"],
  ["Always i:x a", "ready x=run", "-"],
  ["Always i:x a", "ready x=0", "start:a"],
  ["Always i:x a", "ready x=1", "init:x"],
  ["Never i:x a", "ready x=1", "kill"],
  ["Always i:x i:y a", "ready x=0", "init:y"],
  ["Always i:x i:y a", "ready y=0", "start:a"],
  ["Always i:x a", "ready a=run", "-"],
  ["Always s:x a", "ready x=run", "start:a"],
  ["Always s:x a", "ready x=new", "-"],
  ["Always s:x a", "ready x=0 a=run", "init:x"],
  ["Always s:x i:y a", "ready x=run", "init:y"],
  ["Always s:x i:y a", "ready x=1 y=0", "init:x start:a"],
  ["Always s:x i:y a", "ready x=run y=run", "-"],
  ["Never s:x a", "ready x=run a=0", "kill"],
  ["Always s:x a", "ready a=run", "init:x"],
  ["Always s:x a", "ready x=run!live a=run", "kill:x init:x"],
  ["Always a e:d", "ready a=run", "ephemeral:d"],
  ["Always a e:d", "ready a=run d=0", "-"],
] as const;

for (const [spec, state, expected] of rows) {
  test(`planPod of ${spec} with ${state}`, () => {
    const { runtime, probe } = parseRuntime(state, spec);
    const results = { liveness: probe("live"), startup: probe("start") };
    assert.equal(print(planPod(parsePod(spec), runtime, results)), expected);
  });
}

test("planPod starts nothing in a Pod that is being deleted", () => {
  const pod = parsePod("Always a");
  const deleted = { ...pod, metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } };
  const { runtime } = parseRuntime("ready a=1", "Always a");
  const none = { liveness: () => undefined, startup: () => undefined };
  assert.equal(print(planPod(deleted, runtime, none)), "kill");
});

function parsePod(spec: string): Pod {
  const [restartPolicy = "", ...words] = spec.split(" ");
  const named = (prefix: string): Container[] =>
    words.filter((word) => word.startsWith(prefix)).map((word) => ({ name: word.slice(2) }));
  const init = words
    .filter((word) => /^[is]:/.test(word))
    .map((word): Container => ({
      name: word.slice(2),
      ...(word.startsWith("s:") && { restartPolicy: "Always" }),
    }));
  return {
    metadata: {},
    spec: {
      restartPolicy,
      containers: words.filter((word) => !word.includes(":")).map((name) => ({ name })),
      initContainers: init,
      ephemeralContainers: named("e:"),
    },
  };
}

function parseRuntime(text: string, spec: string) {
  const [sandbox, ...words] = text.split(" ");
  const probes = new Map<string, ProbeResult>();
  const containers = words.map((word): RuntimeContainerStatus => {
    const [name = "", state = ""] = word.split("=");
    const [value = ""] = state.split(/[!+]/);
    if (state.includes("!")) probes.set(`${name}/${state.split("!")[1]}`, "failure");
    return {
      ...ContainerStatus.decode(new Uint8Array(0)),
      id: name,
      metadata: { name, attempt: 0 },
      state: { new: 0, run: 1, lost: 3 }[value] ?? 2,
      createdAt: 1,
      exitCode: Number(value) || 0,
      annotations: { [annotationNames.hash]: containerHash({ name }) },
    };
  });
  const status: PodSandboxStatus = {
    ...PodSandboxStatus.decode(new Uint8Array(0)),
    id: "s",
    state: sandbox === "ready" ? 0 : 1,
    network: { ip: "10.0.0.1", additionalIps: [] },
  };
  assert.ok(spec.length > 0);
  const runtime: PodRuntime = { sandboxes: sandbox === "none" ? [] : [status], containers };
  return { runtime, probe: (kind: string) => (id: string) => probes.get(`${id}/${kind}`) };
}

function print(plan: PodPlan): string {
  const names = (list: readonly Container[]): string => list.map(({ name }) => name).join(",");
  const parts = [
    plan.kill.length > 0 ? `kill:${names(plan.kill.map(({ container }) => container))}` : "",
    plan.killPod ? "kill" : "",
    plan.createSandbox ? `sandbox#${plan.attempt}` : "",
    plan.startEphemeral.length > 0 ? `ephemeral:${names(plan.startEphemeral)}` : "",
    plan.startInit.length > 0 ? `init:${names(plan.startInit)}` : "",
    plan.start.length > 0 ? `start:${names(plan.start)}` : "",
  ];
  return parts.filter((part) => part !== "").join(" ") || "-";
}
