import type { Key, KeyValue, Op } from "./store.ts";

/** The bytes of writes under way, so that what comes back over the wire is recognized as them. */
export class OwnValues {
  readonly #values = new Map<Key, Uint8Array[]>();

  /** Remembers what the operations put, until the returned function is called. */
  add(ops: readonly Op[]): () => void {
    const puts = ops.filter((op) => op.op === "put");
    for (const { key, value } of puts) {
      const values = this.#values.get(key);
      if (values === undefined) this.#values.set(key, [value]);
      else values.push(value);
    }
    return () => {
      for (const { key, value } of puts) this.#remove(key, value);
    };
  }

  /** The same key-value with the writer's own array, when this process is putting it. */
  shared(kv: KeyValue): KeyValue {
    const own = this.#values.get(kv.key)?.find((value) => Buffer.compare(value, kv.value) === 0);
    return own === undefined ? kv : { ...kv, value: own };
  }

  #remove(key: Key, value: Uint8Array): void {
    const values = this.#values.get(key);
    const at = values?.indexOf(value) ?? -1;
    if (values === undefined || at < 0) return;
    values.splice(at, 1);
    if (values.length === 0) this.#values.delete(key);
  }
}
