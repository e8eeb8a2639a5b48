import type { RequestFilter } from "../http/frontend.ts";
import { isLongRunning } from "../http/query-options.ts";
import { sendText } from "../http/send.ts";

export interface InFlightLimits {
  /** 0 for none. Source: --max-requests-inflight. */
  readonly readOnlyMax: number;
  /** 0 for none. Source: --max-mutating-requests-inflight. */
  readonly mutatingMax: number;
}

export const inFlightDefaults: InFlightLimits = { readOnlyMax: 400, mutatingMax: 200 };

const readVerbs = new Set(["get", "list", "watch"]);
const retryAfterSeconds = 1;

/**
 * Refuses requests beyond the limits with 429, where priority and fairness is off. Administrators
 * always get an answer, and what lasts is not counted.
 * Source: apiserver/pkg/server/filters/maxinflight.go.
 */
export function maxInFlight({ readOnlyMax, mutatingMax }: InFlightLimits): RequestFilter {
  const counts = { read: 0, write: 0 };
  const limits = { read: readOnlyMax || Infinity, write: mutatingMax || Infinity };
  return async ({ exchange, info, user }, next) => {
    if (isLongRunning(info)) return next();
    const kind = readVerbs.has(info.verb) ? "read" : "write";
    if (counts[kind] >= limits[kind]) {
      if (user.groups.includes("system:masters")) return next();
      exchange.setHeader("retry-after", String(retryAfterSeconds));
      sendText(exchange, 429, "Too many requests, please try again later.\n");
      return;
    }
    counts[kind]++;
    try {
      await next();
    } finally {
      counts[kind]--;
    }
  };
}
