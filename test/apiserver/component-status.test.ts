import assert from "node:assert/strict";
import { test } from "node:test";
import { type ComponentStatus, componentStatuses } from "#api/core/v1/component-status.ts";
import { type Lease, leases } from "#api/coordination/v1/lease.ts";
import { startTestServer } from "./server-fixture.ts";

test("a component that is not in the process is well while it is reached, or renews its Lease", async () => {
  await using server = await startTestServer();
  const client = server.running.api.server.loopback;
  const told = async (name: string): Promise<string> => {
    const { conditions } = (await client.resource(componentStatuses).get(name)) as ComponentStatus;
    const [condition] = conditions ?? [];
    return `${condition?.status}: ${condition?.message}`;
  };
  const refused = (port: number): string =>
    `False: Get "https://127.0.0.1:${port}/healthz": dial tcp 127.0.0.1:${port}: connect: connection refused`;
  assert.equal(await told("scheduler"), refused(10259));
  assert.equal(await told("etcd-0"), "True: ok");
  const lease = (renewTime: string): Lease =>
    ({
      metadata: { namespace: "kube-system", name: "kube-scheduler" },
      spec: { holderIdentity: "a", leaseDurationSeconds: 15, renewTime },
    }) as Lease;
  const made = await client.resource(leases).create(lease(new Date(Date.now() + 60_000).toISOString().replace("Z", "000Z")));
  assert.equal(await told("scheduler"), "True: ok");
  assert.equal(await told("controller-manager"), refused(10257));
  const { spec } = lease("2020-01-01T00:00:00.000000Z");
  await client.resource(leases).update({ ...made, spec });
  assert.equal(await told("scheduler"), refused(10259));
});
