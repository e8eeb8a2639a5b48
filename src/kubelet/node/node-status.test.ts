import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultKubeletConfig, type KubeletConfig } from "../config.ts";
import type { Machine } from "./machine.ts";
import {
  newNode,
  type NodeReport,
  noPressure,
  nodeStatusOf,
  silentRuntime,
} from "./node-status.ts";

const machine: Machine = {
  cpuCount: 2,
  memoryBytes: 8 << 30,
  diskBytes: 100 * 1024 ** 3,
  machineId: "m",
  systemUuid: "s",
  bootId: "b",
  kernelVersion: "6.1",
  osImage: "Debian",
  architecture: "amd64",
};

const config: KubeletConfig = {
  ...defaultKubeletConfig,
  nodeName: "n1",
  nodeIps: ["10.0.0.1"],
  directories: { root: "/r", memory: "/m", podLogs: "/l" },
  reserved: { cpu: "500m", memory: "1Gi" },
};

function reportOf(changes: Partial<NodeReport> = {}): NodeReport {
  const ready = (type: string) => ({ type, status: true, reason: "", message: "" });
  return {
    config,
    machine: { ...machine, memoryBytes: 8 * 1024 ** 3 },
    runtimeVersion: {
      version: "",
      runtimeName: "containerd",
      runtimeVersion: "1.6",
      runtimeApiVersion: "v1",
    },
    runtimeStatus: {
      ...silentRuntime.runtimeStatus,
      status: { conditions: [ready("RuntimeReady"), ready("NetworkReady")] },
    },
    images: [],
    pressure: noPressure,
    now: "2026-01-01T00:00:00Z",
    ...changes,
  };
}

function conditions(report: NodeReport): string[] {
  return (newNode(report).status?.conditions ?? []).map(
    ({ type, status, reason }) => `${type}=${status} ${reason}`,
  );
}

test("newNode reports capacity, and less of it as allocatable", () => {
  const { status, metadata } = newNode(reportOf());
  assert.equal(status?.capacity?.["memory"], "8Gi");
  assert.equal(status?.capacity?.["pods"], "110");
  assert.equal(status?.allocatable?.["cpu"], "1500m");
  assert.equal(status?.allocatable?.["memory"], "7Gi");
  assert.equal(status?.allocatable?.["ephemeral-storage"], "96636764160");
  assert.equal(metadata?.labels?.["kubernetes.io/hostname"], "n1");
  assert.equal(status?.nodeInfo?.containerRuntimeVersion, "containerd://1.6");
});

test("images come by size, whatever order the runtime tells them in", () => {
  const image = (id: string, size: number) => ({
    id,
    size,
    repoTags: [id],
    repoDigests: [],
    pinned: false,
    uid: undefined,
    username: "",
    spec: undefined,
  });
  const names = (...images: ReturnType<typeof image>[]) =>
    newNode(reportOf({ images })).status?.images?.flatMap(({ names: each }) => each);
  const [a, b, c] = [image("a", 7), image("b", 7), image("c", 9)];
  assert.deepEqual(names(a, b, c), ["c", "b", "a"]);
  assert.deepEqual(names(b, c, a), ["c", "b", "a"]);
});

test("nodeStatusOf says what the node suffers from", () => {
  assert.deepEqual(conditions(reportOf()), [
    "MemoryPressure=False KubeletHasSufficientMemory",
    "DiskPressure=False KubeletHasNoDiskPressure",
    "PIDPressure=False KubeletHasSufficientPID",
    "Ready=True KubeletReady",
  ]);
  assert.deepEqual(conditions(reportOf({ pressure: { memory: true, disk: true, pids: false } })), [
    "MemoryPressure=True KubeletHasInsufficientMemory",
    "DiskPressure=True KubeletHasDiskPressure",
    "PIDPressure=False KubeletHasSufficientPID",
    "Ready=True KubeletReady",
  ]);
});

test("nodeStatusOf is not ready without a network or a runtime, and says why", () => {
  const network = { type: "NetworkReady", status: false, reason: "NoCni", message: "no config" };
  const runtimeStatus = { ...silentRuntime.runtimeStatus, status: { conditions: [network] } };
  const ready = (report: NodeReport) =>
    nodeStatusOf(report, {}).conditions?.find(({ type }) => type === "Ready");
  assert.equal(
    ready(reportOf({ runtimeStatus }))?.message,
    "container runtime network not ready: NetworkReady=false reason:NoCni message:no config",
  );
  assert.equal(ready(reportOf(silentRuntime))?.message, "container runtime is down");
});

test("nodeStatusOf keeps times of what did not change, conditions of others, a silent runtime's name", () => {
  const before = nodeStatusOf(reportOf(), {
    conditions: [{ type: "NetworkUnavailable", status: "False" }],
  });
  const after = nodeStatusOf(reportOf({ ...silentRuntime, now: "2026-01-02T00:00:00Z" }), before);
  const times = (after.conditions ?? []).map(
    ({ type, lastTransitionTime }) => `${type} ${lastTransitionTime?.slice(0, 10)}`,
  );
  assert.deepEqual(times, [
    "NetworkUnavailable undefined",
    "MemoryPressure 2026-01-01",
    "DiskPressure 2026-01-01",
    "PIDPressure 2026-01-01",
    "Ready 2026-01-02",
  ]);
  assert.equal(after.nodeInfo?.containerRuntimeVersion, "containerd://1.6");
});
