import type { Clock } from "#base/clock.ts";
import type { HttpExchange } from "#base/http.ts";
import type { Call, Endpoint } from "../call.ts";
import type { WatchObserver } from "../metrics/watch-meters.ts";
import { watch } from "../rest/watch.ts";
import type { RenderOptions } from "./render.ts";
import { openWatchOutput, type WatchOutput } from "./watch-output.ts";
import { createWatchEncoder } from "./watch-stream.ts";

/** A watcher that has more than this waiting is ended: it must resume, and memory stays bounded. */
export const pendingBytesMax = 8 * 1024 * 1024;
/** Shortest watch that names no timeout; the longest is twice that. Source: min-request-timeout. */
const timeoutMsMin = 1_800_000;

export interface WatchRequest {
  readonly exchange: HttpExchange;
  readonly endpoint: Endpoint;
  readonly call: Call;
  readonly clock: Clock;
  readonly render: RenderOptions;
  /** Called when the initial events are out. */
  readonly onOpen: () => void;
  readonly observer: WatchObserver;
}

/** Streams a watch until it times out, the client goes away, falls behind, or history is gone. */
export async function serveWatch(request: WatchRequest): Promise<void> {
  const { exchange, endpoint, call, clock, observer } = request;
  const encoder = createWatchEncoder(endpoint, request.render);
  const resources = new DisposableStack();
  const over = Promise.withResolvers<void>();
  resources.defer(() => over.resolve());
  let output: WatchOutput | undefined;
  const start = (): WatchOutput => (output ??= openWatchOutput(exchange, encoder.contentType));
  const finish = (): void => {
    if (resources.disposed) return;
    resources.dispose();
    start().end();
  };
  const stream = await watch(endpoint, call, {
    clock,
    receiver: {
      onMessage(message) {
        if (resources.disposed) return;
        const out = start();
        const frame = encoder.frame(message);
        out.write(frame);
        observer.sent(endpoint.definition, frame.length);
        if (out.pendingBytes <= pendingBytesMax) return;
        observer.terminated(endpoint.definition);
        finish();
      },
      onEnd(error) {
        if (resources.disposed) return;
        if (error !== undefined) start().write(encoder.error(error));
        finish();
      },
    },
  });
  if (resources.disposed) {
    // It was over before it was open.
    stream[Symbol.dispose]();
    return;
  }
  resources.use(stream);
  resources.use(clock.after(timeoutMs(call, clock), finish));
  request.onOpen();
  // The headers go out at once: clients wait for them before they count on the watch.
  start().onClose(() => resources.dispose());
  await over.promise;
}

function timeoutMs({ options }: Call, clock: Clock): number {
  if (options.timeoutSeconds) return options.timeoutSeconds * 1000;
  // Spread over twice the minimum, so that watches opened together do not end together.
  return timeoutMsMin + (clock.monotonicMs() % timeoutMsMin);
}
