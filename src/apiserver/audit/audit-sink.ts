/** What stands between the log and where events go: batches, or somebody who waits, and cuts. Source: plugin/pkg/audit. */
import type { Clock, Timer } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Counter } from "#base/metrics.ts";
import { createTokenBucket } from "#base/token-bucket.ts";
import { writeJsonText } from "#wire/json.ts";
import type { AuditBackend } from "./audit-log.ts";

/** Where events end: a file, a stream, another server. */
export interface AuditSink extends AsyncDisposable {
  /** Takes events away, and resolves when they are there; false when some are lost. Never rejects. */
  process(events: readonly object[]): Promise<boolean>;
  /** From now on nothing is tried twice. */
  hurry(): void;
}

export interface AuditBatching {
  /** Events that wait; further ones are dropped. */
  readonly bufferMax: number;
  readonly batchMax: number;
  /** Longest wait for a batch to fill. */
  readonly waitMs: number;
  /** Batches that a second may begin, and at once when none did for long; absent for any number. */
  readonly throttle?: { readonly qps: number; readonly burst: number } | undefined;
  /** Batches under way at a time. */
  readonly sendingMax: number;
}

export interface BatchedOptions {
  readonly batching: AuditBatching;
  readonly clock: Clock;
  readonly log: Logger;
  /** Events that were dropped. */
  readonly dropped: Counter;
}

/** Hands events on behind the back of those who ask. */
export function batched(sink: AuditSink, { batching, clock, log, dropped }: BatchedOptions): AuditBackend {
  const sending = new Set<Promise<unknown>>();
  const throttle = batching.throttle && createTokenBucket(batching.throttle, clock);
  let pending: object[] = [];
  let timer: Timer | undefined;
  let isOver = false;
  let isDropping = false;

  function flush(): void {
    timer?.[Symbol.dispose]();
    timer = undefined;
    while (pending.length > 0 && sending.size < batching.sendingMax) {
      const pauseMs = isOver ? 0 : (throttle?.take() ?? 0);
      if (pauseMs > 0) {
        arm(pauseMs);
        return;
      }
      const batch = pending.slice(0, batching.batchMax);
      pending = pending.slice(batching.batchMax);
      isDropping = false;
      const sent: Promise<unknown> = sink.process(batch).finally(() => {
        sending.delete(sent);
        if (pending.length >= batching.batchMax) flush();
      });
      sending.add(sent);
    }
    if (pending.length > 0 && !isOver) arm(batching.waitMs);
  }

  function arm(delayMs: number): void {
    timer ??= clock.after(delayMs, flush);
  }

  return {
    write(event) {
      if (pending.length >= batching.bufferMax) {
        dropped.inc();
        if (!isDropping) log.error("audit buffer queue blocked: events are dropped", undefined, {});
        isDropping = true;
        return undefined;
      }
      pending.push(event);
      if (timer !== undefined && pending.length < batching.batchMax) return undefined;
      if (pending.length >= batching.batchMax) flush();
      else arm(batching.waitMs);
      return undefined;
    },
    async [Symbol.asyncDispose]() {
      // What waits is handed on once more, and once only: what cannot be sent then is counted as lost.
      isOver = true;
      sink.hurry();
      while (pending.length > 0 || sending.size > 0) {
        flush();
        await Promise.all(sending);
      }
      timer?.[Symbol.dispose]();
      await sink[Symbol.asyncDispose]();
    },
  };
}

/** Whoever asks waits until the event is there; where it is `strict`, a request whose event is lost is refused. */
export function blocking(sink: AuditSink, { strict }: { readonly strict: boolean }): AuditBackend {
  const running = new Set<Promise<boolean>>();
  return {
    write(event) {
      const written = sink.process([event]).then((isThere) => isThere || !strict);
      running.add(written);
      void written.finally(() => running.delete(written));
      return written;
    },
    async [Symbol.asyncDispose]() {
      sink.hurry();
      await Promise.all(running);
      await sink[Symbol.asyncDispose]();
    },
  };
}

export interface TruncationOptions {
  readonly eventBytesMax: number;
  readonly log: Logger;
  /** Events that are too large whatever is cut. */
  readonly lost: Counter;
}

const bodyLevels = new Set(["Request", "RequestResponse"]);

/** Cuts bodies off events that are too large. */
export function truncated(backend: AuditBackend, { eventBytesMax, log, lost }: TruncationOptions): AuditBackend {
  const isTooLarge = (event: object): boolean => Buffer.byteLength(writeJsonText(event)) + 1 > eventBytesMax;
  return {
    write(event) {
      if (!isTooLarge(event)) return backend.write(event);
      const cut = withoutBodies(event);
      if (!isTooLarge(cut)) return backend.write(cut);
      lost.inc();
      log.error("event is too large even after truncating", undefined, {});
      return undefined;
    },
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

function withoutBodies(event: object): object {
  const { level, requestObject: _request, responseObject: _response, annotations = {}, ...rest } = event as {
    readonly level?: string;
    readonly requestObject?: unknown;
    readonly responseObject?: unknown;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  if (!bodyLevels.has(level ?? "")) return event;
  const told = Object.entries({ ...annotations, "audit.k8s.io/truncated": "true" }).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...kindOf(event), level, ...rest, annotations: Object.fromEntries(told) };
}

/** First in an event, as the other members stand in theirs. */
function kindOf(event: object): object {
  const { kind, apiVersion } = event as { readonly kind?: string; readonly apiVersion?: string };
  return { kind, apiVersion };
}
