import type { Clock } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Network, UdpSocket } from "#base/network.ts";
import { framed, readFrames } from "./frames.ts";
import { respond, type Responder } from "./respond.ts";

/** Most simultaneous TCP connections. */
const connectionsMax = 1000;
/** A TCP connection is closed after so long; clients open another. */
const connectionMs = 10_000;

export interface DnsServerOptions extends Responder {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly network: Network;
  readonly clock: Clock;
  readonly lifetime: Lifetime;
}

/** Serves the cluster's names over UDP and TCP. Resolves when the sockets are bound. */
export async function startDnsServer(options: DnsServerOptions): Promise<{ readonly port: number }> {
  let { port } = options;
  for (const address of options.addresses) {
    const udp: UdpSocket = await options.network.openUdp({
      host: address,
      port,
      onPacket: (packet) => {
        void respond(options, packet.bytes, "udp").then((bytes) => {
          if (bytes !== undefined) udp.send({ ...packet, bytes });
        });
      },
    });
    options.lifetime.use(udp);
    port = udp.port;
    const tcp = await options.network.listen({
      address: { host: address, port },
      connectionsMax,
      onConnection(connection) {
        const limit = options.clock.after(connectionMs, () => connection.destroy());
        connection.once("close", () => limit[Symbol.dispose]());
        connection.on("end", () => connection.end());
        readFrames(connection, (query) => {
          void respond(options, query, "tcp").then((reply) => {
            if (reply !== undefined && !connection.destroyed) connection.write(framed(reply));
          });
        });
      },
    });
    options.lifetime.use(tcp);
  }
  return { port };
}
