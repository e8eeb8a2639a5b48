import { spliceResourceVersion, withResourceVersion, writeListItem } from "#apimachinery/encoded-object.ts";
import type { JsonChunks } from "#apimachinery/json-chunks.ts";
import { apiVersionOf, type KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { KeyValue, Revision, StoreEvent } from "#store/store.ts";
import { codecOf } from "./codec.ts";
import { isStoredJson, jsonOfStored } from "./stored-protobuf.ts";

/** Together, of the encodings made last: an event has the same frame for all who watch. */
export const recentFormsBytesMax = 32 * 1024 * 1024;

interface RecentForm {
  readonly forms: Map<string, Uint8Array>;
  readonly name: string;
  readonly sizeBytes: number;
}

const recentForms = { first: 0, list: [] as RecentForm[], sizeBytes: 0 };

/** Forgets the oldest forms when there are too many. */
function keepRecent(forms: Map<string, Uint8Array>, name: string, sizeBytes: number): void {
  const recent = recentForms;
  recent.list.push({ forms, name, sizeBytes });
  recent.sizeBytes += sizeBytes;
  while (recent.sizeBytes > recentFormsBytesMax) {
    const oldest = recent.list[recent.first++];
    if (oldest === undefined) break;
    oldest.forms.delete(oldest.name);
    recent.sizeBytes -= oldest.sizeBytes;
  }
  if (recent.first < 1024 || recent.first * 2 < recent.list.length) return;
  recent.list.splice(0, recent.first);
  recent.first = 0;
}

/**
 * One object at one revision, as everybody shares it. The frozen value is made on first use and then
 * kept as long as the store keeps the bytes; of other encodings only those made last are kept. The stored bytes are JSON in the
 * storage version WITHOUT metadata.resourceVersion: the revision is known only after the commit.
 */
export class Entry {
  /** 0 for what a dry run would have made: its object has no resourceVersion. */
  readonly revision: Revision;
  readonly #storageDefinition: ResourceDefinition;
  #stored: Uint8Array;
  #object: KubeObject | undefined;
  #views: Map<ResourceDefinition, View> | undefined;

  constructor(spec: EntrySpec) {
    this.revision = spec.revision;
    this.#stored = spec.stored;
    this.#storageDefinition = spec.definition;
  }

  /** JSON in the storage version, without a revision. */
  get stored(): Uint8Array {
    if (!isStoredJson(this.#stored)) this.#stored = jsonOfStored(this.#storageDefinition, this.#stored);
    return this.#stored;
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
    if (!this.#isStored(definition)) {
      return this.form(definition, "json", () => codecOf(definition).encode(this.as(definition)));
    }
    if (this.revision === 0) return this.stored;
    return spliceResourceVersion(this.stored, this.revision, codecOf(definition).order);
  }

  /** Adds its JSON without kind and apiVersion, as it stands in a list. For built-in kinds. */
  writeItem(definition: ResourceDefinition, out: JsonChunks): void {
    if (!this.#isStored(definition)) writeListItem(out, this.json(definition), undefined);
    else writeListItem(out, this.stored, this.revision === 0 ? undefined : this.revision);
  }

  /** Any other form (protobuf, watch frame), made once per definition and name for all who ask soon. */
  form(definition: ResourceDefinition, name: string, make: () => Uint8Array): Uint8Array {
    const view = this.#view(definition);
    view.forms ??= new Map();
    let form = view.forms.get(name);
    if (form === undefined) {
      form = make();
      view.forms.set(name, form);
      keepRecent(view.forms, name, form.length);
    }
    return form;
  }

  /** What a definition says of custom resources may have changed since they were stored. */
  #isStored(definition: ResourceDefinition): boolean {
    return definition === this.#storageDefinition && definition.custom === undefined;
  }

  #decode(): KubeObject {
    const object = codecOf(this.#storageDefinition).decodeStored(this.stored);
    return this.revision === 0 ? object : withResourceVersion(object, this.revision);
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
  forms?: Map<string, Uint8Array>;
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
