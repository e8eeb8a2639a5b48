import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { admitPod, preemptionVictims } from "./admission.ts";

const node: Node = {
  metadata: { name: "n1", labels: { zone: "a", disks: "3" } },
  spec: {},
  status: { allocatable: { cpu: "2", memory: "1Gi", pods: "3" } },
};

function podOf(spec: Partial<Pod["spec"]> = {}, cpu = "100m"): Pod {
  const resources = { requests: { cpu } };
  return { metadata: {}, spec: { containers: [{ name: "c", resources }], ...spec } };
}

function withPort(hostPort: number, hostIP = "", protocol = "TCP"): Pod {
  const ports = [{ containerPort: 80, hostPort, hostIP, protocol }];
  return podOf({ containers: [{ name: "c", ports }] });
}

function affinity(key: string, operator: string, values: string[]): Partial<Pod["spec"]> {
  const nodeSelectorTerms = [{ matchExpressions: [{ key, operator, values }] }];
  const required = { nodeSelectorTerms };
  return {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
  };
}

const rows: readonly (readonly [string, Pod, readonly Pod[], string | undefined])[] = [
  ["fits", podOf(), [], undefined],
  ["CPU is used up", podOf({}, "1"), [podOf({}, "1500m")], "OutOfcpu"],
  [
    "resource is not there",
    podOf({ containers: [{ name: "c", resources: { requests: { "x/y": "1" } } }] }),
    [],
    "OutOfx/y",
  ],
  ["too many Pods", podOf(), [podOf(), podOf(), podOf()], "OutOfpods"],
  ["selector matches", podOf({ nodeSelector: { zone: "a" } }), [], undefined],
  ["selector does not match", podOf({ nodeSelector: { zone: "b" } }), [], "NodeAffinity"],
  ["affinity In", podOf(affinity("zone", "In", ["a", "b"])), [], undefined],
  ["affinity NotIn", podOf(affinity("zone", "NotIn", ["a"])), [], "NodeAffinity"],
  ["affinity Exists", podOf(affinity("rack", "Exists", [])), [], "NodeAffinity"],
  ["affinity DoesNotExist", podOf(affinity("rack", "DoesNotExist", [])), [], undefined],
  ["affinity Gt", podOf(affinity("disks", "Gt", ["2"])), [], undefined],
  ["affinity Lt", podOf(affinity("disks", "Lt", ["2"])), [], "NodeAffinity"],
  ["port is taken", withPort(80), [withPort(80)], "NodePorts"],
  ["port of another address", withPort(80, "10.0.0.1"), [withPort(80, "10.0.0.2")], undefined],
  ["port of any address", withPort(80, "10.0.0.1"), [withPort(80)], "NodePorts"],
  ["port of another protocol", withPort(80), [withPort(80, "", "UDP")], undefined],
  ["other operating system", podOf({ os: { name: "windows" } }), [], "PodOSNotSupported"],
  [
    "unsafe sysctl",
    podOf({ securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }),
    [],
    "SysctlForbidden",
  ],
];

for (const [name, pod, others, reason] of rows) {
  test(`admitPod: ${name}`, () => {
    assert.equal(admitPod({ pod, node, others, allowedUnsafeSysctls: [] })?.reason, reason);
  });
}

test("preemptionVictims are the least important Pods that make room", () => {
  const of = (name: string, cpu: string, priority: number): Pod => ({
    ...podOf({ priority }, cpu),
    metadata: { name },
  });
  const critical = of("critical", "1", 2_000_000_000);
  const victims = (...others: Pod[]) =>
    preemptionVictims({ pod: critical, node, others, allowedUnsafeSysctls: [] })?.map(
      ({ metadata }) => metadata?.name,
    );
  assert.deepEqual(victims(of("a", "500m", 0)), []);
  assert.deepEqual(victims(of("a", "1500m", 0), of("b", "100m", 5)), ["a"]);
  assert.deepEqual(victims(of("small", "100m", 0), of("big", "1500m", 1)), ["big"]);
  assert.equal(victims(of("other", "1500m", 2_000_000_000)), undefined);
});
