import type { Command } from "commander";
import type { MetricRegistry } from "#base/metrics.ts";
import type { World } from "#base/world.ts";
import type { Encryption } from "#apiserver/encryption/encryption.ts";
import { pathOption } from "./command.ts";

export interface EncryptionFlags {
  /** An EncryptionConfiguration of apiserver.config.k8s.io/v1. */
  readonly path: string;
  /** Follows changes of the file. */
  readonly reload: boolean;
}

export interface EncryptionCliOptions {
  readonly encryptionProviderConfig?: string;
  readonly encryptionProviderConfigAutomaticReload?: boolean | string;
}

export function addEncryptionOptions(command: Command): Command {
  return command
    .option("--encryption-provider-config <file>", "how values are encrypted in the store: an EncryptionConfiguration", pathOption)
    .option("--encryption-provider-config-automatic-reload [bool]", "whether that file is followed", "false");
}

export function encryptionFlags(options: EncryptionCliOptions): { readonly encryption?: EncryptionFlags } {
  const { encryptionProviderConfig: path, encryptionProviderConfigAutomaticReload: reload } = options;
  const follows = reload === true || reload === "true";
  if (path !== undefined) return { encryption: { path, reload: follows } };
  if (!follows) return {};
  throw new Error("--encryption-provider-config-automatic-reload must be set with --encryption-provider-config");
}

/** Loads what encrypts only where it is asked for. Errors: upstream's texts. */
export async function openEncryptionOf(
  world: World,
  flags: EncryptionFlags | undefined,
  registry: MetricRegistry,
): Promise<Encryption | undefined> {
  if (flags === undefined) return undefined;
  const { openEncryption } = await import("#apiserver/encryption/encryption.ts");
  const { encryptionMetrics } = await import("#apiserver/encryption/encryption-metrics.ts");
  return openEncryption({ ...world, ...flags, log: world.log.named("encryption"), metrics: encryptionMetrics(registry) });
}
