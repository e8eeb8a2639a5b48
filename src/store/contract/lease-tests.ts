import assert from "node:assert/strict";
import { LeaseExistsError, LeaseNotFoundError, type WatchBatch } from "../store.ts";
import { Collector, shown, type StoreTestContext, type StoreTests } from "../store-contract.ts";

async function names(t: StoreTestContext): Promise<string[]> {
  return shown((await t.store.range(t.all)).entries, t.prefix);
}

/** Leases: grant, renewal, expiry, revocation. */
export const leaseTests: StoreTests = {
  async "a lease gets an id of its own, or the one asked for"(t) {
    const chosen = await t.store.grantLease(60);
    assert.ok(chosen > 0n);
    const wanted = chosen ^ 0x5555n;
    assert.equal(await t.store.grantLease(60, wanted), wanted);
    await assert.rejects(t.store.grantLease(60, wanted), LeaseExistsError);
    const ids = await t.store.leases();
    assert.ok(ids.includes(chosen) && ids.includes(wanted));
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => (a < b ? -1 : 1)),
    );
  },

  async "granting and renewing leave the revision alone"(t) {
    const { revision } = await t.put("a", "1");
    const lease = await t.store.grantLease(60);
    assert.equal(await t.store.keepLeaseAlive(lease), 60);
    assert.equal((await t.store.range(t.all)).revision, revision);
  },

  async "a lease tells its time and its keys"(t) {
    const lease = await t.store.grantLease(60);
    await t.put("b", "1", lease);
    await t.put("a", "1", lease);
    const status = await t.store.leaseStatus(lease);
    assert.ok(status.remainingTtlSeconds <= 60 && status.remainingTtlSeconds >= 58);
    assert.deepEqual(
      { ...status, remainingTtlSeconds: 0, keys: status.keys.toSorted() },
      {
        id: lease,
        grantedTtlSeconds: 60,
        remainingTtlSeconds: 0,
        keys: [t.prefix + "a", t.prefix + "b"],
      },
    );
    assert.equal((await t.get("a"))?.lease, lease);
  },

  async "an unknown lease is gone, and takes no keys"(t) {
    const id = 0x1234n;
    assert.equal((await t.store.leaseStatus(id)).remainingTtlSeconds, -1);
    await assert.rejects(t.store.keepLeaseAlive(id), LeaseNotFoundError);
    await assert.rejects(t.store.revokeLease(id), LeaseNotFoundError);
    await assert.rejects(t.put("a", "1", id), LeaseNotFoundError);
  },

  async "revoking deletes the keys in one transaction"(t) {
    const lease = await t.store.grantLease(60);
    for (const name of ["a", "b", "c"]) await t.put(name, "1", lease);
    const { revision } = await t.put("kept", "1");
    using watch = new Collector(t.store, { ...t.all, startRevision: revision + 1 });
    await t.store.revokeLease(lease);
    assert.deepEqual(await names(t), ["kept=1"]);
    const batches = (): WatchBatch[] => watch.batches.filter((batch) => batch.events.length > 0);
    await watch.until(() => batches().length > 0);
    const [batch] = batches();
    assert.equal(batch?.revision, revision + 1);
    assert.deepEqual(
      batch.events.map((event) => event.type),
      ["delete", "delete", "delete"],
    );
    assert.equal((await t.store.leaseStatus(lease)).remainingTtlSeconds, -1);
    assert.ok(!(await t.store.leases()).includes(lease));
  },

  async "revoking a lease without keys writes nothing"(t) {
    const { revision } = await t.put("a", "1");
    await t.store.revokeLease(await t.store.grantLease(60));
    assert.equal((await t.store.range(t.all)).revision, revision);
  },

  async "a key belongs to the lease of its last put only"(t) {
    const [first, second] = [await t.store.grantLease(60), await t.store.grantLease(60)];
    await t.put("moved", "1", first);
    await t.put("moved", "2", second);
    await t.put("freed", "1", first);
    await t.put("freed", "2");
    await t.put("deleted", "1", first);
    await t.remove("deleted");
    await t.put("deleted", "2");
    assert.deepEqual((await t.store.leaseStatus(first)).keys, []);
    await t.store.revokeLease(first);
    assert.deepEqual(await names(t), ["deleted=2", "freed=2", "moved=2"]);
    await t.store.revokeLease(second);
    assert.deepEqual(await names(t), ["deleted=2", "freed=2"]);
  },

  async "a lease ends when its time is over, and its keys with it"(t) {
    const { revision } = await t.put("kept", "1");
    using watch = new Collector(t.store, { ...t.all, startRevision: revision + 1 });
    const lease = await t.store.grantLease(3);
    await t.put("a", "1", lease);
    await t.put("b", "1", lease);
    await t.passSeconds(1);
    assert.equal((await names(t)).length, 3);
    await t.passSeconds(4);
    const batches = (): WatchBatch[] => watch.batches.filter((batch) => batch.events.length > 0);
    await watch.until(() => batches().length >= 3);
    assert.deepEqual(
      batches()[2]?.events.map((event) => event.type),
      ["delete", "delete"],
    );
    assert.deepEqual(await names(t), ["kept=1"]);
    assert.equal((await t.store.leaseStatus(lease)).remainingTtlSeconds, -1);
  },

  async "a lease that is renewed stays"(t) {
    const lease = await t.store.grantLease(4);
    await t.put("a", "1", lease);
    for (let i = 0; i < 3; i++) {
      await t.passSeconds(2);
      assert.equal(await t.store.keepLeaseAlive(lease), 4);
    }
    assert.deepEqual(await names(t), ["a=1"]);
    await t.store.revokeLease(lease);
  },
};
