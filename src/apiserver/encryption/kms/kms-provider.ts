/**
 * A provider whose keys a plugin keeps (KMS v2). The plugin encrypts one seed; every object gets a key of its own
 * made of that, without asking the plugin.
 *
 * Invariants: 1. What was read once is read without the plugin, as long as its seed is among the last `seedsMax`.
 * 2. Writes go on for `writeSeedMsMax` after the plugin was last seen well, then fail. 3. A new key ID of the plugin
 * gives a new seed, and makes everything that was encrypted before stale.
 * Source: apiserver/pkg/server/options/encryptionconfig/config.go, kmsv2/envelope.go.
 */
import { errorMessage } from "#base/error-message.ts";
import { createHash } from "node:crypto";
import { type Clock, rfc3339 } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Key } from "#store/store.ts";
import { extendedNonceTransformer, gcmTransformer, seedBytes } from "../aes.ts";
import { aggregateText, type Plain, type Transformer } from "../transformer.ts";
import {
  checkEncryptedObject,
  EncryptedObject,
  keyIdProblem,
  seedIdentity,
  seedIsExpanded,
} from "./encrypted-object.ts";
import type { StatusResponse } from "./kms-messages.ts";
import type { KmsService } from "./kms-service.ts";

/** Source: kmsv2PluginHealthzPositiveInterval and so on. */
const probeWellEveryMs = 60_000;
const probeIllEveryMs = 10_000;
export const writeSeedMsMax = 180_000;
const wellForMs = 20_000;
const illForMs = 3_000;
/** Decrypted seeds that are remembered. */
export const seedsMax = 1_000;
const apiVersions: ReadonlySet<string> = new Set(["v2", "v2beta1"]);

export interface KmsProviderOptions {
  readonly name: string;
  readonly service: KmsService;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface KmsProvider extends Disposable {
  readonly transformer: Transformer;
  /** Why it does not work; asks the plugin unless it was asked a moment ago. */
  check(): Promise<string | undefined>;
}

/** Asks the plugin once before it resolves; a plugin that is away is no error, and asked again. */
export async function openKmsProvider(options: KmsProviderOptions): Promise<KmsProvider> {
  const provider = new PluginProvider(options);
  await provider.start();
  return provider;
}

/** What writes are encrypted with. */
interface Seed {
  readonly transformer: Transformer;
  readonly object: EncryptedObject;
  readonly writableUntilMs: number;
}

class PluginProvider implements KmsProvider {
  readonly transformer: Transformer = {
    fromStorage: (bytes, key) => this.#read(bytes, key),
    toStorage: (bytes, key) => this.#write(bytes, key),
  };
  readonly #options: KmsProviderOptions;
  readonly #readers = new Map<string, Transformer>();
  readonly #asked = new Map<string, Promise<Transformer>>();
  #seed: Seed | undefined;
  #version = "";
  #last: { readonly problem: string | undefined; readonly untilMs: number } | undefined;
  #checking: Promise<string | undefined> | undefined;
  #timer: Disposable | undefined;
  #isDisposed = false;

  constructor(options: KmsProviderOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const problem = await this.check();
    if (this.#isDisposed) return;
    if (problem !== undefined) {
      this.#options.log.warn("KMS plugin failed its health check", { name: this.#options.name, problem });
    }
    const delayMs = problem === undefined ? probeWellEveryMs : probeIllEveryMs;
    this.#timer = this.#options.clock.after(delayMs, () => void this.start());
  }

  check(): Promise<string | undefined> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#last !== undefined && nowMs < this.#last.untilMs) return Promise.resolve(this.#last.problem);
    this.#checking ??= this.#probe()
      .then((problem) => {
        const forMs = problem === undefined ? wellForMs : illForMs;
        this.#last = { problem, untilMs: this.#options.clock.monotonicMs() + forMs };
        return problem;
      })
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
    this.#options.service[Symbol.dispose]();
  }

  async #probe(): Promise<string | undefined> {
    const { name, service } = this.#options;
    let status: StatusResponse;
    try {
      status = await service.status();
    } catch (error) {
      return `failed to perform status section of the healthz check for KMS Provider ${name}, error: ${errorMessage(error)}`;
    }
    const problems: string[] = [];
    if (status.healthz !== "ok") problems.push(`got unexpected healthz status: ${status.healthz}`);
    const versionProblem = this.#versionProblem(status.version);
    if (versionProblem !== undefined) problems.push(versionProblem);
    const keyProblem = keyIdProblem(status.keyId);
    if (keyProblem !== undefined) {
      problems.push(`got invalid KMSv2 KeyID hash ${JSON.stringify(hashOf(status.keyId))}: ${keyProblem}`);
    } else {
      const problem = await this.#renewSeed(status.keyId);
      if (problem !== undefined) problems.push(problem);
    }
    return problems.length === 0 ? undefined : `kmsv2 Provider ${name} is not healthy, error: ${aggregateText(problems)}`;
  }

