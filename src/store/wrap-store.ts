import type { Store } from "./store.ts";

/** A store that does as another one, but for what `own` does itself. */
export function wrapStore<Own extends Partial<Store>>(store: Store, own: Own): Store & Own {
  const { catchUp } = store;
  const rest: Store = {
    get revision() {
      return store.revision;
    },
    range: (query) => store.range(query),
    txn: (txn) => store.txn(txn),
    watch: (query, sink) => store.watch(query, sink),
    ...(catchUp !== undefined && { catchUp: () => catchUp.call(store) }),
    compact: (revision) => store.compact(revision),
    grantLease: (ttlSeconds, id) => store.grantLease(ttlSeconds, id),
    keepLeaseAlive: (id) => store.keepLeaseAlive(id),
    revokeLease: (id) => store.revokeLease(id),
    leaseStatus: (id) => store.leaseStatus(id),
    leases: () => store.leases(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  return Object.defineProperties(rest, Object.getOwnPropertyDescriptors(own)) as Store & Own;
}
