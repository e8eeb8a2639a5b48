import type { Clock } from "#base/clock.ts";
import type { Store } from "./store.ts";

/** A lease is given to what is written this long, but no longer than this part of its time. */
const reuseSecondsMax = 60;
const reuseFraction = 0.05;
const objectsPerLeaseMax = 1000;

interface Granted {
  readonly id: Promise<bigint>;
  readonly expiresMs: number;
  /** How many may still have it. */
  left: number;
}

/**
 * Leases for objects that live about equally long: those written shortly after each other share one,
 * because leases are dear in etcd. An object may live a twentieth longer than asked.
 * Source: apiserver storage/etcd3/lease_manager.go.
 */
export class LeasePool {
  readonly #store: Store;
  readonly #clock: Clock;
  #granted: Granted | undefined;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** A lease that ends in `ttlSeconds` or a little later. */
  leaseFor(ttlSeconds: number): Promise<bigint> {
    const reuseSeconds = Math.min(reuseSecondsMax, Math.floor(reuseFraction * ttlSeconds));
    const nowMs = this.#clock.monotonicMs();
    const known = this.#granted;
    if (known !== undefined && known.left > 0) {
      const leftSeconds = (known.expiresMs - nowMs) / 1000;
      if (leftSeconds > ttlSeconds && leftSeconds <= ttlSeconds + reuseSeconds) {
        known.left--;
        return known.id;
      }
    }
    const wholeSeconds = ttlSeconds + reuseSeconds;
    const granted: Granted = {
      id: this.#store.grantLease(wholeSeconds),
      expiresMs: nowMs + wholeSeconds * 1000,
      left: objectsPerLeaseMax - 1,
    };
    this.#granted = granted;
    granted.id.catch(() => this.forget());
    return granted.id;
  }

  /** Asks for a new lease next time: this one is gone. */
  forget(): void {
    this.#granted = undefined;
  }
}
