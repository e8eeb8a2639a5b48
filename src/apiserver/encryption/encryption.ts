/**
 * Encryption at rest as one file says it, and as it says it now where it is watched.
 * Source: apiserver/pkg/server/options/encryptionconfig, controller/controller.go.
 */
import { errorMessage } from "#base/error-message.ts";
import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import { type Files, isIoError } from "#base/files.ts";
import { goQuote } from "#apimachinery/field-error.ts";
import type { Store } from "#store/store.ts";
import type { HealthCheck } from "../http/health.ts";
import { parseEncryptionConfiguration } from "./configuration.ts";
import { type CurrentTransformer, encryptStore, type EncryptedStore } from "./encrypted-store.ts";
import type { EncryptionMetrics } from "./encryption-metrics.ts";
import { openProviders, type ProviderPorts, type Providers } from "./providers.ts";
import { aggregateText } from "./transformer.ts";

export interface EncryptionOptions extends ProviderPorts {
  readonly files: Files;
  readonly path: string;
  /** Follows changes of the file. @default false */
  readonly reload?: boolean;
  readonly metrics?: EncryptionMetrics;
}

export interface Encryption extends Disposable {
  /** The store as the storage of a resource shall see it. */
  storeFor(store: Store, group: string, resource: string): EncryptedStore;
  /** Of plugins; none where there cannot be any. */
  readonly checks: readonly HealthCheck[];
  /** Resolves when the file, as it is now, is in force or refused. */
  settled(): Promise<void>;
}

/** Source: minKMSPluginCloseGracePeriod, and the poll of validateNewTransformersHealth. */
const healthyWithinMs = 10_000;
const healthEveryMs = 100;
/** Old plugins are left when whoever was asking them has an answer. */
const closeAfterMs = 10_000;
const retryMinMs = 1_000;
const retryMaxMs = 60_000;

/** Errors: upstream's texts, of a file that cannot be read, or is none. */
export async function openEncryption(options: EncryptionOptions): Promise<Encryption> {
  const loaded = await load(options, options.reload === true);
  const encryption = new FileEncryption(options, loaded);
  if (options.reload === true) encryption.follow();
  return encryption;
}

interface Loaded {
  readonly providers: Providers;
  /** Keys are in the transformers alone, so the content itself is not kept. */
  readonly hash: string;
}

async function load(options: EncryptionOptions, reload: boolean): Promise<Loaded> {
  const { path } = options;
  try {
    const content = await readFile(options);
    const configuration = parseEncryptionConfiguration(content, path, reload);
    const providers = await openProviders(configuration, options).catch((error: unknown) => {
      throw new BuildError(`error while building transformers: ${errorMessage(error)}`, { cause: error });
    });
    return { providers, hash: hashOf(content) };
  } catch (cause) {
    if (cause instanceof BuildError) throw cause;
    throw new Error(`error while parsing file: ${errorMessage(cause)}`, { cause });
  }
}

class BuildError extends Error {
  override readonly name = "BuildError";
}

async function readFile({ files, path }: EncryptionOptions): Promise<Uint8Array> {
  try {
    return await files.read(path);
  } catch (cause) {
    const problem = isIoError(cause, "ENOENT") ? `open ${path}: no such file or directory` : errorMessage(cause);
    const text = `error while loading file: error reading encryption provider configuration file ${goQuote(path)}: ${problem}`;
    throw new Error(text, { cause });
  }
}

function hashOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

class FileEncryption implements Encryption {
  readonly checks: readonly HealthCheck[];
  readonly #options: EncryptionOptions;
  #loaded: Loaded;
  #generation = 0;
  #watch: Disposable | undefined;
  #retry: Disposable | undefined;
  #retryMs = retryMinMs;
  #work: Promise<void> = Promise.resolve();
  #isDisposed = false;
  /** Configurations that were in force a moment ago, and when they end. */
  readonly #leaving = new Map<Providers, Disposable>();

  constructor(options: EncryptionOptions, loaded: Loaded) {
    this.#options = options;
    this.#loaded = loaded;
    const hasCheck = options.reload === true || loaded.providers.plugins.length > 0;
    options.metrics?.configured(loaded.hash);
    this.checks = hasCheck ? [{ name: "kms-providers", check: () => problemOf(this.#loaded.providers) }] : [];
  }

  storeFor(store: Store, group: string, resource: string): EncryptedStore {
    let known: { generation: number; transformer: ReturnType<Providers["transformerFor"]> } | undefined;
    const current: CurrentTransformer = () => {
      if (known?.generation !== this.#generation) {
        known = { generation: this.#generation, transformer: this.#loaded.providers.transformerFor(group, resource) };
      }
      return known;
    };
    return encryptStore(store, current, this.#options.metrics?.transformations(group, resource));
  }

  /** Of the directory, since files are replaced by renaming. */
  follow(): void {
    const { files, path } = this.#options;
    this.#watch = files.watch(dirname(resolve(path)), () => this.#reloadSoon());
    // It may have changed before the watch began.
    this.#reloadSoon();
  }

  settled(): Promise<void> {
    return this.#work;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#watch?.[Symbol.dispose]();
    this.#retry?.[Symbol.dispose]();
    this.#loaded.providers[Symbol.dispose]();
    for (const old of this.#leaving.keys()) this.#leave(old);
  }

  #leave(old: Providers): void {
    this.#leaving.get(old)?.[Symbol.dispose]();
    this.#leaving.delete(old);
    old[Symbol.dispose]();
  }

  #reloadSoon(): void {
    this.#retry?.[Symbol.dispose]();
    this.#work = this.#work.then(() => this.#reload());
  }

  async #reload(): Promise<void> {
    const { log, path, clock, metrics } = this.#options;
    if (this.#isDisposed) return;
    try {
      if (hashOf(await readFile(this.#options)) === this.#loaded.hash) return;
      const next = await load(this.#options, true);
      await this.#mustBeHealthy(next.providers);
      if (this.#isDisposed) return next.providers[Symbol.dispose]();
      const { providers: old } = this.#loaded;
      this.#loaded = next;
      this.#generation++;
      this.#retryMs = retryMinMs;
      const leave = clock.after(closeAfterMs, () => this.#leave(old));
      this.#leaving.set(old, leave);
      metrics?.configured(next.hash);
      metrics?.reloaded(true, clock.nowMs());
      log.info("Loaded new encryption configuration", { path, hash: next.hash });
    } catch (error) {
      if (this.#isDisposed) return;
      metrics?.reloaded(false, clock.nowMs());
      log.error("Encryption configuration was not loaded, the one before stays in force", error, { path });
      this.#retry = clock.after(this.#retryMs, () => this.#reloadSoon());
      this.#retryMs = Math.min(retryMaxMs, this.#retryMs * 2);
    }
  }

  /** New plugins must work before the old ones are let go. */
  async #mustBeHealthy(providers: Providers): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + healthyWithinMs;
    for (;;) {
      const problem = await problemOf(providers);
      if (problem === undefined) return;
      if (this.#isDisposed || clock.monotonicMs() >= untilMs) {
        providers[Symbol.dispose]();
        throw new Error(`health check for new transformers failed: ${problem}`);
      }
      await clock.sleep(healthEveryMs);
    }
  }
}

async function problemOf({ plugins }: Providers): Promise<string | undefined> {
  const problems: string[] = [];
  for (const [i, plugin] of plugins.entries()) {
    const problem = await plugin.check();
    if (problem !== undefined) problems.push(`kms-provider-${i}: ${problem}`);
  }
  return problems.length === 0 ? undefined : aggregateText(problems);
}
