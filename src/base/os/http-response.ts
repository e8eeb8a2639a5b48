import type { Writable } from "node:stream";
import type { HttpResponseWriter } from "../http.ts";

/** How a version of HTTP breaks an answer off, and who counts its bytes. */
export interface WriterOptions {
  readonly abort: () => void;
  readonly onBytes: (count: number) => void;
}

/** A writer on Node's stream of either HTTP version. */
export function responseWriter(stream: Writable, { abort, onBytes }: WriterOptions): HttpResponseWriter {
  return {
    write(chunk) {
      if (stream.destroyed || stream.writableEnded) return false;
      onBytes(byteLength(chunk));
      return stream.write(chunk);
    },
    get pendingBytes() {
      return stream.writableLength;
    },
    get closed() {
      return stream.destroyed || stream.writableFinished;
    },
    onDrain: (run) => void stream.on("drain", run),
    onClose(run) {
      if (stream.closed) queueMicrotask(run);
      else stream.once("close", run);
    },
    end(chunk) {
      if (stream.writableEnded || stream.destroyed) return;
      if (chunk === undefined) {
        stream.end();
        return;
      }
      onBytes(byteLength(chunk));
      stream.end(chunk);
    },
    abort,
  };
}

/** Writes the chunks with back-pressure; a source that fails breaks the answer off. */
export async function pump(
  chunks: AsyncIterable<Uint8Array | string>,
  writer: HttpResponseWriter,
): Promise<void> {
  let wake: (() => void) | undefined;
  const wakeUp = (): void => wake?.();
  writer.onDrain(wakeUp);
  writer.onClose(wakeUp);
  try {
    for await (const chunk of chunks) {
      if (writer.closed) return;
      if (writer.write(chunk)) continue;
      if (writer.closed) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
    writer.end();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

export function byteLength(body: string | Uint8Array): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.length;
}
