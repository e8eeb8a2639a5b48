import { decode, encode } from "dns-packet";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Forwarder, Transport } from "./forwarder.ts";
import {
  type DnsQuery,
  type DnsRecord,
  type DnsReply,
  flagBits,
  headerBytes,
  rcodes,
  readQuery,
  refusal,
  writeReply,
} from "./message.ts";
import { nameServerOf, recordTtlSeconds, resolveName, type ZoneAnswer, type ZoneSource } from "./zone.ts";

/** Replies longer than this go over TCP, unless the client says that it takes more (EDNS). */
const udpBytesDefault = 512;
const udpBytesMax = 4096;
const tcpBytesMax = 0xffff;

export interface Responder {
  readonly source: ZoneSource;
  /** `cluster.local`. */
  readonly domain: string;
  /** For names outside the zone; absent: they are refused. */
  readonly forwarder?: Forwarder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The reply to a message; undefined for what deserves none: scraps, and replies. Never rejects. */
export async function respond(responder: Responder, message: Uint8Array, transport: Transport): Promise<Uint8Array | undefined> {
  const [, , bits = 0] = message;
  if (message.length < headerBytes || (bits & 0x80) !== 0) return undefined;
  if ((bits & 0x78) !== 0) return refusal(message, rcodes.notImplemented);
  let query: DnsQuery;
  try {
    query = readQuery(message);
  } catch {
    return refusal(message, rcodes.formatError);
  }
  const bytesMax = transport === "tcp" ? tcpBytesMax : Math.min(Math.max(query.udpBytes ?? 0, udpBytesDefault), udpBytesMax);
  if (query.class !== "IN" && query.class !== "ANY") return writeReply(query, empty(rcodes.refused), bytesMax);
  try {
    const local = resolveName(responder.source, responder.domain, query);
    if (local === undefined) return await forwarded(responder, { query, message, transport, bytesMax });
    return writeReply(query, await authoritative(responder, query, local), bytesMax);
  } catch (error) {
    responder.log.debug("cannot answer", { name: query.name, error });
    return writeReply(query, empty(rcodes.serverFailure), bytesMax);
  }
}

function empty(flags: number): DnsReply {
  return { flags, answers: [], authorities: [], additionals: [] };
}

async function authoritative(responder: Responder, query: DnsQuery, local: ZoneAnswer): Promise<DnsReply> {
  const authority = startOfAuthority(responder);
  const aboutZone = query.name.toLowerCase() === responder.domain && (query.type === "SOA" || query.type === "ANY");
  const answers = [
    ...(aboutZone ? [authority] : []),
    ...(await withTargets(responder, query.type, shuffle(responder.random, local.answers))),
  ];
  return {
    flags: flagBits.authoritative | (local.exists ? rcodes.ok : rcodes.nameError),
    answers,
    // Tells how long the absence of a name may be believed.
    authorities: answers.length === 0 ? [authority] : [],
    additionals: local.additionals,
  };
}

function startOfAuthority({ domain, clock }: Responder): DnsRecord {
  return {
    type: "SOA",
    name: domain,
    ttl: recordTtlSeconds,
    data: {
      mname: nameServerOf(domain),
      rname: `hostmaster.${domain}`,
      serial: Math.floor(clock.nowMs() / 1000),
      refreshSeconds: 7200,
      retrySeconds: 1800,
      expireSeconds: 86_400,
      minimumSeconds: recordTtlSeconds,
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
async function withTargets(responder: Responder, type: string, records: readonly DnsRecord[]): Promise<DnsRecord[]> {
  const alias = records.find((record) => record.type === "CNAME");
  if (alias?.type !== "CNAME" || type === "CNAME") return [...records];
  const local = resolveName(responder.source, responder.domain, { name: alias.data, type });
  if (local !== undefined) return [...records, ...local.answers];
  return [...records, ...(await outsideAddresses(responder, alias.data, type))];
}

async function outsideAddresses({ forwarder }: Responder, name: string, type: string): Promise<DnsRecord[]> {
  if (forwarder === undefined || (type !== "A" && type !== "AAAA")) return [];
  const query = encode({ type: "query", id: 1, flags: flagBits.recursionDesired, questions: [{ type, name }] });
  const reply = await forwarder.forward(query, "udp").catch(() => undefined);
  const answers = reply === undefined ? [] : (decode(Buffer.from(reply)).answers ?? []);
  return answers.flatMap((answer) =>
    answer.type === "A" || answer.type === "AAAA" || answer.type === "CNAME"
      ? [{ type: answer.type, name: answer.name, ttl: answer.ttl ?? recordTtlSeconds, data: answer.data }]
      : [],
  );
}

interface Forwarding {
  readonly query: DnsQuery;
  readonly message: Uint8Array;
  readonly transport: Transport;
  readonly bytesMax: number;
}

/** What another resolver says, as it says it. */
async function forwarded({ forwarder }: Responder, { query, message, transport, bytesMax }: Forwarding): Promise<Uint8Array> {
  if (forwarder === undefined) return writeReply(query, empty(rcodes.refused), bytesMax);
  const reply = await forwarder.forward(message, transport);
  return reply.length <= bytesMax ? reply : writeReply(query, empty(flagBits.truncated), bytesMax);
}
