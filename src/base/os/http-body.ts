import type { Readable } from "node:stream";
import { IoError } from "../files.ts";
import { BodyTooLargeError } from "../http.ts";
import { toIoError } from "./io-error.ts";

/** Longest time that a sender may take for a body that is read whole. */
export const bodyReadMsMax = 60_000;

export interface ReadBodyOptions {
  readonly limitBytes: number;
  /** The Content-Length header. */
  readonly contentLength: string | undefined;
  /** @default none */
  readonly timeoutMs?: number;
}

/** Collects a body; see `HttpExchange.readBody` for how it fails. Stops reading when it does. */
export function readWhole(stream: Readable, options: ReadBodyOptions): Promise<Uint8Array> {
  const { limitBytes, contentLength, timeoutMs } = options;
  if (contentLength !== undefined && Number(contentLength) > limitBytes) {
    return Promise.reject(new BodyTooLargeError(limitBytes));
  }
  if (stream.readableEnded) return Promise.resolve(new Uint8Array());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    let timer: NodeJS.Timeout | undefined;

    const stop = (): void => {
      clearTimeout(timer);
      stream.off("data", take).off("end", finish).off("error", fail).off("close", gone);
    };
    const fail = (error: Error): void => {
      stop();
      stream.pause();
      reject(error instanceof BodyTooLargeError ? error : toIoError("read", "body", error));
    };
    const gone = (): void => fail(goneError("read"));
    const take = (chunk: Buffer): void => {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) fail(new BodyTooLargeError(limitBytes));
      else chunks.push(chunk);
    };
    const finish = (): void => {
      stop();
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, sizeBytes));
    };

    if (stream.destroyed) return gone();
    stream.on("data", take).on("end", finish).on("error", fail).on("close", gone);
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => fail(new IoError("read", "ETIMEDOUT")), timeoutMs);
    }
    return undefined;
  });
}

/** The other side closed the connection in the middle. */
export function goneError(op: string): IoError {
  return new IoError(op, "ECONNRESET", { detail: `${op}: connection reset by peer` });
}

/** The chunks of a body, with what Node throws turned into `IoError`. */
export async function* bodyChunks(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    throw toIoError("read", "body", error);
  }
}
