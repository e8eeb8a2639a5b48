import type { Clock } from "#base/clock.ts";
import { type FieldError, forbidden, notSupported } from "#apimachinery/field-error.ts";
import { apiVersionOf, type KubeObject } from "#apimachinery/object.ts";
import { expired, plainError, type StatusError, statusErrorOf } from "#apimachinery/status.ts";
import { initialEventsAnnotation } from "#client/transport.ts";
import { CompactedError, type KeyValue, type Revision, type StoreEvent } from "#store/store.ts";
import type { Call, CallOptions, Endpoint } from "../call.ts";
import type { Entry } from "../storage/entry.ts";
import type { ResourceStorage } from "../storage/storage.ts";
import { refuseListOptions } from "./list.ts";
import { type Selection, selectionOf } from "./selection.ts";

/** How often an idle watch that asked for bookmarks gets one. */
const bookmarkIntervalMs = 60_000;

/** Batches of a watch that wait for a conversion webhook; with more the watch ends. */
const waitingBatchesMax = 1000;

export type WatchMessage =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly entry: Entry }
  | { readonly type: "BOOKMARK"; readonly object: KubeObject };

/** Receives a watch; calls come in revision order and must not throw or wait. */
export interface WatchReceiver {
  onMessage(message: WatchMessage): void;
  /** The watch is over: a Status that goes out as an ERROR event, or none for a quiet end. */
  onEnd(error?: StatusError): void;
}

/**
 * Opens a watch of a collection.
 * Errors, before anything is delivered: Invalid options, BadRequest selectors, 500 for a malformed
 * resourceVersion. Everything later comes through `onEnd`.
 */
export async function watch(
  endpoint: Endpoint,
  call: Call,
  spec: { readonly clock: Clock; readonly receiver: WatchReceiver },
): Promise<Disposable> {
  refuseBadWatchOptions(call.options);
  const selection = selectionOf(endpoint.definition, call.options);
  const stream = new WatchStream(endpoint, { ...spec, call, selection });
  try {
    await stream.start();
    return stream;
  } catch (error) {
    stream[Symbol.dispose]();
    throw error;
  }
}

interface StreamSpec {
  readonly call: Call;
  readonly selection: Selection;
  readonly clock: Clock;
  readonly receiver: WatchReceiver;
}

class WatchStream implements Disposable {
  readonly #endpoint: Endpoint;
  readonly #spec: StreamSpec;
  readonly #range: { key: string; end: string };
  readonly #resources = new DisposableStack();
  #delivered: Revision = 0;
  #converted: Promise<void> = Promise.resolve();
  #waitingBatches = 0;
  #ended = false;

  constructor(endpoint: Endpoint, spec: StreamSpec) {
    this.#endpoint = endpoint;
    this.#spec = spec;
    const { storage } = endpoint;
    const namespace = spec.call.namespace || spec.selection.namespace || "";
    this.#range = storage.rangeOf(storage.namespacePrefix(namespace));
  }

