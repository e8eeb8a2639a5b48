import { Readable } from "node:stream";
import { promisify } from "node:util";
import { createGzip, gzip } from "node:zlib";
import type { HttpExchange, HttpResponseHeaders } from "#base/http.ts";
import type { Rendered } from "./render.ts";

/** Smaller answers are not worth compressing. Source: responsewriters defaultGzipThresholdBytes. */
const gzipThresholdBytes = 128 * 1024;
/** Bytes handed to the connection before other work gets its turn. */
const sliceBytes = 1024 * 1024;

/** The fastest; upstream's, too. */
const gzipLevel = 1;
/** Bytes of one piece of a compressed answer. */
const gzipChunkBytes = 256 * 1024;

const compress = promisify(gzip);

/** Sends an encoded answer: small ones whole, large ones compressed, very large ones piece by piece. */
export async function send(
  exchange: HttpExchange,
  rendered: Rendered,
  warnings: readonly string[] = [],
  extra: HttpResponseHeaders = {},
): Promise<void> {
  const headers: HttpResponseHeaders = {
    "cache-control": "no-cache, private",
    "content-type": rendered.contentType,
    "x-content-type-options": "nosniff",
    ...(warnings.length > 0 && { warning: warnings }),
    ...extra,
  };
  const sizeBytes = rendered.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (sizeBytes > gzipThresholdBytes && acceptsGzip(exchange)) {
    const vary = typeof headers["vary"] === "string" ? `${headers["vary"]}, Accept-Encoding` : "Accept-Encoding";
    const gzipped = { ...headers, "content-encoding": "gzip", vary };
    if (sizeBytes > sliceBytes) {
      const zip = createGzip({ level: gzipLevel, chunkSize: gzipChunkBytes });
      await exchange.respondStream(rendered.code, gzipped, Readable.from(rendered.chunks).pipe(zip));
      return;
    }
    const body = await compress(Buffer.concat(rendered.chunks as Uint8Array[]), { level: gzipLevel });
    exchange.respond(rendered.code, gzipped, body);
    return;
  }
  if (sizeBytes <= sliceBytes) {
    const [only] = rendered.chunks;
    const body = rendered.chunks.length === 1 && only ? only : Buffer.concat(rendered.chunks as Uint8Array[]);
    exchange.respond(rendered.code, headers, body);
    return;
  }
  await exchange.respondStream(rendered.code, headers, slices(rendered.chunks));
}

export function acceptsGzip(exchange: HttpExchange): boolean {
  return /(^|[,\s])gzip([;,\s]|$)/.test(exchange.headers["accept-encoding"] ?? "");
}

async function* slices(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let sizeBytes = 0;
  for (const chunk of chunks) {
    if (pending.length === 0 && chunk.length >= sliceBytes) {
      yield chunk;
      continue;
    }
    pending.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes < sliceBytes) continue;
    yield Buffer.concat(pending);
    pending = [];
    sizeBytes = 0;
  }
  if (pending.length > 0) yield Buffer.concat(pending);
}

export function sendText(exchange: HttpExchange, code: number, text: string): void {
  exchange.respond(
    code,
    {
      "cache-control": "no-cache, private",
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
    },
    text,
  );
}

export function sendJson(exchange: HttpExchange, value: unknown, extra: HttpResponseHeaders = {}): void {
  exchange.respond(
    200,
    { "cache-control": "no-cache, private", "content-type": "application/json", ...extra },
    `${JSON.stringify(value)}\n`,
  );
}
