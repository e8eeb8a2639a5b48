import type { HttpExchange, HttpResponseWriter } from "#base/http.ts";
import { listedValues } from "#wire/switching-protocols.ts";
import { acceptWebSocket, isBearerProtocol, isWebSocketRequest, type WebSocketConnection } from "#wire/websocket.ts";

/** Where the frames of a watch go: the body of an answer, or the messages of a WebSocket. */
export type WatchOutput = Pick<HttpResponseWriter, "write" | "pendingBytes" | "onClose" | "end">;

/** Length of the prefix that protobuf frames have in a body and not in a message. */
const prefixBytes = 4;

interface Message {
  readonly content: string | Uint8Array;
  readonly sizeBytes: number;
}

/** Answers a watch; over a WebSocket when the client asked for one. */
export function openWatchOutput(exchange: HttpExchange, contentType: string): WatchOutput {
  if (isWebSocketRequest(exchange)) return webSocketOutput(exchange, contentType);
  return exchange.startResponse(200, {
    "cache-control": "no-cache, private",
    "content-type": contentType,
  });
}

/** Whatever the one subprotocol is, beside a browser's token, it changes nothing: Go echoes it, and refuses several. */
function onlyProtocol(exchange: HttpExchange): string {
  const offered = listedValues(exchange, "sec-websocket-protocol").filter((protocol) => !isBearerProtocol(protocol));
  return offered.length === 1 ? (offered[0] ?? "") : "";
}

/**
 * One message a frame, text for JSON; what is written before the connection stands waits.
 * Source: apiserver endpoints/handlers/watch.go HandleWS.
 */
function webSocketOutput(exchange: HttpExchange, contentType: string): WatchOutput {
  const isText = contentType.startsWith("application/json");
  const messages: Message[] = [];
  const closed = Promise.withResolvers<void>();
  let pendingBytes = 0;
  let isEnded = false;
  let socket: WebSocketConnection | undefined;
  const send = (connection: WebSocketConnection, { content, sizeBytes }: Message): void =>
    connection.send(content, () => (pendingBytes -= sizeBytes));
  const opened = (connection: WebSocketConnection | undefined): void => {
    if (connection === undefined) return closed.resolve();
    socket = connection;
    connection.onClose(closed.resolve);
    for (const message of messages.splice(0)) send(connection, message);
    if (isEnded) connection.close();
  };
  void acceptWebSocket(exchange, [onlyProtocol(exchange)]).then(opened, () => closed.resolve());
  return {
    write(frame) {
      const bytes = Buffer.from(frame);
      const content = isText ? bytes.toString("utf8") : bytes.subarray(prefixBytes);
      const message = { content, sizeBytes: isText ? bytes.length : content.length };
      pendingBytes += message.sizeBytes;
      if (socket === undefined) messages.push(message);
      else send(socket, message);
      return true;
    },
    get pendingBytes() {
      return pendingBytes;
    },
    onClose: (run) => void closed.promise.then(run),
    end() {
      isEnded = true;
      socket?.close();
    },
  };
}
