import type { Clock } from "#base/clock.ts";
import { durationMs } from "#apimachinery/go-duration.ts";
import { timeout } from "#apimachinery/status.ts";
import type { RequestFilter } from "./frontend.ts";
import { isLongRunning } from "./query-options.ts";

/** Longest time for an answer. Source: --request-timeout. */
export const requestMsDefault = 60_000;

/**
 * Answers 504 when a request is not answered in time: in `?timeout=` of the client, at most in
 * `requestMs`. What lasts has no deadline. Source: endpoints/filters/request_deadline.go.
 */
export function requestDeadline(clock: Clock, requestMs: number): RequestFilter {
  return async ({ info, query }, next) => {
    if (isLongRunning(info)) return next();
    const limitMs = requestLimitMs(query, requestMs);
    const late = Promise.withResolvers<never>();
    using _timer = clock.after(limitMs, () =>
      late.reject(timeout("request did not complete within the allotted timeout")),
    );
    await Promise.race([next(), late.promise]);
  };
}

/** The time that the client allows, at most `requestMs`; a bad one was refused before. */
export function requestLimitMs(query: URLSearchParams, requestMs: number): number {
  const text = query.get("timeout") ?? "";
  const askedMs = text === "" ? 0 : durationMs(text);
  return askedMs > 0 && askedMs < requestMs ? askedMs : requestMs;
}
