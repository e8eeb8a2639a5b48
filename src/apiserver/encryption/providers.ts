/** Transformers of a configuration. Source: apiserver/pkg/server/options/encryptionconfig/config.go. */
import { errorMessage } from "#base/error-message.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import { goQuote } from "#apimachinery/field-error.ts";
import { cbcTransformer, gcmTransformer } from "./aes.ts";
import { decodeBase64 } from "./base64.ts";
import {
  type EncryptionConfiguration,
  type KeyConfiguration,
  type KmsConfiguration,
  type ProviderConfiguration,
  timeoutMsOf,
} from "./configuration.ts";
import { groupResourceText, parseGroupResource } from "./group-resource.ts";
import type { KmsProvider } from "./kms/kms-provider.ts";
import { type PrefixedTransformer, identityTransformer, prefixTransformers, type Transformer } from "./transformer.ts";

export interface ProviderPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A configuration at work. Disposing it leaves the plugins. */
export interface Providers extends Disposable {
  /** How objects of a resource are stored; as they are, where nothing covers it. */
  transformerFor(group: string, resource: string): Transformer;
  readonly plugins: readonly KmsProvider[];
}

const unsupportedV1 =
  "KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.";

/** Errors: upstream's texts, of a resource that an earlier rule masks, or of a plugin that is not supported. */
export async function openProviders(configuration: EncryptionConfiguration, ports: ProviderPorts): Promise<Providers> {
  const plugins: KmsProvider[] = [];
  try {
    const rules = new Map<string, PrefixedTransformer[]>();
    for (const { resources, providers } of configuration.resources) {
      const made: PrefixedTransformer[] = [];
      for (const provider of providers) made.push(await openProvider(provider, ports, plugins));
      for (const resource of resources) addRule(rules, resource, made);
    }
    return providersOf(rules, plugins);
  } catch (error) {
    for (const plugin of plugins) plugin[Symbol.dispose]();
    throw error;
  }
}

function addRule(rules: Map<string, PrefixedTransformer[]>, text: string, made: readonly PrefixedTransformer[]): void {
  const { group, resource } = parseGroupResource(text);
  for (const wider of [{ group, resource: "*" }, { group: "*", resource: "*" }]) {
    const shown = groupResourceText(wider);
    if (rules.has(shown)) throw new Error(`resource ${goQuote(text)} is masked by earlier rule ${goQuote(shown)}`);
  }
  const key = groupResourceText({ group, resource });
  rules.set(key, [...(rules.get(key) ?? []), ...made]);
}

function providersOf(rules: ReadonlyMap<string, readonly PrefixedTransformer[]>, plugins: readonly KmsProvider[]): Providers {
  const transformers = new Map([...rules].map(([text, parts]) => [text, prefixTransformers(parts, "no matching prefix found")]));
  return {
    plugins,
    transformerFor: (group, resource) =>
      transformers.get(groupResourceText({ group, resource })) ??
      transformers.get(groupResourceText({ group, resource: "*" })) ??
      transformers.get("*.*") ??
      identityTransformer,
    [Symbol.dispose]() {
      for (const plugin of plugins) plugin[Symbol.dispose]();
    },
  };
}

async function openProvider(
  { kms, aesgcm, aescbc, secretbox }: ProviderConfiguration,
  ports: ProviderPorts,
  plugins: KmsProvider[],
): Promise<PrefixedTransformer> {
  const { random } = ports;
  if (kms !== undefined) {
    const plugin = await openPlugin(kms, ports);
    plugins.push(plugin);
    return { prefix: `k8s:enc:kms:v2:${kms.name}:`, transformer: plugin.transformer };
  }
  if (aesgcm !== undefined) {
    return keyed("aesgcm", "AES", { keys: aesgcm.keys, make: (secret) => gcmTransformer(secret, random) });
  }
  if (aescbc !== undefined) {
    return keyed("aescbc", "AES", { keys: aescbc.keys, make: (secret) => cbcTransformer(secret, random) });
  }
  if (secretbox !== undefined) {
    // Its library is loaded by those alone who use it.
    const { secretboxTransformer } = await import("./secretbox.ts");
    return keyed("secretbox", "Secretbox", { keys: secretbox.keys, make: (secret) => secretboxTransformer(secret, random) });
  }
  return { prefix: "", transformer: identityTransformer };
}

interface Keys {
  readonly keys: readonly KeyConfiguration[];
  readonly make: (secret: Uint8Array) => Transformer;
}

/** Keys of one provider: the first writes, each says by its name what it wrote. */
function keyed(provider: string, shown: string, { keys, make }: Keys): PrefixedTransformer {
  const parts = keys.map(({ name, secret }) => ({ prefix: `${name}:`, transformer: make(decodeBase64(secret) ?? Buffer.alloc(0)) }));
  const unmatched = `no matching key was found for the provided ${shown} transformer`;
  return { prefix: `k8s:enc:${provider}:v1:`, transformer: prefixTransformers(parts, unmatched) };
}

async function openPlugin(kms: KmsConfiguration, { clock, random, log }: ProviderPorts): Promise<KmsProvider> {
  const { name, endpoint, apiVersion } = kms;
  if (apiVersion === "v1") throw new Error(unsupportedV1);
  const { openKmsService } = await import("./kms/kms-service.ts");
  const { openKmsProvider } = await import("./kms/kms-provider.ts");
  try {
    const service = await openKmsService({ endpoint, timeoutMs: timeoutMsOf(kms), clock });
    return await openKmsProvider({ name, service, clock, random, log });
  } catch (cause) {
    const problem = errorMessage(cause);
    throw new Error(`could not configure KMSv2-Plugin's probe ${goQuote(name)}, error: ${problem}`, { cause });
  }
}
