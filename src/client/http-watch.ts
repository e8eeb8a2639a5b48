import type { KubeObject } from "#apimachinery/object.ts";
import { type Status, StatusError } from "#apimachinery/status.ts";
import type { HttpResponse } from "#base/http.ts";
import { parseJson } from "#wire/json.ts";
import type { WatchEvent, WatchSink } from "./transport.ts";

/** Longest event; objects are at most some megabytes. */
const lineBytesMax = 32 << 20;

const newline = 0x0a;

interface WatchDocument {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubeObject & Status;
}

export interface FollowOptions {
  readonly open: () => Promise<HttpResponse>;
  readonly errorOf: (code: number, body: Uint8Array) => StatusError;
  readonly sink: WatchSink<KubeObject>;
  readonly signal: AbortSignal;
}

/** Reads a watch, one JSON document a line, until it ends or the signal aborts. Never rejects. */
export async function followEvents({ open, errorOf, sink, signal }: FollowOptions): Promise<void> {
  let end: Error | undefined;
  try {
    const response = await open();
    if (response.status >= 400) throw errorOf(response.status, await response.readAll());
    for await (const line of linesOf(response.body)) {
      if (signal.aborted) return;
      const { type, object } = parseJson(line) as WatchDocument;
      if (type === "ERROR") throw new StatusError(object);
      sink.onEvent({ type, object } as WatchEvent<KubeObject>);
    }
  } catch (error) {
    end = error instanceof Error ? error : new Error(String(error));
  }
  if (!signal.aborted) sink.onClosed(end);
}

/** Lines without their ends; empty ones are left out. Rejects when one grows beyond the limit. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      parts.push(chunk.subarray(from, at));
      if (sizeBytes + at - from > 0)
        yield parts.length === 1 ? chunk.subarray(from, at) : Buffer.concat(parts);
      parts = [];
      sizeBytes = 0;
      from = at + 1;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      sizeBytes += chunk.length - from;
    }
    if (sizeBytes > lineBytesMax) throw new Error(`watch event exceeds ${lineBytesMax} bytes`);
  }
  if (sizeBytes > 0) yield Buffer.concat(parts);
}
