import type { Clock } from "#base/clock.ts";
import { durationMs } from "#apimachinery/go-duration.ts";
import { timeout } from "#apimachinery/status.ts";
import type { RequestFilter } from "./frontend.ts";
import { isLongRunning } from "./query-options.ts";

/** Longest time for an answer. Source: --request-timeout. */
export const requestMsMax = 60_000;

/**
 * Answers 504 when a request is not answered in time: in `?timeout=` of the client, at most
 * `requestMsMax`. What lasts has no deadline. Source: endpoints/filters/request_deadline.go.
 */
export function requestDeadline(clock: Clock): RequestFilter {
  return async ({ exchange, info }, next) => {
    if (isLongRunning(info)) return next();
    const asked = askedMs(exchange.url);
    const limitMs = asked > 0 && asked < requestMsMax ? asked : requestMsMax;
    const late = Promise.withResolvers<never>();
    using _timer = clock.after(limitMs, () =>
      late.reject(timeout("request did not complete within the allotted timeout")),
    );
    await Promise.race([next(), late.promise]);
  };
}

/** 0 when the client names none; a bad one was refused before. */
function askedMs(url: string): number {
  const question = url.indexOf("?");
  const text = question < 0 ? null : new URLSearchParams(url.slice(question + 1)).get("timeout");
  return text === null || text === "" ? 0 : durationMs(text);
}
