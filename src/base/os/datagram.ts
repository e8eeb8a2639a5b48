import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import type { DatagramOptions, DatagramSocket } from "../datagram.ts";
import { toIoError } from "./io-error.ts";

/** Rejects with `IoError` when the address cannot be had. */
export async function openDatagramSocket(options: DatagramOptions): Promise<DatagramSocket> {
  const socket = createSocket({ type: options.address.includes(":") ? "udp6" : "udp4" });
  const target = `${options.address}:${options.port}`;
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error) => reject(toIoError("bind", target, error)));
    socket.bind(options.port, options.address, resolve);
  });
  socket.on("error", () => undefined);
  socket.on("message", (bytes, { address, port }) => options.onDatagram({ bytes, address, port }));
  return {
    port: socket.address().port,
    send: (bytes, { address, port }) => socket.send(bytes, port, address, () => undefined),
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** Most simultaneous connections of a stream listener. */
const connectionsMax = 1000;

/** A TCP listener; each connection is the callee's. Rejects with `IoError`. */
export async function listenStream(options: {
  readonly address: string;
  readonly port: number;
  readonly onConnection: (socket: Socket) => void;
}): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    options.onConnection(socket);
  });
  server.maxConnections = connectionsMax;
  const target = `${options.address}:${options.port}`;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(toIoError("listen", target, error)));
    server.listen(options.port, options.address, resolve);
  });
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
