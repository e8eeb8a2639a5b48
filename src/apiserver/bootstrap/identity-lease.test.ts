import assert from "node:assert/strict";
import { test } from "node:test";
import { type Lease, leases } from "#api/coordination/v1/lease.ts";
import { internal } from "#apimachinery/status.ts";
import { silentLogger } from "#base/log.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createVirtualRandom } from "#base/virtual/random.ts";
import { createClient } from "#client/client.ts";
import { createFakeApi } from "#testing/fake-api.ts";
import { apiServerId, keepIdentityLease } from "./identity-lease.ts";

test("the name of a host's API server is upstream's", () => {
  assert.equal(apiServerId("vm"), "apiserver-wlv32tlttr4jl3gtroqexyxapa");
});

function world() {
  const clock = createVirtualClock();
  const random = createVirtualRandom(1);
  const api = createFakeApi({ clock, random });
  const client = createClient({ transport: api.transport, userAgent: "kube-apiserver/test" });
  const options = { client, clock, random, log: silentLogger, hostName: "vm", peerAddress: "192.0.2.2:6443" };
  const key = `kube-system/${apiServerId("vm")}`;
  return {
    clock,
    api,
    options,
    lease: () => api.get(leases, key) as Lease | undefined,
    verbs: () => api.requests.splice(0).map(({ verb }) => verb),
  };
}

test("a server has a Lease that says who it is, and renews it with one write in ten seconds", async () => {
  const { clock, options, lease, verbs } = world();
  {
    await using _kept = await keepIdentityLease(options);
    const { metadata, spec } = lease() as Lease;
    assert.deepEqual(metadata?.labels, { "apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": "vm" });
    assert.deepEqual(metadata?.annotations, { "kubernetes.io/peer-advertise-address": "192.0.2.2:6443" });
    assert.match(spec.holderIdentity ?? "", /^apiserver-wlv32tlttr4jl3gtroqexyxapa_[0-9a-f-]{36}$/);
    assert.equal(spec.leaseDurationSeconds, 3600);
    assert.deepEqual(verbs(), ["get", "create", "list"]);
    await clock.advance(60_000);
    assert.deepEqual(verbs(), ["update", "update", "update", "update", "update"]);
    assert.equal(Date.parse(lease()?.spec.renewTime ?? "") > clock.nowMs() - 11_000, true);
  }
  await clock.advance(60_000);
  assert.deepEqual(verbs(), []);
  assert.notEqual(lease(), undefined);
});

test("a server that starts again takes its Lease over under a new identity", async () => {
  const { clock, options, lease, verbs } = world();
  await (await keepIdentityLease(options))[Symbol.asyncDispose]();
  const before = lease()?.spec.holderIdentity;
  await clock.advance(1000);
  await using _kept = await keepIdentityLease(options);
  assert.notEqual(lease()?.spec.holderIdentity, before);
  assert.deepEqual(verbs(), ["get", "create", "list", "get", "update", "list"]);
});

test("a Lease that somebody else wrote is read again; failures are tried again soon", async () => {
  const { clock, api, options, lease, verbs } = world();
  await using _kept = await keepIdentityLease(options);
  const { metadata, spec } = lease() as Lease;
  api.seed(leases, { metadata: { ...metadata, labels: { mine: "yes" } }, spec } as Lease);
  verbs();
  await clock.advance(11_000);
  assert.deepEqual(verbs(), ["update", "get", "update"]);
  assert.equal(lease()?.metadata?.labels?.["mine"], "yes");
  api.intercept = () => internal("down");
  await clock.advance(11_000);
  api.intercept = () => undefined;
  await clock.advance(7000);
  assert.equal(Date.parse(lease()?.spec.renewTime ?? "") > clock.nowMs() - 8000, true);
});

test("Leases of servers that are gone are removed, once an hour", async () => {
  const { clock, api, options } = world();
  const seed = (name: string, spec: object, label = "kube-apiserver"): void => {
    const labels = { "apiserver.kubernetes.io/identity": label };
    api.seed(leases, { metadata: { name, namespace: "kube-system", labels }, spec } as Lease);
  };
  const ago = (ms: number): string => new Date(clock.nowMs() - ms).toISOString();
  seed("gone", { renewTime: ago(3_601_000), leaseDurationSeconds: 3600 });
  seed("without", {});
  seed("other", {}, "other-apiserver");
  seed("lives", { renewTime: ago(1000), leaseDurationSeconds: 3600 });
  await using _kept = await keepIdentityLease(options);
  const names = (): (string | undefined)[] => api.list(leases).map(({ metadata }) => metadata?.name).toSorted();
  assert.deepEqual(names(), [apiServerId("vm"), "lives", "other"]);
  await clock.advance(3_500_000);
  assert.deepEqual(names(), [apiServerId("vm"), "lives", "other"]);
  await clock.advance(3_700_000);
  assert.deepEqual(names(), [apiServerId("vm"), "other"]);
});
