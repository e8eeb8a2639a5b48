import type { World } from "#base/world.ts";
import type { Encryption } from "#apiserver/encryption/encryption.ts";

export interface EncryptionFlags {
  /** An EncryptionConfiguration of apiserver.config.k8s.io/v1. */
  readonly path: string;
  /** Follows changes of the file. */
  readonly reload: boolean;
}

/** Loads what encrypts only where it is asked for. Errors: upstream's texts. */
export async function openEncryptionOf(world: World, flags: EncryptionFlags | undefined): Promise<Encryption | undefined> {
  if (flags === undefined) return undefined;
  const { openEncryption } = await import("#apiserver/encryption/encryption.ts");
  return openEncryption({ ...world, ...flags, log: world.log.named("encryption") });
}
