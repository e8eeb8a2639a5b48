import type { Clock } from "#base/clock.ts";
import { LeasePool } from "#store/lease-pool.ts";
import type { Store } from "#store/store.ts";
import { storeFailure } from "../storage/storage.ts";

/** Node ports that are being given out, so that two API servers on one store never give out the same. */
export interface PortClaims {
  /**
   * Takes ports until they are released. Returns those that another server is giving out: then none
   * was taken. Whoever had a claim before has written its Service by then: the caller must look for
   * the ports among the Services afterwards.
   */
  take(ports: readonly number[]): Promise<readonly number[]>;
  /** Never fails. */
  release(ports: readonly number[]): Promise<void>;
}

const prefix = "/registry/ranges/servicenodeports/";
/** A claim ends by itself when its server dies before the Service is written. */
const claimSeconds = 60;

/** Claims as keys of the store; undefined where no other server can be on it. */
export function portClaims(store: Store, clock: Clock): PortClaims | undefined {
  const { catchUp } = store;
  if (catchUp === undefined) return undefined;
  const leases = new LeasePool(store, clock);
  const keyOf = (port: number): string => `${prefix}${port}`;
  const claims: PortClaims = {
    async take(ports) {
      const lease = await leases.leaseFor(claimSeconds);
      const keys = ports.map(keyOf);
      const { succeeded, results } = await store.txn({
        compare: keys.map((key) => ({ key, target: "version", relation: "=", number: 0 })),
        success: keys.map((key) => ({ op: "put", key, value: Buffer.alloc(0), lease })),
        failure: keys.map((key) => ({ op: "range", key, countOnly: true })),
      });
      if (succeeded) {
        await store.catchUp?.();
        return [];
      }
      return ports.filter((_port, i) => {
        const result = results[i];
        return result?.op === "range" && result.count > 0;
      });
    },
    async release(ports) {
      const success = ports.map((port) => ({ op: "delete" as const, key: keyOf(port) }));
      await store.txn({ compare: [], success });
    },
  };
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      leases.forget();
      throw storeFailure(error);
    }
  };
  return {
    take: (ports) => guarded(claims.take(ports)),
    // A claim that cannot be released ends by itself: the write that it was for is done.
    release: (ports) => claims.release(ports).catch(() => undefined),
  };
}
