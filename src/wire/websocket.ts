/** The server side of WebSocket connections; framing is the `ws` package's. */
import type { IncomingMessage } from "node:http";
import type { WebSocket } from "ws";
import type { HttpExchange, HttpHeaders } from "#base/http.ts";
import { isUpgradeTo, listedValues, refuse } from "./switching-protocols.ts";

/** Longest message that is read. */
export const webSocketMessageBytesMax = 16 << 20;
const bearerPrefix = "base64url.bearer.authorization.k8s.io.";

export interface WebSocketConnection {
  /** The subprotocol agreed on; empty when the client named none. */
  readonly protocol: string;
  /** Bytes go as a binary message, a string as text. */
  send(data: Uint8Array | string, done?: (error?: Error | null) => void): void;
  onMessage(run: (data: Buffer, isBinary: boolean) => void): void;
  /** Calls once, also when the connection broke. */
  onClose(run: () => void): void;
  /** Stops and goes on reading: messages wait in the network meanwhile. */
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  /** Breaks the connection off. */
  terminate(): void;
}

export function isWebSocketRequest(exchange: HttpExchange): boolean {
  return isUpgradeTo(exchange, "websocket");
}

/**
 * Accepts with the first subprotocol of the client's that is one of ours ("" stands for none).
 * Undefined when it had to refuse; the exchange is answered then.
 */
export async function acceptWebSocket(
  exchange: HttpExchange,
  protocols: readonly string[],
): Promise<WebSocketConnection | undefined> {
  const offered = listedValues(exchange, "sec-websocket-protocol").filter(
    (protocol) => !isBearerProtocol(protocol),
  );
  const wanted = offered.length === 0 ? [""] : offered;
  const protocol = wanted.find((candidate) => protocols.includes(candidate));
  if (protocol === undefined) return refuse(exchange, 400, "bad websocket protocol");
  // Imported when first used: most processes never see a WebSocket.
  const { WebSocketServer } = await import("ws");
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: webSocketMessageBytesMax,
  });
  // The protocol is chosen already, and `ws` refuses names with a slash, as upstream has them.
  const { method, url, headers: all } = exchange;
  const { "sec-websocket-protocol": _, ...headers } = all;
  server.on("headers", (lines) => {
    if (protocol !== "") lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  const taken = exchange.upgrade?.take();
  if (taken === undefined) return refuse(exchange, 400, "not a websocket request");
  const request = { method, url, headers } as IncomingMessage;
  return new Promise((resolve) => {
    taken.socket.once("close", () => resolve(undefined));
    server.handleUpgrade(request, taken.socket, Buffer.from(taken.head), (socket) =>
      resolve(connection(socket, protocol)),
    );
  });
}

function connection(socket: WebSocket, protocol: string): WebSocketConnection {
  socket.on("error", () => socket.terminate());
  return {
    protocol,
    send(data, done) {
      if (socket.readyState === socket.OPEN) socket.send(data, (error) => done?.(error ?? null));
      else done?.(new Error("websocket closed"));
    },
    onMessage: (run) =>
      void socket.on("message", (data, isBinary) => {
        run(Buffer.isBuffer(data) ? data : Buffer.concat([data].flat() as Buffer[]), isBinary);
      }),
    onClose(run) {
      if (socket.readyState === socket.CLOSED) queueMicrotask(run);
      else socket.once("close", run);
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: (code = 1000, reason = "") => socket.close(code, reason),
    terminate: () => socket.terminate(),
  };
}

/** Whether a subprotocol is none, but carries a token. */
export function isBearerProtocol(protocol: string): boolean {
  return protocol.startsWith(bearerPrefix);
}

/**
 * The bearer token that a browser sends as a subprotocol, because it cannot set headers.
 * Undefined when there is none, or the subprotocols are not as upstream demands: one token, and
 * another protocol beside it.
 */
export function webSocketBearerToken(headers: HttpHeaders): string | undefined {
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((one) => one.trim());
  const tokens = offered.filter(isBearerProtocol);
  if (tokens.length !== 1 || offered.length < 2) return undefined;
  const encoded = (tokens[0] as string).slice(bearerPrefix.length);
  if (!/^[\w-]+$/.test(encoded)) return undefined;
  return Buffer.from(encoded, "base64url").toString("utf8");
}