  #versionProblem(version: string): string | undefined {
    if (!apiVersions.has(version)) return `expected KMSv2 API version v2, got ${version}`;
    this.#version ||= version;
    if (this.#version === version) return undefined;
    return `KMSv2 API version should not change after the initial status response version ${this.#version}, got ${version}`;
  }

  /** Keeps the seed while the plugin's key is the same, else makes one. Returns why it could not. */
  async #renewSeed(keyId: string): Promise<string | undefined> {
    const { clock, random, service } = this.#options;
    const writableUntilMs = clock.monotonicMs() + writeSeedMsMax;
    const seed = this.#seed;
    if (seed?.object.keyId === keyId) {
      this.#seed = { ...seed, writableUntilMs };
      return undefined;
    }
    const uid = random.uuid();
    let problem: string;
    try {
      const made = random.bytes(seedBytes);
      const encrypted = await service.encrypt(uid, made).catch((error: unknown) => {
        throw new Error(`failed to encrypt DEK, error: ${errorMessage(error)}`, { cause: error });
      });
      const { ciphertext, annotations } = encrypted;
      const encryptedData = Uint8Array.of(0);
      const object = { encryptedData, keyId: encrypted.keyId, encryptedSeed: ciphertext, annotations, seedKind: seedIsExpanded };
      checkEncryptedObject(object);
      if (object.keyId === keyId) {
        const transformer = extendedNonceTransformer(made, random);
        this.#seed = { transformer, object, writableUntilMs };
        this.#remember(seedIdentity(object), transformer);
        return undefined;
      }
      problem = `statusKeyIDHash=${JSON.stringify(hashOf(keyId))}, encryptKeyIDHash=${JSON.stringify(hashOf(object.keyId))}`;
    } catch (error) {
      problem = `errGen=${errorMessage(error)}`;
    }
    return `failed to rotate DEK uid=${JSON.stringify(uid)}, useSeed=true, ${problem}`;
  }

  #write(bytes: Uint8Array, key: Key): Uint8Array {
    const seed = this.#currentSeed();
    const { clock } = this.#options;
    const overdueMs = clock.monotonicMs() - seed.writableUntilMs;
    if (overdueMs > 0) {
      const [until, now] = [rfc3339(clock.nowMs() - overdueMs), rfc3339(clock.nowMs())];
      const hash = JSON.stringify(hashOf(seed.object.keyId));
      throw new Error(`encryptedDEKSource with keyID hash ${hash} expired at ${until} (current time is ${now})`);
    }
    const object = { ...seed.object, encryptedData: seed.transformer.toStorage(bytes, key) };
    return EncryptedObject.encode(object);
  }

  #read(bytes: Uint8Array, key: Key): Plain | Promise<Plain> {
    const object = EncryptedObject.decode(bytes);
    checkEncryptedObject(object);
    const { keyId, seedKind } = this.#currentSeed().object;
    const stale = object.keyId !== keyId || object.seedKind !== seedKind;
    const open = (reader: Transformer): Plain | Promise<Plain> => {
      const plain = reader.fromStorage(object.encryptedData, key) as Plain;
      return stale ? { ...plain, stale } : plain;
    };
    const identity = seedIdentity(object);
    const known = this.#readers.get(identity);
    return known === undefined ? this.#ask(identity, object).then(open) : open(known);
  }

  /** Has the plugin decrypt a seed; who wants the same one meanwhile shares the answer. */
  #ask(identity: string, object: EncryptedObject): Promise<Transformer> {
    let asked = this.#asked.get(identity);
    if (asked === undefined) {
      asked = this.#decryptSeed(object)
        .then((reader) => {
          this.#remember(identity, reader);
          return reader;
        })
        .finally(() => this.#asked.delete(identity));
      this.#asked.set(identity, asked);
    }
    return asked;
  }

  async #decryptSeed({ encryptedSeed, keyId, annotations, seedKind }: EncryptedObject): Promise<Transformer> {
    const { service, random } = this.#options;
    const request = { ciphertext: encryptedSeed, uid: random.uuid(), keyId, annotations };
    const seed = await service.decrypt(request).catch((error: unknown) => {
      throw new Error(`failed to decrypt DEK, error: ${errorMessage(error)}`, { cause: error });
    });
    if (seedKind === seedIsExpanded) return extendedNonceTransformer(seed, random);
    if (![16, 24, 32].includes(seed.length)) throw new Error(`crypto/aes: invalid key size ${seed.length}`);
    return gcmTransformer(seed, random);
  }

  #remember(identity: string, reader: Transformer): void {
    this.#readers.set(identity, reader);
    const [oldest] = this.#readers.keys();
    if (this.#readers.size > seedsMax && oldest !== undefined) this.#readers.delete(oldest);
  }

  #currentSeed(): Seed {
    if (this.#seed === undefined) throw new Error("got unexpected nil transformer");
    return this.#seed;
  }
}

/** Source: envelopekmsv2.GetHashIfNotEmpty. */
function hashOf(text: string): string {
  return text === "" ? "" : `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
