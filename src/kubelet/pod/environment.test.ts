import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { environmentOf, type PodObjects } from "./environment.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const objects: PodObjects = {
  configMap: async (_, name) =>
    name === "map" ? { metadata: {}, data: { one: "1", "a=b": "x" } } : undefined,
  secret: async (_, name) =>
    name === "keys" ? { metadata: {}, data: { pin: base64("0000") } } : undefined,
};

function environment(container: Partial<Container>, labels: Record<string, string> = {}) {
  const whole: Container = {
    name: "main",
    resources: { limits: { cpu: "1500m" }, requests: { memory: "64Mi" } },
    ...container,
  };
  const pod: Pod = {
    metadata: { name: "web", namespace: "shop", uid: "u1", labels },
    spec: { nodeName: "n1", serviceAccountName: "sa", containers: [whole] },
  };
  return environmentOf({
    pod,
    container: whole,
    objects,
    serviceEnv: new Map([["SVC_HOST", "10.0.0.1"]]),
    fields: {
      podIps: ["10.1.0.1", "fd00::1"],
      hostIps: ["192.168.0.1"],
      allocatable: { cpu: "4", memory: "8Gi" },
    },
  });
}

const fields = [
  ["metadata.name", "web"],
  ["metadata.labels['app']", "x"],
  ["metadata.labels['none']", ""],
  ["spec.nodeName", "n1"],
  ["spec.serviceAccountName", "sa"],
  ["status.podIP", "10.1.0.1"],
  ["status.podIPs", "10.1.0.1,fd00::1"],
  ["status.hostIP", "192.168.0.1"],
] as const;

for (const [fieldPath, expected] of fields) {
  test(`environmentOf reads ${fieldPath}`, async () => {
    const env = [{ name: "X", valueFrom: { fieldRef: { fieldPath } } }];
    assert.equal((await environment({ env }, { app: "x" })).lookup("X"), expected);
  });
}

const resources = [
  ["limits.cpu", "1m", "1500"],
  ["limits.cpu", "1", "2"],
  ["limits.memory", "1Mi", "8192"],
  ["requests.memory", "0", "67108864"],
  ["requests.cpu", "1", "0"],
] as const;

for (const [resource, divisor, expected] of resources) {
  test(`environmentOf reads ${resource} by ${divisor}`, async () => {
    const env = [{ name: "X", valueFrom: { resourceFieldRef: { resource, divisor } } }];
    assert.equal((await environment({ env })).lookup("X"), expected);
  });
}

test("environmentOf keeps the order of precedence, and expands what was set before", async () => {
  const { variables } = await environment({
    envFrom: [{ prefix: "P_", configMapRef: { name: "map" } }],
    env: [
      { name: "P_one", value: "2" },
      { name: "SUM", value: "$(P_one)+$(SVC_HOST)+$(LATER)" },
      { name: "LATER", value: "x" },
      { name: "PIN", valueFrom: { secretKeyRef: { name: "keys", key: "pin" } } },
    ],
  });
  assert.deepEqual(
    variables.map(({ name, value }) => `${name}=${value}`),
    ["P_one=1", "P_one=2", "SUM=2+10.0.0.1+$(LATER)", "LATER=x", "PIN=0000", "SVC_HOST=10.0.0.1"],
  );
});

test("environmentOf warns of keys that are no names", async () => {
  const { warnings } = await environment({ envFrom: [{ configMapRef: { name: "map" } }] });
  assert.deepEqual(warnings, [
    "Keys [a=b] from the EnvFrom configMap shop/map were skipped since they are considered " +
      "invalid environment variable names.",
  ]);
});

const missing = [
  [{ configMapKeyRef: { name: "none", key: "k" } }, 'configmap "none" not found'],
  [{ configMapKeyRef: { name: "map", key: "k" } }, "couldn't find key k in ConfigMap shop/map"],
  [{ secretKeyRef: { name: "none", key: "k" } }, 'secret "none" not found'],
  [{ secretKeyRef: { name: "keys", key: "k" } }, "couldn't find key k in Secret shop/keys"],
  [{ configMapKeyRef: { name: "none", key: "k", optional: true } }, undefined],
  [{ secretKeyRef: { name: "keys", key: "k", optional: true } }, undefined],
] as const;

for (const [valueFrom, message] of missing) {
  test(`environmentOf with ${JSON.stringify(valueFrom)}`, async () => {
    const reading = environment({ env: [{ name: "X", valueFrom }] });
    if (message === undefined) assert.equal((await reading).lookup("X"), undefined);
    else await assert.rejects(reading, { message });
  });
}
