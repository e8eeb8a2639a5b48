import type { RequestFilter } from "./frontend.ts";
import { isLongRunning } from "./query-options.ts";

/** Knows when no request is under way that will be answered soon. */
export interface Drain {
  readonly filter: RequestFilter;
  /** Resolves once there is none; at once when there is none now. */
  idle(): Promise<void>;
}

/** Watches, logs, `exec` and proxies last as long as their clients want: they do not count. */
export function createDrain(): Drain {
  let open = 0;
  let waiting: (() => void)[] = [];
  return {
    async filter({ info }, next) {
      if (isLongRunning(info)) return next();
      open++;
      try {
        await next();
      } finally {
        if (--open === 0) for (const resolve of waiting.splice(0)) resolve();
      }
    },
    idle() {
      if (open === 0) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = [...waiting, resolve];
      return promise;
    },
  };
}
