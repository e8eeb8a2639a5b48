import type { ApiTable } from "#apiserver/api-table.ts";
import type { Drain } from "#apiserver/http/drain.ts";
import type { Clock } from "#base/clock.ts";
import type { HttpServer } from "#base/http.ts";

/** How long what lasts (watches, logs, `exec`) may take to end when the server stops. */
const lastingGraceMs = 2000;

export interface Serving {
  readonly clock: Clock;
  readonly http: HttpServer;
  readonly table: ApiTable;
  readonly drain: Drain;
  readonly requestMs: number;
}

/**
 * Accepts nobody new, ends watches so that clients resume elsewhere, answers what was asked, and
 * cuts off the rest. Source: apiserver/pkg/server/genericapiserver.go RunWithContext.
 */
export async function stopServing({ clock, http, table, drain, requestMs }: Serving): Promise<void> {
  const cut = new AbortController();
  const closed = http.close(requestMs, cut.signal);
  table.retireAll();
  await Promise.race([closed, drain.idle()]);
  using _timer = clock.after(lastingGraceMs, () => cut.abort());
  await closed;
}
