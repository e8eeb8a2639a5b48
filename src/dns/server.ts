import { decode, encode, type Packet, RECURSION_AVAILABLE, RECURSION_DESIRED, AUTHORITATIVE_ANSWER } from "dns-packet";
import type { Clock } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Network, NetworkConnection, UdpSocket } from "#base/network.ts";
import type { Random } from "#base/random.ts";
import { type Forwarder } from "./forwarder.ts";
import { type DnsRecord, recordTtlSeconds, resolveName, type ZoneSource } from "./zone.ts";

/** Answers longer than this go over TCP, unless the client says that it takes more (EDNS). */
const udpBytesDefault = 512;
const udpBytesMax = 4096;
/** Most simultaneous TCP connections. */
const connectionsMax = 1000;
/** A TCP connection is closed after so long; clients open another. */
const connectionMs = 10_000;
const rcodes = { ok: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 };

export interface DnsServerOptions {
  readonly source: ZoneSource;
  /** `cluster.local`. */
  readonly domain: string;
  readonly addresses: readonly string[];
  readonly port: number;
  /** For names outside the zone; absent: they are refused. */
  readonly forwarder?: Forwarder;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
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
        void answer(options, packet.bytes).then((reply) => {
          if (reply !== undefined) udp.send({ ...packet, bytes: truncate(reply, packet.bytes) });
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
        readFrames(connection, (query) => encodedAnswer(options, query));
      },
    });
    options.lifetime.use(tcp);
  }
  return { port };
}

async function encodedAnswer(options: DnsServerOptions, query: Uint8Array): Promise<Uint8Array | undefined> {
  const reply = await answer(options, query);
  return reply && encodeReply(reply);
}

type Reply = Packet & { rcode?: number };

function encodeReply(reply: Reply): Buffer {
  return encode(reply);
}

/** Fits a reply into what the client takes over UDP: cut, it asks again over TCP. */
function truncate(reply: Reply, query: Uint8Array): Buffer {
  const bytes = encodeReply(reply);
  const limit = udpLimit(query);
  if (bytes.length <= limit) return bytes;
  return encodeReply({ ...reply, flags: (reply.flags ?? 0) | 0x200, answers: [], additionals: [] });
}

function udpLimit(query: Uint8Array): number {
  try {
    const edns = decode(Buffer.from(query)).additionals?.find(({ type }) => type === "OPT");
    const asked = edns !== undefined && "udpPayloadSize" in edns ? Number(edns.udpPayloadSize) : 0;
    return Math.min(Math.max(asked, udpBytesDefault), udpBytesMax);
  } catch {
    return udpBytesDefault;
  }
}

async function answer(options: DnsServerOptions, query: Uint8Array): Promise<Reply | undefined> {
  let packet: Packet;
  try {
    packet = decode(Buffer.from(query));
  } catch {
    return undefined;
  }
  const [question] = packet.questions ?? [];
  if (packet.type !== "query" || question === undefined) return undefined;
  const base = { id: packet.id ?? 0, questions: [question] };
  const local = resolveName(options.source, options.domain, question);
  if (local !== undefined) {
    return {
      ...base,
      type: "response",
      flags: flagsOf(packet) | AUTHORITATIVE_ANSWER | (local.exists ? rcodes.ok : rcodes.nameError),
      answers: await withTargets(options, question.type, shuffle(options.random, local.answers)),
      additionals: [...local.additionals] as NonNullable<Packet["additionals"]>,
      authorities: local.answers.length === 0 ? [soa(options)] : [],
    };
  }
  return forward(options, { packet, query, base });
}

function flagsOf(packet: Packet): number {
  return ((packet.flags ?? 0) & RECURSION_DESIRED) | RECURSION_AVAILABLE;
}

/** Tells how long the absence of a name may be believed. */
function soa({ domain, clock }: DnsServerOptions): NonNullable<Packet["authorities"]>[number] {
  return {
    type: "SOA",
    name: domain,
    ttl: recordTtlSeconds,
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: Math.floor(clock.nowMs() / 1000),
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: recordTtlSeconds,
    },
  };
}

/** Clients take the first address: a new order each time spreads them. */
function shuffle(random: Random, records: readonly DnsRecord[]): DnsRecord[] {
  const list = [...records];
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const [a, b] = [list[i], list[j]];
    if (a !== undefined && b !== undefined) [list[i], list[j]] = [b, a];
  }
  return list;
}

/** An ExternalName's target is looked up too, for clients that do not follow by themselves. */
async function withTargets(
  options: DnsServerOptions,
  type: string,
  records: readonly DnsRecord[],
): Promise<NonNullable<Packet["answers"]>> {
  const answers = [...records] as NonNullable<Packet["answers"]>;
  const alias = records.find((record) => record.type === "CNAME");
  if (alias?.type !== "CNAME" || type === "CNAME") return answers;
  const local = resolveName(options.source, options.domain, { name: alias.data, type });
  if (local !== undefined) return [...answers, ...(local.answers as NonNullable<Packet["answers"]>)];
  const query = encode({ type: "query", id: 1, flags: RECURSION_DESIRED, questions: [{ type: type as "A", name: alias.data }] });
  const reply = await options.forwarder?.forward(query).catch(() => undefined);
  return reply === undefined ? answers : [...answers, ...(decode(Buffer.from(reply)).answers ?? [])];
}

interface Forwarding {
  readonly packet: Packet;
  readonly query: Uint8Array;
  readonly base: { id: number; questions: NonNullable<Packet["questions"]> };
}

async function forward(options: DnsServerOptions, { packet, query, base }: Forwarding): Promise<Reply> {
  const failed = (code: number): Reply => ({ ...base, type: "response", flags: flagsOf(packet) | code });
  if (options.forwarder === undefined) return failed(rcodes.refused);
  try {
    const reply = await options.forwarder.forward(query);
    return { ...decode(Buffer.from(reply)), id: base.id };
  } catch (error) {
    options.log.debug("upstream resolver did not answer", { name: packet.questions?.[0]?.name, error });
    return failed(rcodes.serverFailure);
  }
}

/** Longest query over TCP. */
const frameBytesMax = 4096;

/** Two bytes of length before each message (RFC 1035, 4.2.2). */
function readFrames(
  socket: NetworkConnection,
  serve: (query: Uint8Array) => Promise<Uint8Array | undefined>,
): void {
  let pending = Buffer.alloc(0);
  socket.on("end", () => socket.end());
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const length = pending.readUInt16BE(0);
      if (length > frameBytesMax) {
        socket.destroy();
        return;
      }
      if (pending.length < 2 + length) return;
      const query = pending.subarray(2, 2 + length);
      pending = pending.subarray(2 + length);
      void serve(query).then((reply) => {
        if (reply === undefined || socket.destroyed) return;
        const head = Buffer.alloc(2);
        head.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([head, reply]));
      });
    }
  });
}
