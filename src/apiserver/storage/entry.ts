import { spliceResourceVersion, withResourceVersion } from "#apimachinery/encoded-object.ts";
import { apiVersionOf, type KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { KeyValue, Revision, StoreEvent } from "#store/store.ts";
import { codecOf } from "./codec.ts";

/**
 * One object at one revision, as everybody shares it: frozen value and encodings, each made on
 * first use and then kept as long as the store keeps the bytes. The stored bytes are JSON in the
 * storage version WITHOUT metadata.resourceVersion: the revision is known only after the commit.
 */
export class Entry {
  /** 0 for what a dry run would have made: its object has no resourceVersion. */
  readonly revision: Revision;
  readonly stored: Uint8Array;
  readonly #storageDefinition: ResourceDefinition;
  #object: KubeObject | undefined;
  #views: Map<ResourceDefinition, View> | undefined;

  constructor(spec: EntrySpec) {
    this.revision = spec.revision;
    this.stored = spec.stored;
    this.#storageDefinition = spec.definition;
  }

  /** The object in the storage version. */
  get object(): KubeObject {
    this.#object ??= this.#decode();
    return this.#object;
  }

  /** Replaces the object by what a conversion made of it, before anyone saw it. */
  install(object: KubeObject): void {
    this.#object = object;
  }

  /**
   * Forgets what was made of the bytes: the store keeps them as history, which is seldom read.
   * Not for an entry that `install` was called on.
   */
  outdated(): void {
    this.#object = undefined;
    this.#views = undefined;
  }

  /** The object as `definition`'s version shows it. */
  as(definition: ResourceDefinition): KubeObject {
    if (definition === this.#storageDefinition) return this.object;
    const view = this.#view(definition);
    view.object ??= this.#convert(definition);
    return view.object;
  }

  /** Its JSON bytes, Go's order and escaping. */
  json(definition: ResourceDefinition): Uint8Array {
    const view = this.#view(definition);
    view.json ??=
      definition === this.#storageDefinition
        ? this.#ownJson()
        : codecOf(definition).encode(this.as(definition));
    return view.json;
  }

  /** Any other form (protobuf, table row, watch frame), made once per definition and form. */
  form<T>(definition: ResourceDefinition, name: string, make: () => T): T {
    const view = this.#view(definition);
    view.forms ??= new Map();
    if (!view.forms.has(name)) view.forms.set(name, make());
    return view.forms.get(name) as T;
  }

  #decode(): KubeObject {
    const object = codecOf(this.#storageDefinition).decodeStored(this.stored);
    return this.revision === 0 ? object : withResourceVersion(object, this.revision);
  }

  #ownJson(): Uint8Array {
    const { custom } = this.#storageDefinition;
    // What a definition says of custom resources may have changed since they were stored.
    if (custom !== undefined) return codecOf(this.#storageDefinition).encode(this.object);
    if (this.revision === 0) return this.stored;
    return spliceResourceVersion(this.stored, this.revision, codecOf(this.#storageDefinition).order);
  }

  #view(definition: ResourceDefinition): View {
    this.#views ??= new Map();
    let view = this.#views.get(definition);
    if (view === undefined) {
      view = {};
      this.#views.set(definition, view);
    }
    return view;
  }

  #convert(definition: ResourceDefinition): KubeObject {
    const converted = definition.conversion?.fromStorage(this.object) ?? this.object;
    return {
      ...converted,
      kind: definition.kind,
      apiVersion: apiVersionOf(definition.group, definition.version),
    };
  }
}

interface EntrySpec {
  readonly stored: Uint8Array;
  readonly revision: Revision;
  /** The resource in its storage version. */
  readonly definition: ResourceDefinition;
}

interface View {
  object?: KubeObject;
  json?: Uint8Array;
  forms?: Map<string, unknown>;
}

/**
 * Entries by the identity of the stored bytes: the store hands out the very array that was put, so
 * the writer's object, every read and every watcher meet in one entry.
 */
export class EntryCache {
  readonly #entries = new WeakMap<Uint8Array, Entry>();
  readonly #tombstones = new WeakMap<StoreEvent, Entry>();
  readonly #definition: ResourceDefinition;

  constructor(definition: ResourceDefinition) {
    this.#definition = definition;
  }

  of(kv: KeyValue): Entry {
    let entry = this.#entries.get(kv.value);
    if (entry === undefined) {
      entry = new Entry({ stored: kv.value, revision: kv.modRevision, definition: this.#definition });
      this.#entries.set(kv.value, entry);
    }
    return entry;
  }

  /** What a dry run shows. */
  unstored(stored: Uint8Array, revision: Revision): Entry {
    return new Entry({ stored, revision, definition: this.#definition });
  }

  /**
   * The state before an event, at the event's revision: what a DELETED event shows. Made once per
   * event, whoever watches.
   */
  deleted(previous: KeyValue, revision: Revision, event?: StoreEvent): Entry {
    const known = event && this.#tombstones.get(event);
    if (known !== undefined) return known;
    const entry = new Entry({ stored: previous.value, revision, definition: this.#definition });
    if (event !== undefined) this.#tombstones.set(event, entry);
    return entry;
  }
}

/** The same object without metadata.resourceVersion: what is stored. */
export function withoutRevision(object: KubeObject): KubeObject {
  if (object.metadata?.resourceVersion === undefined) return object;
  const { resourceVersion: _dropped, ...metadata } = object.metadata;
  return { ...object, metadata };
}
