import type { HttpExchange } from "#base/http.ts";
import { acceptWebSocket, type WebSocketConnection } from "./websocket.ts";

/** Source: wsstream `NewDefaultReaderProtocols`; without a protocol messages are binary. */
const binaryProtocols = ["", "binary.k8s.io"];
const base64Protocol = "base64.binary.k8s.io";

/**
 * Sends a stream of bytes, such as a log, over a WebSocket: an empty message that says that the
 * connection stands, then one message a chunk. Resolves when all was sent or the client left.
 */
export async function streamOverWebSocket(
  exchange: HttpExchange,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const socket = await acceptWebSocket(exchange, [...binaryProtocols, base64Protocol]);
  if (socket === undefined) return;
  const isBase64 = socket.protocol === base64Protocol;
  const encode = (chunk: Uint8Array): Uint8Array | string =>
    isBase64 ? Buffer.from(chunk).toString("base64") : chunk;
  socket.send(encode(new Uint8Array()));
  await sendMessages(socket, mapped(chunks, encode));
}

async function* mapped<From, To>(
  items: AsyncIterable<From>,
  map: (item: From) => To,
): AsyncGenerator<To> {
  for await (const item of items) yield map(item);
}

/**
 * Sends one message after another, each once the one before was taken, then closes. A client
 * that leaves ends the source too.
 */
export async function sendMessages(
  socket: WebSocketConnection,
  messages: AsyncIterable<Uint8Array | string>,
): Promise<void> {
  const left = Promise.withResolvers<"left">();
  let isOpen = true;
  socket.onClose(() => {
    isOpen = false;
    left.resolve("left");
  });
  const source = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([source.next(), left.promise]);
      if (next === "left" || next.done === true) break;
      await new Promise<void>((resolve) => socket.send(next.value, () => resolve()));
    }
    socket.close();
  } catch (error) {
    socket.close(1011, "internal error");
    throw error;
  } finally {
    // Not awaited: a source that waits for its next item ends when its own signal says so.
    if (!isOpen) source.return?.().catch(() => undefined);
  }
}
