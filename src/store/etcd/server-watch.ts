/** One `Watch` stream of a client: any number of watches, told apart by id. */
import { status, type ServerDuplexStream } from "@grpc/grpc-js";
import type { Clock, Timer } from "#base/clock.ts";
import type { Decoded, Encodable } from "#wire/protobuf.ts";
import {
  CompactedError,
  type Store,
  type StoreEvent,
  type Watch,
  type WatchBatch,
} from "../store.ts";
import {
  filterNoDelete,
  filterNoPut,
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
} from "./messages.ts";
import { eventBytes, eventMessage, headerAt, rangeOf, type Header } from "./server-convert.ts";

/** Bytes that may wait for a slow client; then its stream ends, and it may resume. */
export const watchBufferBytesMax = 64 * 1024 * 1024;
/** Source: etcd's default watch progress notify interval. */
const progressEveryMs = 10 * 60 * 1000;
/** Id of an answer to a progress request, which is for the whole stream. */
const allWatches = -1;

type Create = Decoded<typeof WatchCreateRequest>;
export type WatchCall = ServerDuplexStream<
  Decoded<typeof WatchRequest>,
  Encodable<typeof WatchResponse>
>;

export class WatchStream {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #header: Header;
  readonly #call: WatchCall;
  readonly #watches = new Map<number, { watch: Watch; timer: Timer | undefined }>();
  #nextId = 0;
  #waitingBytes = 0;

  constructor(store: Store, clock: Clock, header: Header, call: WatchCall) {
    this.#store = store;
    this.#clock = clock;
    this.#header = header;
    this.#call = call;
    call.on("data", (request: Decoded<typeof WatchRequest>) => {
      if (request.create !== undefined) this.#create(request.create);
      if (request.cancel !== undefined) this.#cancel(request.cancel.watchId, {});
      if (request.progress !== undefined) this.#progress();
    });
    call.on("end", () => this.#end());
    call.on("cancelled", () => this.#dispose());
    call.on("error", () => this.#dispose());
  }

  #create(create: Create): void {
    const watchId = create.watchId || this.#freeId();
    if (this.#watches.has(watchId)) {
      const cancelReason = "etcdserver: duplicate watch ID";
      return this.#send({ watchId: allWatches, created: true, canceled: true, cancelReason });
    }
    const { startRevision, prevKv } = create;
    this.#send({ watchId, created: true });
    const watch = this.#store.watch(
      { ...rangeOf(create), startRevision, prevKv },
      {
        onBatch: (batch) => this.#deliver(watchId, create, batch),
        onClosed: (error) => {
          const compactRevision = error instanceof CompactedError ? error.compactRevision : 0;
          this.#cancel(watchId, { compactRevision, cancelReason: error.message });
        },
      },
    );
    const entry = { watch, timer: undefined };
    this.#watches.set(watchId, entry);
    if (create.progressNotify) this.#armProgress(entry);
  }

  #freeId(): number {
    while (this.#watches.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  #deliver(watchId: number, create: Create, { revision, events }: WatchBatch): void {
    const wanted = events.filter((event) => !isFiltered(create.filters, event));
    if (events.length > 0 && wanted.length === 0) return;
    const messages = wanted.map((event) => eventMessage(event, create.prevKv));
    const bytes = wanted.reduce((sum, event) => sum + eventBytes(event), 0);
    this.#send({ watchId, events: messages, header: headerAt(this.#header, revision) }, bytes);
  }

  #armProgress(entry: { watch: Watch; timer: Timer | undefined }): void {
    entry.timer = this.#clock.after(progressEveryMs, () => {
      entry.watch.requestProgress();
      this.#armProgress(entry);
    });
  }

  /** Watches that catch up do so in microtasks that are queued before this one. */
  #progress(): void {
    queueMicrotask(() => this.#send({ watchId: allWatches }));
  }

  #cancel(
    watchId: number,
    why: { readonly compactRevision?: number; readonly cancelReason?: string },
  ): void {
    const entry = this.#watches.get(watchId);
    if (entry === undefined) return;
    this.#watches.delete(watchId);
    entry.timer?.[Symbol.dispose]();
    entry.watch[Symbol.dispose]();
    this.#send({ watchId, canceled: true, ...why });
  }

  #send(response: Encodable<typeof WatchResponse>, bytes = 0): void {
    if (this.#waitingBytes + bytes > watchBufferBytesMax) {
      this.#dispose();
      const details = "etcdserver: the watcher is too slow";
      this.#call.emit("error", { code: status.RESOURCE_EXHAUSTED, details });
      return;
    }
    this.#waitingBytes += bytes;
    const header = response.header ?? headerAt(this.#header, this.#store.revision);
    this.#call.write({ ...response, header }, () => {
      this.#waitingBytes -= bytes;
    });
  }

  #end(): void {
    this.#dispose();
    this.#call.end();
  }

  #dispose(): void {
    for (const { watch, timer } of this.#watches.values()) {
      timer?.[Symbol.dispose]();
      watch[Symbol.dispose]();
    }
    this.#watches.clear();
  }
}

function isFiltered(filters: readonly number[], event: StoreEvent): boolean {
  return filters.includes(event.type === "put" ? filterNoPut : filterNoDelete);
}
