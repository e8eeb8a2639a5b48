import type { Clock } from "#base/clock.ts";
import type { Network } from "#base/network.ts";
import type { Random } from "#base/random.ts";
import { framed, readFrames } from "./frames.ts";

export type Transport = "udp" | "tcp";

/** Asks resolvers outside the cluster. */
export interface Forwarder extends AsyncDisposable {
  /** The reply to a query as it came, with the query's own id. Errors: when nobody answered in time. */
  forward(query: Uint8Array, transport: Transport): Promise<Uint8Array>;
}

export interface ForwarderOptions {
  /** Addresses of resolvers, in order of preference. */
  readonly resolvers: readonly string[];
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
}

/** For one resolver, before the next is asked. */
const attemptMs = 2000;
/** Questions under way; beyond, new ones fail at once. */
const pendingMax = 2000;
const dnsPort = 53;

interface Pending {
  readonly resolve: (reply: Uint8Array) => void;
  readonly id: number;
}

/** Forwards UDP from one socket, with ids of our own, which replies must match; TCP over a connection for each question. */
export async function createForwarder(options: ForwarderOptions): Promise<Forwarder> {
  const pending = new Map<number, Pending>();
  const socket = await options.network.openUdp({
    host: "0.0.0.0",
    port: 0,
    onPacket({ bytes, host }) {
      if (bytes.length < 12 || !options.resolvers.includes(host)) return;
      const own = Buffer.from(bytes).readUInt16BE(0);
      const waiting = pending.get(own);
      if (waiting === undefined) return;
      pending.delete(own);
      const reply = Buffer.from(bytes);
      reply.writeUInt16BE(waiting.id, 0);
      waiting.resolve(reply);
    },
  });

  function askOverUdp(query: Uint8Array, resolver: string): Promise<Uint8Array> {
    if (pending.size >= pendingMax) return Promise.reject(new Error("too many questions under way"));
    let own = options.random.below(0x10000);
    while (pending.has(own)) own = (own + 1) & 0xffff;
    const copy = Buffer.from(query);
    const id = copy.readUInt16BE(0);
    copy.writeUInt16BE(own, 0);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const timer = options.clock.after(attemptMs, () => {
      pending.delete(own);
      reject(new Error(`no answer from ${resolver}`));
    });
    pending.set(own, { resolve, id });
    socket.send({ bytes: copy, host: resolver, port: dnsPort });
    return promise.finally(() => timer[Symbol.dispose]());
  }

  async function askOverTcp(query: Uint8Array, resolver: string): Promise<Uint8Array> {
    const connection = await options.network.connect({ host: resolver, port: dnsPort }, { timeoutMs: attemptMs });
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const timer = options.clock.after(attemptMs, () => reject(new Error(`no answer from ${resolver}`)));
    connection.on("error", reject);
    connection.on("close", () => reject(new Error(`${resolver} closed the connection`)));
    readFrames(connection, resolve);
    connection.write(framed(query));
    return promise.finally(() => {
      timer[Symbol.dispose]();
      connection.destroy();
    });
  }

  return {
    async forward(query, transport) {
      const ask = transport === "tcp" ? askOverTcp : askOverUdp;
      let failure = new Error("no resolvers");
      for (const resolver of options.resolvers) {
        try {
          return await ask(query, resolver);
        } catch (error) {
          failure = error as Error;
        }
      }
      throw failure;
    },
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
}

/** Resolver addresses of a resolv.conf, without those of this machine itself. */
export function resolversOf(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .map(([, address = ""]) => address)
    .filter((address) => /^\d+\.\d+\.\d+\.\d+$/.test(address) && !address.startsWith("127."));
}
