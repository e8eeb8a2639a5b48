/**
 * Leases, the keys that they own, and when they end.
 *
 * Invariants: 1. A key is attached to its lease exactly while its newest version names it. 2. An
 * expired lease is reported once per `retryMs` until it is removed. 3. A lease whose id is unknown
 * keeps its keys attached until it is granted (while a log is replayed).
 */
import type { Clock, Timer } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { LeaseExistsError, LeaseNotFoundError, type Key, type LeaseStatus } from "./store.ts";

/** Longest time to live. Source: etcd's lease.MaxLeaseTTL. */
export const leaseTtlSecondsMax = 9_000_000_000;
/** A revocation that failed (the disk is full) is tried again this much later. */
const retryMs = 1000;

interface Lease {
  readonly id: bigint;
  readonly ttlSeconds: number;
  expiresMs: number;
  timer: Timer | undefined;
  /** Its revocation is on the way: it takes no keys any more. */
  ending: boolean;
}

export class LeaseTable {
  readonly #clock: Clock;
  readonly #leases = new Map<bigint, Lease>();
  readonly #keys = new Map<bigint, Set<Key>>();
  readonly #expired: (id: bigint) => void;
  #nextId = 1n;
  #closed = false;

  /** `expired` is to revoke the lease. After `close` the table still answers, but nothing expires. */
  constructor(clock: Clock, expired: (id: bigint) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** Whether the lease is there and takes keys. */
  has(id: bigint): boolean {
    return this.#leases.get(id)?.ending === false;
  }

  /** Marks a revocation that has begun, or has failed. */
  setEnding(id: bigint, ending: boolean): void {
    const lease = this.#leases.get(id);
    if (lease !== undefined) lease.ending = ending;
  }

  /** Ids, ascending. */
  ids(): bigint[] {
    return [...this.#leases.keys()].toSorted((a, b) => (a < b ? -1 : 1));
  }

  all(): { readonly id: bigint; readonly ttlSeconds: number }[] {
    return [...this.#leases.values()].map(({ id, ttlSeconds }) => ({ id, ttlSeconds }));
  }

  /** An id that no lease has. Random ones do not come again after a restart. */
  freeId(random?: Random): bigint {
    for (;;) {
      const id =
        random === undefined
          ? this.#nextId++
          : BigInt.asUintN(63, Buffer.from(random.bytes(8)).readBigUInt64BE());
      if (id !== 0n && !this.#leases.has(id)) return id;
    }
  }

  /** Errors: `LeaseExistsError`, `RangeError` for a time to live above the most. */
  checkGrant(id: bigint, ttlSeconds: number): void {
    if (ttlSeconds > leaseTtlSecondsMax) throw new RangeError("too large lease TTL");
    if (this.#leases.has(id)) throw new LeaseExistsError();
  }

  /** Starts the lease; a lease with this id ends without a trace. */
  grant(id: bigint, ttlSeconds: number): void {
    this.#leases.get(id)?.timer?.[Symbol.dispose]();
    const expiresMs = this.#clock.monotonicMs() + ttlSeconds * 1000;
    const lease: Lease = { id, ttlSeconds, expiresMs, timer: undefined, ending: false };
    this.#leases.set(id, lease);
    this.#arm(lease, ttlSeconds * 1000);
  }

  /** Gives the lease its whole time again; returns that in seconds. */
  renew(id: bigint): number {
    const lease = this.#lease(id);
    // The timer that is armed looks again when it fires: renewing is frequent, expiry is rare.
    lease.expiresMs = this.#clock.monotonicMs() + lease.ttlSeconds * 1000;
    return lease.ttlSeconds;
  }

  remove(id: bigint): void {
    this.#leases.get(id)?.timer?.[Symbol.dispose]();
    this.#leases.delete(id);
  }

  /** Keys of the lease, ascending. */
  keys(id: bigint): Key[] {
    return [...(this.#keys.get(id) ?? [])].toSorted();
  }

  status(id: bigint): LeaseStatus {
    const lease = this.#leases.get(id);
    if (lease === undefined) {
      return { id, grantedTtlSeconds: 0, remainingTtlSeconds: -1, keys: [] };
    }
    const leftMs = Math.max(0, lease.expiresMs - this.#clock.monotonicMs());
    return {
      id,
      grantedTtlSeconds: lease.ttlSeconds,
      remainingTtlSeconds: Math.floor(leftMs / 1000),
      keys: this.keys(id),
    };
  }

  attach(id: bigint, key: Key): void {
    const keys = this.#keys.get(id);
    if (keys === undefined) this.#keys.set(id, new Set([key]));
    else keys.add(key);
  }

  detach(id: bigint, key: Key): void {
    const keys = this.#keys.get(id);
    if (keys?.delete(key) && keys.size === 0) this.#keys.delete(id);
  }

  /** Leases and attachments of `other`, with their whole time to live. */
  copyFrom(other: LeaseTable): void {
    for (const { id, ttlSeconds } of other.#leases.values()) this.grant(id, ttlSeconds);
    for (const [id, keys] of other.#keys) this.#keys.set(id, new Set(keys));
  }

  close(): void {
    this.#closed = true;
    for (const lease of this.#leases.values()) lease.timer?.[Symbol.dispose]();
  }

  #lease(id: bigint): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined || lease.ending) throw new LeaseNotFoundError();
    return lease;
  }

  #arm(lease: Lease, delayMs: number): void {
    if (this.#closed) return;
    lease.timer = this.#clock.after(delayMs, () => {
      const leftMs = lease.expiresMs - this.#clock.monotonicMs();
      if (leftMs > 0) return this.#arm(lease, leftMs);
      this.#arm(lease, retryMs);
      this.#expired(lease.id);
    });
  }
}
