/**
 * Stored bytes <-> plain bytes, in upstream's formats: what a kube-apiserver encrypted is read here, and the other
 * way round. Source: apiserver/pkg/storage/value/transformer.go.
 */
import { errorMessage } from "#base/error-message.ts";
import type { Key } from "#store/store.ts";

export interface Plain {
  readonly bytes: Uint8Array;
  /** The next update shall write it anew, although nothing has changed. */
  readonly stale: boolean;
}

/** The key of the value is authenticated with it, so that a value moved elsewhere is refused. */
export interface Transformer {
  /** Throws or rejects with what is wrong with the bytes. Waits only for a key that somebody else keeps. */
  fromStorage(bytes: Uint8Array, key: Key): Plain | Promise<Plain>;
  toStorage(bytes: Uint8Array, key: Key): Uint8Array;
}

export interface PrefixedTransformer {
  /** In the stored bytes, before those of the transformer. */
  readonly prefix: string;
  readonly transformer: Transformer;
}

const encryptedPrefix = Buffer.from("k8s:enc:");

/** Writes as it is; reads what is not encrypted. */
export const identityTransformer: Transformer = {
  fromStorage(bytes) {
    if (startsWith(bytes, encryptedPrefix)) throw new Error("identity transformer tried to read encrypted data");
    return { bytes, stale: false };
  },
  toStorage: (bytes) => bytes,
};

/**
 * Writes with the first; reads with each whose prefix is there, until one succeeds. What the first one did not read
 * is stale. `unmatched` is the error when none has the prefix.
 */
export function prefixTransformers(parts: readonly PrefixedTransformer[], unmatched: string): Transformer {
  const prefixes = parts.map(({ prefix }) => Buffer.from(prefix));
  const [first] = parts;
  if (first === undefined) throw new Error("no transformers");

  function readFrom(index: number, spec: Attempt): Plain | Promise<Plain> {
    for (let i = index; i < parts.length; i++) {
      const prefix = prefixes[i] as Buffer;
      if (!startsWith(spec.bytes, prefix)) continue;
      const failed = (error: unknown): void => {
        if (prefix.length > 0) spec.errors.add(errorMessage(error));
      };
      const read = (plain: Plain): Plain => (i === 0 || plain.stale ? plain : { ...plain, stale: true });
      try {
        const plain = (parts[i] as PrefixedTransformer).transformer.fromStorage(spec.bytes.subarray(prefix.length), spec.key);
        if (!(plain instanceof Promise)) return read(plain);
        return plain.then(read, (error: unknown) => {
          failed(error);
          return readFrom(i + 1, spec);
        });
      } catch (error) {
        failed(error);
      }
    }
    throw new Error(spec.errors.size > 0 ? aggregateText([...spec.errors]) : unmatched);
  }

  return {
    fromStorage: (bytes, key) => readFrom(0, { bytes, key, errors: new Set() }),
    toStorage(bytes, key) {
      const written = first.transformer.toStorage(bytes, key);
      return first.prefix === "" ? written : Buffer.concat([prefixes[0] as Buffer, written]);
    },
  };
}

interface Attempt {
  readonly bytes: Uint8Array;
  readonly key: Key;
  readonly errors: Set<string>;
}

/** One text as it is, several as `[a, b]`: Go's reduced aggregate. */
export function aggregateText(texts: readonly string[]): string {
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
