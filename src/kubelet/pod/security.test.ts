import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api/core/v1/pod.ts";
import type { PodSecurityContext, SecurityContext } from "#api/core/v1/security-context.ts";
import { oomScoreAdj, podAmount, quotaOfMilliCpu, sharesOfMilliCpu } from "./resources.ts";
import { containerSecurity, forbiddenSysctl, namespaceOptions, rootViolation } from "./security.ts";

function podOf(podSecurity: PodSecurityContext, security: SecurityContext = {}): Pod {
  return {
    metadata: { name: "p", namespace: "n", uid: "u" },
    spec: { securityContext: podSecurity, containers: [{ name: "c", securityContext: security }] },
  };
}

const where = '(pod: "p_n(u)", container: c)';
const root = { uid: 0, username: "" };
const violations = [
  [podOf({}), root, undefined],
  [
    podOf({ runAsNonRoot: true }),
    root,
    `container has runAsNonRoot and image will run as root ${where}`,
  ],
  [podOf({ runAsNonRoot: true }), { uid: 1000, username: "" }, undefined],
  [
    podOf({ runAsNonRoot: true }),
    { uid: undefined, username: "app" },
    `container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${where}`,
  ],
  [podOf({ runAsNonRoot: true, runAsUser: 5 }), root, undefined],
  [
    podOf({ runAsUser: 5 }, { runAsNonRoot: true, runAsUser: 0 }),
    root,
    `container's runAsUser breaks non-root policy ${where}`,
  ],
  [podOf({ runAsNonRoot: true }, { runAsNonRoot: false }), root, undefined],
] as const;

test("rootViolation finds who would run as root though it must not", () => {
  for (const [pod, image, expected] of violations) {
    const [container] = pod.spec.containers;
    assert.ok(container);
    assert.equal(rootViolation(pod, container, image), expected);
  }
});

test("containerSecurity combines the settings of Pod and container", () => {
  const pod = podOf(
    {
      runAsUser: 1,
      runAsGroup: 2,
      fsGroup: 3,
      supplementalGroups: [4],
      seccompProfile: { type: "RuntimeDefault" },
    },
    {
      runAsUser: 9,
      capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
      allowPrivilegeEscalation: false,
    },
  );
  const [container] = pod.spec.containers;
  assert.ok(container);
  const security = containerSecurity({ pod, container, image: root, seccompDirectory: "/s" });
  assert.equal(security.runAsUser?.value, 9);
  assert.equal(security.runAsGroup?.value, 2);
  assert.deepEqual(security.supplementalGroups, [3, 4]);
  assert.deepEqual(security.capabilities, {
    addCapabilities: ["NET_ADMIN"],
    dropCapabilities: ["ALL"],
  });
  assert.equal(security.noNewPrivs, true);
  assert.equal(security.seccomp?.profileType, 0);
  assert.ok(security.maskedPaths?.includes("/proc/kcore"));
});

test("namespaceOptions share what the spec says", () => {
  const rows = [
    [{}, "", { network: 0, ipc: 0, pid: 1 }],
    [{ hostNetwork: true, hostIPC: true, hostPID: true }, "", { network: 2, ipc: 2, pid: 2 }],
    [{ shareProcessNamespace: true }, "", { network: 0, ipc: 0, pid: 0 }],
    [{}, "other", { network: 0, ipc: 0, pid: 3 }],
  ] as const;
  for (const [spec, target, expected] of rows) {
    const pod: Pod = { metadata: {}, spec: { containers: [], ...spec } };
    assert.deepEqual(namespaceOptions(pod, target), { ...expected, targetId: target });
  }
});

test("forbiddenSysctl lets safe ones pass, and those that the node allows", () => {
  const of = (name: string): Pod => podOf({ sysctls: [{ name, value: "1" }] });
  assert.equal(forbiddenSysctl(of("net.ipv4.tcp_syncookies"), []), undefined);
  assert.equal(forbiddenSysctl(of("net/ipv4/tcp_syncookies"), []), undefined);
  assert.equal(
    forbiddenSysctl(of("kernel.msgmax"), []),
    'forbidden sysctl: "kernel.msgmax" not allowlisted',
  );
  assert.equal(forbiddenSysctl(of("kernel.msgmax"), ["kernel.msg*"]), undefined);
});

test("shares, quotas and OOM scores are upstream's", () => {
  assert.deepEqual([0, 1, 250, 1000, 300_000].map(sharesOfMilliCpu), [2, 2, 256, 1024, 262_144]);
  assert.deepEqual([0, 1, 100, 1500].map(quotaOfMilliCpu), [0, 1000, 10_000, 150_000]);
  const gib = 1 << 30;
  const scores = [
    [{}, 1000],
    [{ requests: { memory: "512Mi" } }, 500],
    [{ requests: { memory: "1Mi" } }, 999],
    [{ requests: { memory: "1Gi" } }, 3],
    [{ requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } }, -997],
  ] as const;
  for (const [resources, score] of scores) {
    const container = { name: "c", resources };
    const pod: Pod = { metadata: {}, spec: { containers: [container] } };
    assert.equal(oomScoreAdj(pod, container, gib), score);
  }
});

test("podAmount is the most that a Pod uses at any time", () => {
  const of = (cpu: string, restartPolicy?: string) => ({
    name: `c${cpu}`,
    resources: { requests: { cpu } },
    ...(restartPolicy !== undefined && { restartPolicy }),
  });
  const rows = [
    [{ containers: [of("1"), of("2")] }, 3000],
    [{ containers: [of("1")], initContainers: [of("5"), of("2")] }, 5000],
    [{ containers: [of("1")], initContainers: [of("2", "Always"), of("3")] }, 5000],
    [{ containers: [of("4")], initContainers: [of("2", "Always"), of("3")] }, 6000],
    [{ containers: [of("1")], overhead: { cpu: "500m" } }, 1500],
    [{ containers: [of("1")], resources: { requests: { cpu: "3" } } }, 3000],
  ] as const;
  for (const [spec, expected] of rows) {
    const pod = { metadata: {}, spec } as unknown as Pod;
    assert.equal(podAmount(pod, "requests", "cpu").amount, expected);
  }
});
