import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "./pod.ts";
import { validateResize } from "./pod-resize-validation.ts";

type Resources = NonNullable<Pod["spec"]["containers"][number]["resources"]>;

function podWith(resources: Resources): Pod {
  const container = {
    name: "c",
    image: "img",
    imagePullPolicy: "Always",
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    resources,
  };
  return {
    metadata: { name: "p", namespace: "n" },
    spec: { containers: [container], restartPolicy: "Always", dnsPolicy: "ClusterFirst", terminationGracePeriodSeconds: 30 },
  } as unknown as Pod;
}

const cases: readonly (readonly [name: string, old: Resources, now: Resources, texts: readonly string[]])[] = [
  ["a memory limit is added", { requests: { memory: "40Mi" } }, { requests: { memory: "50Mi" }, limits: { memory: "60Mi" } }, []],
  ["a CPU request is added", { requests: { memory: "40Mi" } }, { requests: { memory: "40Mi", cpu: "20m" } }, []],
  [
    "a limit is taken away",
    { requests: { cpu: "10m" }, limits: { cpu: "20m" } },
    { requests: { cpu: "10m" } },
    ["spec.containers[0].resources.limits: resource limits cannot be removed"],
  ],
  [
    "the class changes",
    { requests: { cpu: "10m", memory: "1Mi" } },
    { requests: { cpu: "10m", memory: "1Mi" }, limits: { cpu: "10m", memory: "1Mi" } },
    ["spec: Pod QOS Class may not change as a result of resizing"],
  ],
];

test("resize: containers keep their names and their order", () => {
  const { metadata, spec } = podWith({ requests: { cpu: "10m" } });
  const of = (...names: string[]): Pod =>
    ({ metadata, spec: { ...spec, containers: names.map((name) => ({ ...spec.containers[0], name })) } }) as Pod;
  const rules = { isPod: true, features: { enabled: () => true } };
  const detail = "containers may not be renamed or reordered on resize";
  for (const now of [of("b", "a"), of("c", "d")]) {
    const found = [...validateResize(now, of("a", "b"), rules)];
    assert.deepEqual(found.map((error) => `${error.field}: ${error.detail}`), [
      `spec.containers[0].name: ${detail}`,
      `spec.containers[1].name: ${detail}`,
    ]);
  }
});

for (const [name, old, now, texts] of cases) {
  test(`resize: ${name}`, () => {
    const rules = { isPod: true, features: { enabled: () => true } };
    const found = [...validateResize(podWith(now), podWith(old), rules)];
    assert.deepEqual(found.map(({ field, detail }) => `${field}: ${detail}`), texts);
  });
}
