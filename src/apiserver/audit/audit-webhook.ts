import { createBackoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpClient } from "#base/http.ts";
import type { Logger } from "#base/log.ts";
import type { Counter } from "#base/metrics.ts";
import type { Random } from "#base/random.ts";
import { writeJsonText } from "#wire/json.ts";
import type { AuditSink } from "./audit-sink.ts";

/** Tries for one batch. Source: util/webhook DefaultRetryBackoffWithInitialDelay. */
const triesMax = 5;
const answerMs = 30_000;

export interface AuditWebhookOptions {
  readonly http: HttpClient;
  /** Where to post to. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Wait before a post that failed is tried again. */
  readonly initialBackoffMs: number;
  /** Events that were lost. */
  readonly lost: Counter;
}

/** Posts events as an EventList. Source: plugin/pkg/audit/webhook. */
export function auditWebhook(options: AuditWebhookOptions): AuditSink {
  const { http, clock, lost, log } = options;
  const abort = new AbortController();

  async function process(items: readonly object[]): Promise<boolean> {
    const body = writeJsonText({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });
    const backoff = createBackoff({ initialMs: options.initialBackoffMs, factor: 1.5, jitter: 0.2 }, options.random);
    for (let tries = 1; ; tries++) {
      const problem = await post(body);
      if (problem === undefined) return true;
      if (tries === triesMax || !problem.isTransient || abort.signal.aborted) {
        lost.inc(items.length);
        log.error("audit webhook failed: events are lost", problem.error, { count: items.length });
        return false;
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

  return { process, hurry: () => abort.abort(), [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}
