import { apiVersionOf, type KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { writeJson } from "#wire/json.ts";
import type { KeyValue, Revision, StoreEvent } from "#store/store.ts";
import { codecOf } from "./codec.ts";

/**
 * One object at one revision, as everybody shares it: frozen value and encodings, each made on
 * first use and then kept as long as the store keeps the bytes. The stored bytes are JSON in the
 * storage version WITHOUT metadata.resourceVersion: the revision is known only after the commit.
 */
export class Entry {
  readonly revision: Revision;
  readonly stored: Uint8Array;
  readonly #storageDefinition: ResourceDefinition;
  #object: KubeObject | undefined;
  #views: Map<ResourceDefinition, View> | undefined;

  constructor(spec: EntrySpec) {
    this.revision = spec.revision;
    this.stored = spec.stored;
    this.#storageDefinition = spec.definition;
    if (spec.object !== undefined) this.#object = this.#stamped(spec.object);
  }

  /** The object in the storage version. */
  get object(): KubeObject {
    this.#object ??= this.#stamped(parseTrusted(this.stored) as KubeObject);
    return this.#object;
  }

  /** The object as `definition`'s version shows it. */
  as(definition: ResourceDefinition): KubeObject {
    return this.#view(definition).object;
  }

  /** Its JSON bytes, Go's order and escaping. */
  json(definition: ResourceDefinition): Uint8Array {
    const view = this.#view(definition);
    view.json ??= writeJson(view.object);
    return view.json;
  }

  /** Any other form (protobuf, table row, watch frame), made once per definition and form. */
  form<T>(definition: ResourceDefinition, name: string, make: () => T): T {
    const view = this.#view(definition);
    view.forms ??= new Map();
    if (!view.forms.has(name)) view.forms.set(name, make());
    return view.forms.get(name) as T;
  }

  #stamped(object: KubeObject): KubeObject {
    if (this.revision === 0) return object;
    const before = this.#storageDefinition.custom ? sortedAfter : structAfter;
    return withRevision(object, this.revision, before);
  }

  #view(definition: ResourceDefinition): View {
    this.#views ??= new Map();
    let view = this.#views.get(definition);
    if (view === undefined) {
      view = { object: this.#convert(definition) };
      this.#views.set(definition, view);
    }
    return view;
  }

  #convert(definition: ResourceDefinition): KubeObject {
    if (definition === this.#storageDefinition || definition.conversion === undefined) {
      return this.object;
    }
    const converted = definition.conversion.fromStorage(this.object);
    return codecOf(definition).canonical({
      ...converted,
      kind: definition.kind,
      apiVersion: apiVersionOf(definition.group, definition.version),
    });
  }
}

interface EntrySpec {
  readonly stored: Uint8Array;
  readonly revision: Revision;
  /** The resource in its storage version. */
  readonly definition: ResourceDefinition;
  /** What `stored` decodes to, when the caller has it. */
  readonly object?: KubeObject;
}

interface View {
  readonly object: KubeObject;
  json?: Uint8Array;
  forms?: Map<string, unknown>;
}

/**
 * Entries by the identity of the stored bytes: the store hands out the very array that was put, so
 * the writer's object, every read and every watcher meet in one entry.
 */
export class EntryCache {
  readonly #entries = new WeakMap<Uint8Array, Entry>();
  readonly #pending = new WeakMap<Uint8Array, KubeObject>();
  readonly #tombstones = new WeakMap<StoreEvent, Entry>();
  readonly #definition: ResourceDefinition;

  constructor(definition: ResourceDefinition) {
    this.#definition = definition;
  }

  /** Tells what bytes that are about to be put decode to. */
  expect(stored: Uint8Array, object: KubeObject): void {
    this.#pending.set(stored, object);
  }

  of(kv: KeyValue): Entry {
    let entry = this.#entries.get(kv.value);
    if (entry === undefined) {
      const object = this.#pending.get(kv.value);
      entry = new Entry({
        stored: kv.value,
        revision: kv.modRevision,
        definition: this.#definition,
        ...(object !== undefined && { object }),
      });
      this.#entries.set(kv.value, entry);
    }
    return entry;
  }

  /** What a dry run shows; revision 0 leaves metadata.resourceVersion out. */
  unstored(stored: Uint8Array, revision: Revision, object: KubeObject): Entry {
    return new Entry({ stored, revision, definition: this.#definition, object });
  }

  /**
   * The state before an event, at the event's revision: what a DELETED event shows. Made once per
   * event, whoever watches.
   */
  deleted(previous: KeyValue, revision: Revision, event?: StoreEvent): Entry {
    const known = event && this.#tombstones.get(event);
    if (known !== undefined) return known;
    const entry = new Entry({
      stored: previous.value,
      revision,
      definition: this.#definition,
      object: this.of(previous).object,
    });
    if (event !== undefined) this.#tombstones.set(event, entry);
    return entry;
  }
}

const decoder = new TextDecoder();
const longInteger = /[0-9]{16,}/;

/** Our own bytes: plain JSON, exact for integers beyond 2^53 (they come back as bigint). */
export function parseTrusted(stored: Uint8Array): unknown {
  const text = decoder.decode(stored);
  if (!longInteger.test(text)) return JSON.parse(text);
  return JSON.parse(text, function exact(
    this: unknown,
    _key: string,
    value: unknown,
    context?: { source?: string },
  ): unknown {
    if (typeof value !== "number" || Number.isSafeInteger(value) || !context?.source) return value;
    return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
  } as Parameters<typeof JSON.parse>[1]);
}

/**
 * A copy with metadata.resourceVersion at its place: Go's field order for built-in kinds, the
 * alphabet for custom resources. `after` names the fields that follow it.
 */
function withRevision(
  object: KubeObject,
  revision: Revision,
  after: ReadonlySet<string>,
): KubeObject {
  const metadata: Record<string, unknown> = {};
  const text = String(revision);
  let placed = false;
  for (const [key, value] of Object.entries(object.metadata ?? {})) {
    if (key === "resourceVersion") continue;
    if (!placed && after.has(key)) {
      metadata["resourceVersion"] = text;
      placed = true;
    }
    metadata[key] = value;
  }
  if (!placed) metadata["resourceVersion"] = text;
  return { ...object, metadata };
}

/** The same object without metadata.resourceVersion: what is stored. */
export function withoutRevision(object: KubeObject): KubeObject {
  if (object.metadata?.resourceVersion === undefined) return object;
  const { resourceVersion: _dropped, ...metadata } = object.metadata;
  return { ...object, metadata };
}

const sortedAfter: ReadonlySet<string> = new Set(["selfLink", "uid"]);

const structAfter: ReadonlySet<string> = new Set([
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
]);
