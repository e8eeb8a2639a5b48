import type { Readable } from "node:stream";
import type { HttpHeaders, HttpRequestOptions, HttpResponse } from "../http.ts";
import { bodyChunks, readWhole } from "./http-body.ts";
import { rawValues } from "./http2-exchange.ts";
import { IoError } from "../files.ts";

/** Most bytes that `readAll` takes unless told otherwise. */
const readAllBytesMax = 64 << 20;

export interface AnswerHead {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly rawHeaders: readonly string[];
}

export function httpResponse(
  head: AnswerHead,
  stream: Readable,
  discard: () => void,
): HttpResponse {
  return {
    status: head.status,
    headers: head.headers,
    headerValues: (name) => rawValues(head.rawHeaders, name),
    get body() {
      return bodyChunks(stream);
    },
    readAll(limitBytes = readAllBytesMax) {
      const contentLength = head.headers["content-length"];
      const whole = readWhole(stream, { limitBytes, contentLength });
      whole.catch(discard);
      return whole;
    },
    discard,
  };
}

export interface Deadline extends Disposable {
  /** Set once it passed or the caller's signal aborted: what the request rejects with. */
  readonly reason: unknown;
}

/** Calls `cancel` when the request's time is over or its signal aborts, until disposed. */
export function watchDeadline(
  { signal, timeoutMs }: HttpRequestOptions,
  cancel: () => void,
): Deadline & { stopTimer(): void } {
  let reason: unknown;
  const give = (why: unknown): void => {
    reason ??= why;
    cancel();
  };
  const abort = (): void => give(signal?.reason);
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => give(timeoutError()), Math.min(timeoutMs, 2 ** 31 - 1));
  return {
    get reason() {
      return reason;
    },
    stopTimer: () => clearTimeout(timer),
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    },
  };
}

function timeoutError(): IoError {
  return new IoError("request", "ETIMEDOUT", { detail: "context deadline exceeded" });
}
