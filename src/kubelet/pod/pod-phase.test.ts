import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { phaseOf } from "./pod-phase.ts";

/**
 * A row: `policy containers | statuses | phase`. Containers as in plan-pod.test.ts. Statuses:
 * `name=run`, `wait`, an exit code, `back:CODE` (waiting after an exit), `run+` (a started sidecar).
 */
const rows = [
  ["Always a", "", "Pending"],
  ["Always a", "a=wait", "Pending"],
  ["Always a", "a=run", "Running"],
  ["Always a b", "a=run b=wait", "Pending"],
  ["Always a b", "a=run b=0", "Running"],
  ["Always a", "a=0", "Running"],
  ["Always a", "a=back:1", "Running"],
  ["OnFailure a", "a=0", "Succeeded"],
  ["OnFailure a", "a=1", "Running"],
  ["Never a b", "a=0 b=0", "Succeeded"],
  ["Never a b", "a=0 b=2", "Failed"],
  ["Never a b", "a=0 b=run", "Running"],
  ["Always i:x a", "x=wait", "Pending"],
  ["Always i:x a", "x=run a=wait", "Pending"],
  ["Always i:x a", "x=0 a=run", "Running"],
  ["Always i:x a", "x=1 a=wait", "Pending"],
  ["Never i:x a", "x=1 a=wait", "Failed"],
  ["Always s:x a", "x=run a=wait", "Pending"],
  ["Always s:x a", "x=run+ a=run", "Running"],
  ["Never s:x a", "x=run+ a=0", "Running"],
  ["Never s:x a", "x=0 a=0", "Succeeded"],
] as const;

for (const [spec, told, expected] of rows) {
  test(`phaseOf ${spec} with ${told || "nothing"}`, () => {
    const phase = phaseOf(podOf(spec), statusesOf(told), { terminal: false, initialized: false });
    assert.equal(phase, expected);
  });
}

test("phaseOf a Pod that nothing will start again is the end of it", () => {
  const pod = podOf("Always a b");
  const terminal = { terminal: true, initialized: true };
  assert.equal(phaseOf(pod, statusesOf("a=0 b=0"), terminal), "Succeeded");
  assert.equal(phaseOf(pod, statusesOf("a=0 b=137"), terminal), "Failed");
});

test("phaseOf follows a container's own restart rules", () => {
  const exitCodes = { operator: "In", values: [42] };
  const rules = [{ action: "Restart", exitCodes }];
  const container: Container = { name: "a", restartPolicy: "Never", restartPolicyRules: rules };
  const pod: Pod = { metadata: {}, spec: { restartPolicy: "Never", containers: [container] } };
  const context = { terminal: false, initialized: true };
  assert.equal(phaseOf(pod, statusesOf("a=42"), context), "Running");
  assert.equal(phaseOf(pod, statusesOf("a=41"), context), "Failed");
});

function podOf(spec: string): Pod {
  const [restartPolicy = "", ...words] = spec.split(" ");
  const init = words.filter((word) => word.includes(":"));
  return {
    metadata: {},
    spec: {
      restartPolicy,
      containers: words.filter((word) => !word.includes(":")).map((name) => ({ name })),
      initContainers: init.map((word) => ({
        name: word.slice(2),
        ...(word.startsWith("s:") && { restartPolicy: "Always" }),
      })),
    },
  };
}

function statusesOf(told: string): ContainerStatus[] {
  const words = told.split(" ").filter((word) => word !== "");
  return words.map((word) => {
    const [name = "", text = ""] = word.split("=");
    const back = /^back:(\d+)$/.exec(text);
    const state = text.startsWith("run")
      ? { running: {} }
      : text === "wait" || back
        ? { waiting: {} }
        : { terminated: { exitCode: Number(text) } };
    return {
      name,
      state,
      lastState: back ? { terminated: { exitCode: Number(back[1]) } } : {},
      ready: text === "0",
      started: text === "run+",
      restartCount: 0,
      image: "",
      imageID: "",
    };
  });
}
