import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api/core/v1/pod.ts";
import { podCgroup, podCgroupSettings, weightOfShares } from "./pod-cgroup.ts";

type Amounts = Record<string, string>;

function podOf(...containers: { requests?: Amounts; limits?: Amounts }[]): Pod {
  return {
    metadata: { uid: "u1" },
    spec: { containers: containers.map((resources, i) => ({ name: `c${i}`, resources })) },
  };
}

const full = { cpu: "500m", memory: "64Mi" };

const rows = [
  [podOf({}), "/k/besteffort/podu1", "cpu.shares=2 cpu.cfs_quota_us=-1"],
  [
    podOf({ limits: full }),
    "/k/podu1",
    "cpu.shares=2 cpu.cfs_quota_us=50000 memory.limit_in_bytes=67108864",
  ],
  [
    podOf({ requests: full, limits: full }, { requests: full, limits: full }),
    "/k/podu1",
    "cpu.shares=1024 cpu.cfs_quota_us=100000 memory.limit_in_bytes=134217728",
  ],
  [
    podOf({ requests: { cpu: "250m" } }),
    "/k/burstable/podu1",
    "cpu.shares=256 cpu.cfs_quota_us=-1",
  ],
  [podOf({ limits: full }, {}), "/k/burstable/podu1", "cpu.shares=2 cpu.cfs_quota_us=-1"],
] as const;

for (const [pod, cgroup, settings] of rows) {
  test(`podCgroupSettings of a Pod in ${cgroup}: ${settings}`, () => {
    assert.equal(podCgroup("k", pod), cgroup);
    const written = podCgroupSettings(pod, 1, -1)
      .filter(({ file }) => file !== "cpu.cfs_period_us")
      .map(({ file, value }) => `${file}=${value}`);
    assert.equal(written.join(" "), settings);
  });
}

test("podCgroupSettings of cgroup v2", () => {
  const settings = podCgroupSettings(podOf({ requests: full, limits: full }), 2, 100);
  assert.deepEqual(
    settings.map(({ file, value }) => `${file}=${value}`),
    ["cpu.weight=20", "cpu.max=50000 100000", "memory.max=67108864", "pids.max=100"],
  );
});

test("weightOfShares maps the ends of the ranges", () => {
  assert.deepEqual([2, 262_144].map(weightOfShares), [1, 10_000]);
});
