import { tooManyRequests } from "#apimachinery/status.ts";
import type { RequestFilter } from "../http/frontend.ts";
import { isLongRunning } from "../http/query-options.ts";

export interface InFlightLimits {
  /** Source: --max-requests-inflight. */
  readonly readOnlyMax: number;
  /** Source: --max-mutating-requests-inflight. */
  readonly mutatingMax: number;
}

export const inFlightDefaults: InFlightLimits = { readOnlyMax: 400, mutatingMax: 200 };

const readVerbs = new Set(["get", "list", "watch"]);
const retryAfterSeconds = 1;

/**
 * Refuses requests beyond the limits with 429. Administrators and what lasts are not counted.
 * Source: apiserver/pkg/server/filters/maxinflight.go.
 */
export function maxInFlight(limits: InFlightLimits): RequestFilter {
  let readOnly = 0;
  let mutating = 0;
  return async ({ info, user }, next) => {
    if (isLongRunning(info) || user.groups.includes("system:masters")) return next();
    const reads = readVerbs.has(info.verb);
    if (reads ? readOnly >= limits.readOnlyMax : mutating >= limits.mutatingMax) {
      throw tooManyRequests("Too many requests, please try again later.", retryAfterSeconds);
    }
    if (reads) readOnly++;
    else mutating++;
    try {
      await next();
    } finally {
      if (reads) readOnly--;
      else mutating--;
    }
  };
}
