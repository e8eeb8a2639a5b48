import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { apiVersionOf, type GroupVersionKind } from "#apimachinery/object.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";
import type { Clock } from "#base/clock.ts";
import type { Durability, Store } from "#store/store.ts";
import { assert } from "#base/assert.ts";
import type { Endpoint } from "./call.ts";
import type { Encryption } from "./encryption/encryption.ts";
import type { KindLookup } from "./rest/decode.ts";
import { ResourceStorage } from "./storage/storage.ts";

/**
 * Everything that is served now: built-in kinds from the start, custom ones as they come and go.
 * Invariants: 1. one definition per group, version and plural. 2. Definitions that share a storage
 * prefix share one `ResourceStorage`. 3. `generation` changes with every change.
 */
export class ApiTable implements KindLookup {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #encryption: Encryption | undefined;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #retirements = new Map<string, AbortController>();
  readonly #storages = new Map<string, ResourceStorage>();
  readonly #kinds = new Map<string, number>();
  /** Every version of the kinds here, served or not. */
  readonly #known = new Set<ResourceDefinition>();
  readonly #listeners = new Set<() => void>();
  readonly #versions = new Map<string, Map<string, ResourceDefinition>>();
  #versionsAt = -1;
  #generation = 0;

  constructor(store: Store, clock: Clock, encryption?: Encryption) {
    this.#store = store;
    this.#clock = clock;
    this.#encryption = encryption;
  }

  get generation(): number {
    return this.#generation;
  }

  find(group: string, version: string, plural: string): Endpoint | undefined {
    return this.#endpoints.get(keyOf(group, version, plural));
  }

  /** The endpoint of a definition that must be there. */
  of(definition: ResourceDefinition): Endpoint {
    const endpoint = this.find(definition.group, definition.version, definition.plural);
    assert(endpoint !== undefined, `${definition.plural}.${definition.group} is not served`);
    return endpoint;
  }

  /** In the order they were added. */
  endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  /** True when some resource of the group version is served. */
  servesVersion(group: string, version: string): boolean {
    for (const { definition } of this.#endpoints.values()) {
      if (definition.group === group && definition.version === version) return true;
    }
    return false;
  }

  /** True for a group of the server itself. */
  servesGroup(group: string): boolean {
    for (const { definition } of this.#endpoints.values()) {
      if (definition.group === group && definition.custom === undefined) return true;
    }
    return false;
  }

  has({ group, version, kind }: GroupVersionKind): boolean {
    return this.#kinds.has(`${group}/${version}/${kind}`);
  }

  schemaOf({ group, version, kind }: GroupVersionKind): StructSchema<Fields> | undefined {
    const isIt = (one: ResourceDefinition): boolean => one.kind === kind && one.group === group && one.version === version;
    return [...this.#known].find((one) => one.custom === undefined && isIt(one))?.schema;
  }

  /** Kinds that bodies may name although no resource carries them (DeleteOptions, Status...). */
  addKind({ group, version, kind }: GroupVersionKind): void {
    this.#count(`${group}/${version}/${kind}`, 1);
  }

  /** All served versions of some kinds at once. `known` has those too that are not served: objects may be stored in them. */
  add(definitions: readonly ResourceDefinition[], known = definitions): void {
    for (const definition of known) this.#known.add(definition);
    for (const definition of definitions) {
      const hub = hubOf(definition, known);
      const { prefix } = hub.storage;
      const versions = (): ReadonlyMap<string, ResourceDefinition> => this.#versionsOf(prefix);
      const key = keyOf(definition.group, definition.version, definition.plural);
      const retirement = new AbortController();
      this.#retirements.set(key, retirement);
      const storage = this.#storageOf(hub);
      this.#endpoints.set(key, { definition, hub, storage, versions, retired: retirement.signal });
      this.#count(`${definition.group}/${definition.version}/${definition.kind}`, 1);
    }
    this.#changed();
  }

  remove(definitions: readonly ResourceDefinition[]): void {
    for (const definition of definitions) {
      const key = keyOf(definition.group, definition.version, definition.plural);
      this.#endpoints.delete(key);
      this.#known.delete(definition);
      this.#retirements.get(key)?.abort();
      this.#retirements.delete(key);
      this.#count(`${definition.group}/${definition.version}/${definition.kind}`, -1);
    }
    this.#changed();
  }

  /** Ends every watch, and those to come: the server stops. What is served stays known. */
  retireAll(): void {
    for (const retirement of this.#retirements.values()) retirement.abort();
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #versionsOf(prefix: string): ReadonlyMap<string, ResourceDefinition> {
    if (this.#versionsAt !== this.#generation) {
      this.#versionsAt = this.#generation;
      this.#versions.clear();
      for (const definition of this.#known) {
        const { group, version, storage } = definition;
        const known = this.#versions.get(storage.prefix) ?? new Map<string, ResourceDefinition>();
        this.#versions.set(storage.prefix, known.set(apiVersionOf(group, version), definition));
      }
    }
    return this.#versions.get(prefix) ?? new Map();
  }

  #storageOf(hub: ResourceDefinition): ResourceStorage {
    const { prefix } = hub.storage;
    // Each version of a custom resource is converted, checked and kept by itself.
    if (hub.custom !== undefined) return this.#newStorage(hub, "sync");
    let storage = this.#storages.get(prefix);
    if (storage === undefined) {
      const durability: Durability = lazyPrefixes.has(prefix) ? "lazy" : "sync";
      storage = this.#newStorage(hub, durability);
      this.#storages.set(prefix, storage);
    }
    return storage;
  }

  #newStorage(definition: ResourceDefinition, durability: Durability): ResourceStorage {
    const spec = { clock: this.#clock, definition, durability };
    // Events are stored as those of the core group, whichever they came through.
    const group = definition.storage.prefix === "events" ? "" : definition.group;
    const store = this.#encryption?.storeFor(this.#store, group, definition.plural);
    if (store === undefined) return new ResourceStorage({ ...spec, store: this.#store });
    return new ResourceStorage({ ...spec, store, isStale: (kv) => store.isStale(kv) });
  }

  #count(kind: string, by: number): void {
    const count = (this.#kinds.get(kind) ?? 0) + by;
    if (count > 0) this.#kinds.set(kind, count);
    else this.#kinds.delete(kind);
  }

  #changed(): void {
    this.#generation++;
    for (const listener of this.#listeners) listener();
  }
}

/** Kinds that a crash may lose the last moments of: heartbeats and notices. */
const lazyPrefixes: ReadonlySet<string> = new Set(["events", "leases"]);

function keyOf(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}

function hubOf(
  definition: ResourceDefinition,
  all: readonly ResourceDefinition[],
): ResourceDefinition {
  if (definition.conversion === undefined) return definition;
  const hub = all.find(
    (other) =>
      other.storage.prefix === definition.storage.prefix &&
      other.version === definition.storage.version &&
      other.conversion === undefined,
  );
  assert(hub !== undefined, `${definition.plural}.${definition.group} has no storage version`);
  return hub;
}
