import { createSocket } from "node:dgram";
import { lookup as lookupName } from "node:dns/promises";
import { createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { IoError } from "../files.ts";
import type { ListenOptions, Network, NetworkListener, UdpOptions, UdpSocket } from "../network.ts";
import { dial } from "./dial.ts";
import { errnoOf, toIoError } from "./io-error.ts";

const connectionsMaxDefault = 10_000;

export const systemNetwork: Network = {
  connect(address, { signal, timeoutMs, localAddress } = {}) {
    const from = localAddress === undefined || "socketPath" in address ? {} : { localAddress };
    return dial({ ...address, ...from }, { signal, timeoutMs });
  },
  listen,
  openUdp,
  lookup,
  addresses: () =>
    Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal }) => !internal)
      .map(({ address }) => address),
};

async function listen(options: ListenOptions): Promise<NetworkListener> {
  const { address } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    options.onConnection(socket);
  });
  server.maxConnections = options.connectionsMax ?? connectionsMaxDefault;
  const target = "socketPath" in address ? address.socketPath : `${address.host}:${address.port}`;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(toIoError("listen", target, error)));
    if ("socketPath" in address) server.listen(address.socketPath, resolve);
    else server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : 0,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function openUdp(options: UdpOptions): Promise<UdpSocket> {
  const { host, port, reusePort = false } = options;
  const socket = createSocket({ type: host.includes(":") ? "udp6" : "udp4", reusePort });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error) => reject(toIoError("listen", `${host}:${port}`, error)));
    socket.bind(port, host, resolve);
  });
  // An ICMP answer to an earlier packet: whoever sent that waits in vain, and nobody else.
  socket.on("error", () => undefined);
  socket.on("message", (bytes, from) =>
    options.onPacket({ bytes, host: from.address, port: from.port }),
  );
  return {
    port: socket.address().port,
    send: (packet) => socket.send(packet.bytes, packet.port, packet.host, () => undefined),
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

async function lookup(name: string): Promise<readonly string[]> {
  try {
    return (await lookupName(name, { all: true })).map(({ address }) => address);
  } catch (error) {
    const detail = `lookup ${name}: no such host`;
    throw new IoError("lookup", errnoOf(error), { cause: error, detail });
  }
}
