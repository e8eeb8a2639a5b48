/** A TCP proxy on loopback that tests cut, or let hang. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface TcpProxy extends AsyncDisposable {
  readonly address: string;
  /** `cut` ends and refuses connections, `hang` keeps them without passing anything on. */
  set(mode: "pass" | "cut" | "hang"): void;
}

/** `target`: `host:port`, with or without a scheme. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target.includes("://") ? target : `http://${target}`);
  const sockets = new Set<Socket>();
  let mode: "pass" | "cut" | "hang" = "pass";
  const server = createServer((client) => {
    if (mode === "cut") return void client.destroy();
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      if (mode === "hang") from.pause();
      from.on("data", (chunk) => to.write(chunk));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(next) {
      mode = next;
      for (const socket of sockets) {
        if (mode === "cut") socket.destroy();
        else if (mode === "hang") socket.pause();
        else socket.resume();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
