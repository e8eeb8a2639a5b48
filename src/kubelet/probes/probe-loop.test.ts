import assert from "node:assert/strict";
import { test } from "node:test";
import type { Probe } from "#api/core/v1/probe.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createFakeRuntime } from "../cri/fake-runtime.ts";
import { createProbeLoop } from "./probe-loop.ts";
import type { ProbeNetwork } from "./probe-network.ts";

/** Answers of successive TCP probes: `.` is a connection, `x` a refusal. */
function networkOf(answers: string): ProbeNetwork & { count: number } {
  const network = {
    count: 0,
    connect: () =>
      answers[network.count++] === "x"
        ? Promise.reject(new Error("dial tcp 10.0.0.1:80: connect: connection refused"))
        : Promise.resolve(),
    httpGet: () => Promise.reject(new Error("not used")),
    grpcHealth: () => Promise.reject(new Error("not used")),
  };
  return network;
}

interface Case {
  readonly kind: "startup" | "liveness" | "readiness";
  readonly probe?: Probe;
  readonly answers: string;
  /** Second and result of every change. */
  readonly changes: readonly string[];
}

const cases: readonly Case[] = [
  { kind: "readiness", answers: "....", changes: ["0 success"] },
  { kind: "readiness", answers: ".xxx.", changes: ["0 success", "30 failure", "40 success"] },
  { kind: "readiness", answers: ".xx.xx", changes: ["0 success"] },
  { kind: "readiness", probe: { successThreshold: 2 }, answers: "x..", changes: ["11 success"] },
  { kind: "readiness", answers: "x.", changes: ["1 success"] },
  { kind: "readiness", answers: "xx.", changes: ["11 success"] },
  { kind: "liveness", answers: "..xxx", changes: ["0 success", "40 failure"] },
  {
    kind: "liveness",
    probe: { failureThreshold: 1, periodSeconds: 1 },
    answers: "x",
    changes: ["0 failure"],
  },
  { kind: "startup", answers: "x.xxxxx", changes: ["10 success"] },
  { kind: "liveness", probe: { initialDelaySeconds: 7 }, answers: "..", changes: ["7 success"] },
];

for (const { kind, probe, answers, changes } of cases) {
  test(`createProbeLoop: ${kind} ${JSON.stringify(probe ?? {})} of ${answers}`, async () => {
    const clock = createVirtualClock();
    const startMs = clock.nowMs();
    const network = networkOf(answers);
    const seen: string[] = [];
    using loop = createProbeLoop({
      kind,
      probe: { tcpSocket: { port: 80 }, ...probe },
      clock,
      ports: { network, runtime: createFakeRuntime({ clock }).runtime },
      target: { container: { name: "c" }, containerId: "1", podIp: "10.0.0.1" },
      startedMs: startMs,
      mayRun: () => true,
      tell: {
        warning() {},
        changed: () => seen.push(`${(clock.nowMs() - startMs) / 1000} ${loop.result}`),
      },
    });
    loop.nudge();
    await clock.advance(10_000 * answers.length - 1);
    assert.deepEqual(seen, changes);
  });
}

test("createProbeLoop: a probe that takes longer than its period is followed by the next at once", async () => {
  const clock = createVirtualClock();
  const startMs = clock.nowMs();
  const begun: number[] = [];
  const network: ProbeNetwork = {
    ...networkOf(""),
    async connect() {
      begun.push((clock.nowMs() - startMs) / 1000);
      await clock.sleep(25_000);
    },
  };
  using loop = createProbeLoop({
    kind: "liveness",
    probe: { tcpSocket: { port: 80 }, timeoutSeconds: 30 },
    clock,
    ports: { network, runtime: createFakeRuntime({ clock }).runtime },
    target: { container: { name: "c" }, containerId: "1", podIp: "10.0.0.1" },
    startedMs: startMs,
    mayRun: () => true,
    tell: { warning() {}, changed() {} },
  });
  loop.nudge();
  await clock.advance(60_000);
  assert.deepEqual(begun, [0, 25, 50]);
});
