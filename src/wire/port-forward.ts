/**
 * Port forwarding: connections inside one upgraded connection, over SPDY (also inside a WebSocket)
 * or over WebSocket channels. Source: kubelet cri/streaming/portforward.
 */
import type { Duplex, Writable } from "node:stream";
import type { Clock } from "#base/clock.ts";
import type { HttpClient, HttpExchange } from "#base/http.ts";
import { streamCreationMs } from "./remote-command.ts";
import {
  acceptSpdy,
  dialSpdy,
  isSpdyRequest,
  missingUpgradeHeaders,
  type DialSpdyOptions,
} from "./spdy-upgrade.ts";
import { createSpdySession, type SpdySession, type SpdyStream } from "./spdy.ts";
import { listedValues, refuse } from "./switching-protocols.ts";
import { acceptWebSocket, isWebSocketRequest, type WebSocketConnection } from "./websocket.ts";
import { channelProtocols, openChannels, type ChannelUse } from "./websocket-channels.ts";
import { webSocketDuplex } from "./websocket-tunnel.ts";

const portForwardProtocol = "portforward.k8s.io";
const tunnelProtocol = `SPDY/3.1+${portForwardProtocol}`;
const channelForwardProtocols = [channelProtocols.v4, channelProtocols.v4Base64, ""];

/** One connection of the client's to a port of the pod. */
export interface ForwardedConnection {
  readonly port: number;
  readonly data: Duplex;
  /** Tells the client why the connection failed, and closes it. */
  fail(message: string): void;
}

export interface PortForwardSession {
  readonly closed: Promise<void>;
  close(): void;
}

export interface PortForwardOptions {
  readonly onConnection: (connection: ForwardedConnection) => void;
  /** The `ports` of the query: only WebSocket channels need them. */
  readonly ports: readonly number[];
  readonly clock: Clock;
}

/** Undefined when it had to refuse; the exchange is answered then. */
export async function acceptPortForward(
  exchange: HttpExchange,
  options: PortForwardOptions,
): Promise<PortForwardSession | undefined> {
  if (isSpdyRequest(exchange)) {
    const pairing = pairStreams(options);
    return acceptSpdy(exchange, [portForwardProtocol], pairing)?.session;
  }
  if (!isWebSocketRequest(exchange)) return refuse(exchange, 400, missingUpgradeHeaders);
  const offered = listedValues(exchange, "sec-websocket-protocol");
  if (offered.includes(tunnelProtocol)) {
    const socket = await acceptWebSocket(exchange, [tunnelProtocol]);
    return socket && tunnelled(socket, options);
  }
  if (options.ports.length === 0)
    return refuse(exchange, 400, 'query parameter "port" is required');
  const socket = await acceptWebSocket(exchange, channelForwardProtocols);
  return socket && overChannels(socket, options);
}

function tunnelled(socket: WebSocketConnection, options: PortForwardOptions): SpdySession {
  const onStream = pairStreams(options);
  return createSpdySession({ socket: webSocketDuplex(socket), role: "server", onStream });
}

/** A connection is two streams with the same request id: one for data, one for the error. */
function pairStreams({ onConnection, clock }: PortForwardOptions): (stream: SpdyStream) => void {
  const waiting = new Map<string, SpdyStream>();
  return (stream) => {
    const { streamtype, port: portText = "", requestid } = stream.headers;
    const port = Number(portText);
    const isKnown = streamtype === "data" || streamtype === "error";
    if (!isKnown || !Number.isInteger(port) || port < 1 || port > 65535) {
      stream.destroy();
      return;
    }
    // Old clients send no id, but open the data stream right after the error stream.
    const id = requestid ?? String(streamtype === "data" ? stream.id - 2 : stream.id);
    const other = waiting.get(id);
    if (other === undefined) {
      waiting.set(id, stream);
      const timer = clock.after(streamCreationMs, () => {
        if (waiting.get(id) === stream && waiting.delete(id)) stream.destroy();
      });
      stream.once("close", () => {
        timer[Symbol.dispose]();
        if (waiting.get(id) === stream) waiting.delete(id);
      });
      return;
    }
    waiting.delete(id);
    const [data, error] = streamtype === "data" ? [stream, other] : [other, stream];
    onConnection(forwarded(port, data, error));
  };
}

function forwarded(
  port: number,
  data: Duplex,
  error: Writable & { resume?: () => void },
): ForwardedConnection {
  error.resume?.();
  // The client takes the end of the error stream for the end of the connection.
  data.once("close", () => error.end());
  return {
    port,
    data,
    fail(message) {
      error.end(message);
      data.destroy();
    },
  };
}

/** Two channels a port: data both ways, and the error. Each begins with the port's number. */
function overChannels(
  socket: WebSocketConnection,
  options: PortForwardOptions,
): PortForwardSession {
  const uses = options.ports.flatMap((): ChannelUse[] => ["both", "write"]);
  const channels = openChannels(socket, uses);
  for (const [i, port] of options.ports.entries()) {
    const data = channels.writables[2 * i] as Duplex;
    const error = channels.writables[2 * i + 1] as Writable;
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    data.write(number);
    error.write(number);
    options.onConnection(forwarded(port, data, error));
  }
  return channels;
}

/** The client's side. */
export interface PortForwarder extends PortForwardSession {
  connect(port: number): OutgoingConnection;
}

export interface OutgoingConnection {
  readonly data: Duplex;
  /** Empty when the connection ended well. */
  readonly error: Promise<string>;
}

/** Errors: as `dialSpdy`. */
export async function dialPortForward(
  client: HttpClient,
  options: DialSpdyOptions,
): Promise<PortForwarder> {
  const { session } = await dialSpdy(client, [portForwardProtocol], options);
  let requestCount = 0;
  return {
    connect(port) {
      const common = { port: String(port), requestid: String(requestCount++) };
      const error = session.createStream({ ...common, streamtype: "error" });
      error.end();
      const data = session.createStream({ ...common, streamtype: "data" });
      return { data, error: textOf(error) };
    },
    closed: session.closed,
    close: () => session.close(),
  };
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}