  async start(): Promise<void> {
    const { options } = this.#spec.call;
    const { retired } = this.#endpoint;
    if (retired.aborted) return this.#end();
    const retire = (): void => this.#end();
    retired.addEventListener("abort", retire);
    this.#resources.defer(() => retired.removeEventListener("abort", retire));
    const version = parseWatchVersion(options.resourceVersion ?? "");
    const wantsState = options.sendInitialEvents ?? version === 0;
    if (wantsState) await this.#startWithState(options);
    else this.#follow(version === 0 ? undefined : version);
    if (options.allowWatchBookmarks === true && !this.#ended) this.#scheduleBookmark();
  }

  /** The present state as ADDED events, then what follows it without a gap. */
  async #startWithState(options: CallOptions): Promise<void> {
    const { resourceVersion = "" } = options;
    const state = await this.#endpoint.storage.range({
      ...this.#range,
      ...(resourceVersion !== "" && { notOlderThan: Number(resourceVersion) }),
    });
    for (const kv of state.entries) this.#deliverState(kv);
    this.#delivered = state.revision;
    if (options.sendInitialEvents === true && options.allowWatchBookmarks === true) {
      this.#bookmark({ [initialEventsAnnotation]: "true" });
    }
    this.#follow(state.revision);
  }

  #deliverState(kv: KeyValue): void {
    const entry = this.#endpoint.storage.entries.of(kv);
    if (this.#matches(entry)) this.#spec.receiver.onMessage({ type: "ADDED", entry });
  }

  /** Delivers what happens after `revision` (undefined: from now on). */
  #follow(revision: Revision | undefined): void {
    const { store } = this.#endpoint.storage;
    this.#delivered = Math.max(this.#delivered, revision ?? store.revision);
    const subscription = store.watch(
      { ...this.#range, ...(revision !== undefined && { startRevision: revision + 1 }), prevKv: true },
      {
        onBatch: (batch) => {
          if (this.#endpoint.storage.converts) this.#convert(batch);
          else this.#deliver(batch);
        },
        onClosed: (error) => this.#end(endOf(error, this.#delivered)),
      },
    );
    this.#resources.use(subscription);
  }

  #deliver({ events, revision }: Batch): void {
    for (const event of events) this.#onEvent(event, revision);
    this.#delivered = Math.max(this.#delivered, revision);
  }

  /** Batches wait for their objects to be converted, each for those before it. */
  #convert(batch: Batch): void {
    if (this.#waitingBatches === waitingBatchesMax) return this.#end();
    this.#waitingBatches++;
    const { storage } = this.#endpoint;
    this.#converted = this.#converted
      .then(() => storage.prepare(batch.events.flatMap((event) => entriesOf(storage, event, batch.revision))))
      .then(() => {
        this.#waitingBatches--;
        this.#deliver(batch);
      })
      .catch((error: unknown) => this.#end(statusErrorOf(error)));
  }

  #onEvent(event: StoreEvent, revision: Revision): void {
    if (this.#ended) return;
    const { entries } = this.#endpoint.storage;
    const previous = event.prevKv && entries.of(event.prevKv);
    const before = previous !== undefined && this.#matches(previous);
    if (event.type === "delete") {
      if (before && event.prevKv) {
        this.#send("DELETED", entries.deleted(event.prevKv, revision, event));
      }
      return;
    }
    const entry = entries.of(event.kv);
    const after = this.#matches(entry);
    if (after) this.#send(before ? "MODIFIED" : "ADDED", entry);
    // It no longer matches: the watcher sees the state that did, at the new revision.
    else if (before && event.prevKv) this.#send("DELETED", entries.deleted(event.prevKv, revision, event));
  }

  #send(type: "ADDED" | "MODIFIED" | "DELETED", entry: Entry): void {
    this.#spec.receiver.onMessage({ type, entry });
  }

  #matches(entry: Entry): boolean {
    return this.#spec.selection.all || this.#spec.selection.matches(entry.as(this.#endpoint.definition));
  }

  #scheduleBookmark(): void {
    const timer = this.#spec.clock.after(bookmarkIntervalMs, () => {
      if (this.#ended) return;
      // Of the store's own revision nothing is outstanding: it rises as watches are called.
      const { store } = this.#endpoint.storage;
      if (this.#waitingBatches === 0) this.#delivered = Math.max(this.#delivered, store.revision);
      this.#bookmark();
      this.#scheduleBookmark();
    });
    this.#resources.use(timer);
  }

  #bookmark(annotations?: Record<string, string>): void {
    const { kind, group, version } = this.#endpoint.definition;
    this.#spec.receiver.onMessage({
      type: "BOOKMARK",
      object: {
        kind,
        apiVersion: apiVersionOf(group, version),
        metadata: {
          resourceVersion: String(this.#delivered),
          ...(annotations && { annotations }),
        },
      },
    });
  }

  #end(error?: StatusError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#resources.dispose();
    this.#spec.receiver.onEnd(error);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#resources.dispose();
  }
}

interface Batch {
  readonly events: readonly StoreEvent[];
  readonly revision: Revision;
}

/** Every entry that an event may show. */
function entriesOf({ entries }: ResourceStorage, event: StoreEvent, revision: Revision): Entry[] {
  const shown = event.type === "put" ? [entries.of(event.kv)] : [];
  if (event.prevKv === undefined) return shown;
  return [...shown, entries.of(event.prevKv), entries.deleted(event.prevKv, revision, event)];
}

/** `from`: the revision that the watch has come to. Source: storage/cacher/watch_cache.go. */
function endOf(error: Error, from: Revision): StatusError | undefined {
  if (error instanceof CompactedError) {
    return expired(`too old resource version: ${from} (${error.compactRevision})`);
  }
  return error.name === "StoreUnavailableError" ? undefined : statusErrorOf(error);
}

function parseWatchVersion(text: string): Revision {
  if (text === "") return 0;
  if (/^\d+$/.test(text)) return Number(text);
  const detail = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw plainError(`resourceVersion: Invalid value: ${JSON.stringify(text)}: ${detail}`);
}

/** Errors: Invalid. Source: internalversion/validation validateWatchOptions. */
function refuseBadWatchOptions(options: CallOptions): void {
  const errors: FieldError[] = [];
  const field = "resourceVersionMatch";
  const { resourceVersionMatch: match } = options;
  if (options.sendInitialEvents !== undefined && match !== "NotOlderThan") {
    errors.push(forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  }
  if (match !== undefined) {
    if (options.sendInitialEvents === undefined) {
      const detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
      errors.push(forbidden(field, detail));
    }
    if (match !== "NotOlderThan") errors.push(notSupported(field, match, ["NotOlderThan"]));
  }
  if (options.continue) {
    errors.push(forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
  }
  refuseListOptions(errors);
}
