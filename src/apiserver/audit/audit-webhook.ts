import { createBackoff } from "#base/backoff.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { HttpClient } from "#base/http.ts";
import type { Logger } from "#base/log.ts";
import type { Counter } from "#base/metrics.ts";
import type { Random } from "#base/random.ts";
import { writeJsonText } from "#wire/json.ts";
import type { AuditBackend } from "./audit-log.ts";

export interface AuditBatching {
  /** Events that wait; further ones are dropped. Source: --audit-webhook-batch-buffer-size. */
  readonly bufferMax: number;
  /** Source: --audit-webhook-batch-max-size. */
  readonly batchMax: number;
  /** Longest wait for a batch to fill. Source: --audit-webhook-batch-max-wait. */
  readonly waitMs: number;
  /** Source: --audit-webhook-initial-backoff. */
  readonly initialBackoffMs: number;
}

export const webhookBatching: AuditBatching = { bufferMax: 10_000, batchMax: 400, waitMs: 30_000, initialBackoffMs: 10_000 };

/** Tries for one batch. Source: util/webhook DefaultRetryBackoffWithInitialDelay. */
const triesMax = 5;
const answerMs = 30_000;
/** Batches under way. */
const sendingMax = 15;

export interface AuditWebhookOptions {
  readonly http: HttpClient;
  /** Where to post to. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly batching: AuditBatching;
  /** Events that were lost. */
  readonly lost: Counter;
}

/** Posts events as an EventList, many at a time. Source: plugin/pkg/audit/{buffered,webhook}. */
export function auditWebhook(options: AuditWebhookOptions): AuditBackend {
  const { http, clock, batching, lost, log } = options;
  const abort = new AbortController();
  const sending = new Set<Promise<void>>();
  let pending: object[] = [];
  let timer: Timer | undefined;

  function flush(): void {
    timer?.[Symbol.dispose]();
    timer = undefined;
    while (pending.length > 0 && sending.size < sendingMax) {
      const batch = pending.slice(0, batching.batchMax);
      pending = pending.slice(batching.batchMax);
      const sent: Promise<void> = send(batch).finally(() => {
        sending.delete(sent);
        if (pending.length >= batching.batchMax) flush();
      });
      sending.add(sent);
    }
    if (pending.length > 0 && !abort.signal.aborted) arm();
  }

  function arm(): void {
    timer ??= clock.after(batching.waitMs, flush);
  }

  async function send(items: readonly object[]): Promise<void> {
    const body = writeJsonText({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });
    const backoff = createBackoff({ initialMs: batching.initialBackoffMs, factor: 1.5, jitter: 0.2 }, options.random);
    for (let tries = 1; ; tries++) {
      const problem = await post(body);
      if (problem === undefined) return;
      if (tries === triesMax || !problem.isTransient || abort.signal.aborted) {
        lost.inc(items.length);
        log.error("audit webhook failed: events are lost", problem.error, { count: items.length });
        return;
      }
      await clock.sleep(backoff.nextMs(), abort.signal).catch(() => undefined);
    }
  }

  async function post(body: string): Promise<{ readonly error: unknown; readonly isTransient: boolean } | undefined> {
    try {
      const headers = { "content-type": "application/json" };
      const response = await http.request({ method: "POST", path: options.path, headers, body, timeoutMs: answerMs });
      response.discard();
      const { status } = response;
      if (status < 300) return undefined;
      return { error: new Error(`the webhook answered ${status}`), isTransient: status === 429 || status >= 500 };
    } catch (error) {
      return { error, isTransient: true };
    }
  }

  return {
    write(event) {
      if (pending.length >= batching.bufferMax) {
        lost.inc();
        return;
      }
      pending.push(event);
      if (pending.length >= batching.batchMax) flush();
      else arm();
    },
    async [Symbol.asyncDispose]() {
      // What waits is tried once more, and once only: what cannot be sent then is counted as lost.
      abort.abort();
      while (pending.length > 0 || sending.size > 0) {
        flush();
        await Promise.all(sending);
      }
      timer?.[Symbol.dispose]();
      await http[Symbol.asyncDispose]();
    },
  };
}
