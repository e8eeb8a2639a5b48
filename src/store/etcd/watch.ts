/**
 * One watch on an etcd cluster: a stream that is opened again, from the revision after the last
 * one delivered, whenever it ends for another reason than compaction.
 *
 * Invariants: 1. Each revision is delivered once, in order, whole: etcd does not split one over
 * responses unless asked to. 2. After the first answer the watch knows where to go on, also when
 * nothing has happened. 3. Nothing is called after `onClosed` or disposal.
 */
import type { Clock, Timer } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Decoded, Encodable } from "#wire/protobuf.ts";
import {
  CompactedError,
  type Revision,
  type StoreEvent,
  type Watch,
  type WatchQuery,
  type WatchSink,
} from "../store.ts";
import type { EtcdConnection, Stream } from "./connection.ts";
import { eventFromEtcd, rangeToEtcd } from "./convert.ts";
import type { WatchRequest, WatchResponse } from "./messages.ts";
import * as methods from "./methods.ts";

/** Pauses before opening the stream again: the first, doubled each time up to the last. */
const backoffMsMin = 20;
const backoffMsMax = 2_000;

export interface EtcdWatchOptions {
  readonly connection: EtcdConnection;
  readonly clock: Clock;
  readonly log: Logger;
  readonly query: WatchQuery;
  readonly sink: WatchSink;
  /** Told every revision that an answer carries. */
  readonly onRevision: (revision: Revision) => void;
  /** Whether a member of that version answers a progress request so that it may be trusted. */
  readonly answersProgress: (version: string) => boolean;
  /** Whether the member that answered first is such. */
  readonly progressOnRequest: boolean;
  readonly onEnded: (watch: EtcdWatch) => void;
}

type Response = Decoded<typeof WatchResponse>;
type WatchStream = Stream<Encodable<typeof WatchRequest>, Response>;

export class EtcdWatch implements Watch {
  readonly #options: EtcdWatchOptions;
  /** First revision that is still to be delivered; 0 while the watch has not begun. */
  #nextRevision: Revision;
  #stream: WatchStream | undefined;
  #created = false;
  #progressWanted = false;
  /** What the member of this stream says of itself decides: members may differ. */
  #progressAnswered = false;
  #backoffMs = backoffMsMin;
  #timer: Timer | undefined;
  #ended = false;

  constructor(options: EtcdWatchOptions) {
    this.#options = options;
    this.#nextRevision = options.query.startRevision ?? 0;
    void this.#open();
  }

  requestProgress(): boolean {
    if (!this.#options.progressOnRequest) return false;
    if (this.#created && this.#progressAnswered) this.#stream?.write({ progress: {} });
    else this.#progressWanted = true;
    return true;
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.[Symbol.dispose]();
    this.#dropStream();
    this.#options.onEnded(this);
  }

  /** Ends the watch for good. */
  close(error: Error): void {
    if (this.#ended) return;
    this[Symbol.dispose]();
    this.#options.sink.onClosed(error);
  }

  async #open(): Promise<void> {
    let stream: WatchStream;
    try {
      stream = await this.#options.connection.stream(methods.watch, true);
    } catch (error) {
      return this.#reopenLater(String(error));
    }
    if (this.#ended) return stream.cancel();
    this.#stream = stream;
    stream.on("data", (response: Response) => {
      if (this.#stream === stream) this.#onResponse(response);
    });
    stream.on("error", (error: Error) => {
      if (this.#stream === stream) this.#reopenLater(error.message);
    });
    stream.on("end", () => {
      if (this.#stream === stream) this.#reopenLater("the stream ended");
    });
    void this.#learnVersion(stream);
    const { query } = this.#options;
    const startRevision = this.#nextRevision;
    const { prevKv } = query;
    stream.write({
      create: { ...rangeToEtcd(query), startRevision, prevKv, progressNotify: true },
    });
  }

  #onResponse(response: Response): void {
    const revision = response.header?.revision ?? 0;
    if (response.canceled) return this.#onCanceled(response);
    if (response.created) {
      this.#created = true;
      if (this.#nextRevision === 0) this.#nextRevision = revision + 1;
      this.#askWantedProgress();
      return;
    }
    this.#backoffMs = backoffMsMin;
    if (response.events.length > 0) this.#deliver(response.events.map(eventFromEtcd));
    else if (revision >= this.#nextRevision - 1) {
      // Everything up to this revision was delivered: a new stream need not ask for it.
      this.#nextRevision = revision + 1;
      this.#options.sink.onBatch({ revision, events: [] });
    }
    if (revision > 0) this.#options.onRevision(revision);
  }

  async #learnVersion(stream: WatchStream): Promise<void> {
    const version = await this.#options.connection.versionOf(stream);
    if (this.#stream !== stream || version === undefined) return;
    this.#progressAnswered = this.#options.answersProgress(version);
    this.#askWantedProgress();
  }

  #askWantedProgress(): void {
    if (!this.#progressWanted || !this.#created || !this.#progressAnswered) return;
    this.#progressWanted = false;
    this.requestProgress();
  }

  #deliver(events: readonly StoreEvent[]): void {
    for (let at = 0; at < events.length && !this.#ended;) {
      const revision = (events[at] as StoreEvent).kv.modRevision;
      let stop = at + 1;
      while (events[stop]?.kv.modRevision === revision) stop++;
      if (revision >= this.#nextRevision) {
        this.#nextRevision = revision + 1;
        this.#options.onRevision(revision);
        this.#options.sink.onBatch({ revision, events: events.slice(at, stop) });
      }
      at = stop;
    }
  }

  #onCanceled({ compactRevision, cancelReason }: Response): void {
    if (compactRevision > 0) return this.close(new CompactedError(compactRevision));
    this.#reopenLater(cancelReason);
  }

  #reopenLater(reason: string): void {
    if (this.#ended) return;
    this.#dropStream();
    this.#options.log.debug("etcd watch ended, will go on", { reason, from: this.#nextRevision });
    this.#timer = this.#options.clock.after(this.#backoffMs, () => void this.#open());
    this.#backoffMs = Math.min(2 * this.#backoffMs, backoffMsMax);
  }

  #dropStream(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#created = false;
    this.#progressAnswered = false;
    stream?.cancel();
  }
}
