import { decode } from "dns-packet";
import { parseIp } from "#wire/ip-address.ts";

export interface ServiceLocation {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface ZoneAuthority {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refreshSeconds: number;
  readonly retrySeconds: number;
  readonly expireSeconds: number;
  readonly minimumSeconds: number;
}

/** One resource record; names are without the dot at the end. */
export type DnsRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly type: "A" | "AAAA" | "CNAME" | "NS" | "PTR" | "TXT"; readonly data: string }
  | { readonly type: "SRV"; readonly data: ServiceLocation }
  | { readonly type: "SOA"; readonly data: ZoneAuthority }
);

export interface DnsQuery {
  readonly name: string;
  /** `A`; `UNKNOWN_65` for what has no name here. */
  readonly type: string;
  readonly class: string;
  readonly recursionDesired: boolean;
  /** What the client takes over UDP; undefined when it does not say (no EDNS). */
  readonly udpBytes: number | undefined;
  /** As it came: id, and name in the client's own spelling. */
  readonly id: number;
  readonly question: Uint8Array;
}

export interface DnsReply {
  /** Bits and code of the header's second word, without those that every reply has. */
  readonly flags: number;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export const rcodes = { ok: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 };
export const flagBits = { authoritative: 0x400, truncated: 0x200, recursionDesired: 0x100 };
const everyReply = 0x8080; // A reply, of one who asks on.

export const headerBytes = 12;
const optBytes = 11;
const typeCodes = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41 };
const internetClass = 1;
/** Pointers have 14 bits. */
const pointerMax = 0x3fff;
const labelBytesMax = 63;

/** The query's one question. Errors: anything, when the message cannot be read. */
export function readQuery(bytes: Uint8Array): DnsQuery {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packet = decode(buffer);
  const [question, second] = packet.questions ?? [];
  if (question === undefined || second !== undefined) throw new RangeError("not one question");
  const edns = packet.additionals?.find(({ type }) => type === "OPT");
  const udpBytes = edns !== undefined && "udpPayloadSize" in edns ? Number(edns.udpPayloadSize) : undefined;
  let end = headerBytes;
  while (buffer.readUInt8(end) !== 0) end += buffer.readUInt8(end) + 1;
  return {
    name: question.name,
    type: question.type,
    class: question.class ?? "IN",
    recursionDesired: (buffer.readUInt16BE(2) & flagBits.recursionDesired) !== 0,
    udpBytes,
    id: buffer.readUInt16BE(0),
    question: buffer.subarray(headerBytes, end + 5),
  };
}

/**
 * A reply of at most `bytesMax`: as many records as fit, and the bit that says so when answers are missing; with names
 * compressed (RFC 1035, 4.1.4). Errors: RangeError, when a record cannot be written.
 */
export function writeReply(query: DnsQuery, reply: DnsReply, bytesMax: number): Buffer {
  const names = new NameWriter();
  names.remember(labelsOfQuestion(query.question), headerBytes);
  const parts: Uint8Array[] = [query.question];
  let length = headerBytes + query.question.length;
  const room = bytesMax - (query.udpBytes === undefined ? 0 : optBytes);
  const sections = [reply.answers, reply.authorities, reply.additionals];
  const counts = [0, 0, 0];
  for (const [section, record] of sections.flatMap((records, i) => records.map((one) => [i, one] as const))) {
    const bytes: Buffer = encodeRecord(record, names, length);
    if (length + bytes.length > room) break;
    parts.push(bytes);
    length += bytes.length;
    counts[section] = (counts[section] ?? 0) + 1;
  }
  const [answers = 0, authorities = 0, additionals = 0] = counts;
  const cut = answers < reply.answers.length || authorities < reply.authorities.length;
  const opt = query.udpBytes === undefined ? [] : [optRecord(query.udpBytes)];
  const header = Buffer.alloc(headerBytes);
  const flags = everyReply | reply.flags | (cut ? flagBits.truncated : 0) | (query.recursionDesired ? flagBits.recursionDesired : 0);
  for (const [i, word] of [query.id, flags, 1, answers, authorities, additionals + opt.length].entries()) {
    header.writeUInt16BE(word, 2 * i);
  }
  return Buffer.concat([header, ...parts, ...opt]);
}

/** The header of a query back, with nothing but a code: for what cannot be read or is not done here. */
export function refusal(query: Uint8Array, rcode: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.set(query.subarray(0, 4));
  const asked = header.readUInt16BE(2) & (0x7800 | flagBits.recursionDesired);
  header.writeUInt16BE(everyReply | asked | rcode, 2);
  return header;
}

/** Says that EDNS is understood, and how much this client takes (RFC 6891, 6.1.2). */
function optRecord(udpBytes: number): Buffer {
  const record = Buffer.alloc(optBytes);
  record.writeUInt16BE(typeCodes.OPT, 1);
  record.writeUInt16BE(udpBytes, 3);
  return record;
}

function encodeRecord(record: DnsRecord, names: NameWriter, at: number): Buffer {
  const owner = names.write(record.name, at);
  const fixed = Buffer.alloc(10);
  const data = encodeData(record, names, at + owner.length + fixed.length);
  fixed.writeUInt16BE(typeCodes[record.type], 0);
  fixed.writeUInt16BE(internetClass, 2);
  fixed.writeUInt32BE(record.ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

function encodeData(record: DnsRecord, names: NameWriter, at: number): Uint8Array {
  switch (record.type) {
    case "A":
    case "AAAA":
      return addressBytes(record.data, record.type === "A" ? 4 : 16);
    case "CNAME":
    case "NS":
    case "PTR":
      return names.write(record.data, at);
    case "TXT": {
      const text = Buffer.from(record.data);
      return Buffer.concat([Buffer.of(text.length), text]);
    }
    case "SRV": {
      const { priority, weight, port, target } = record.data;
      // RFC 2782: the target's name is not compressed.
      return Buffer.concat([words(2, [priority, weight, port]), names.writeWhole(target, at + 6)]);
    }
    case "SOA": {
      const { mname, rname, serial, refreshSeconds, retrySeconds, expireSeconds, minimumSeconds } = record.data;
      const primary = names.write(mname, at);
      const contact = names.write(rname, at + primary.length);
      return Buffer.concat([primary, contact, words(4, [serial, refreshSeconds, retrySeconds, expireSeconds, minimumSeconds])]);
    }
  }
}

function addressBytes(text: string, length: number): Uint8Array {
  const bytes = parseIp(text);
  if (bytes?.length !== length) throw new RangeError(`not an address: ${text}`);
  return bytes;
}

function words(size: 2 | 4, values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(size * values.length);
  for (const [i, value] of values.entries()) buffer.writeUIntBE(value, size * i, size);
  return buffer;
}

/** Writes names, and points to what of them stands in the message already. */
class NameWriter {
  readonly #offsets = new Map<string, number>();

  /** A name that stands at an offset, and each of its ends. */
  remember(labels: readonly string[], at: number): void {
    let offset = at;
    for (const [i, label] of labels.entries()) {
      const end = keyOf(labels, i);
      if (offset <= pointerMax && !this.#offsets.has(end)) this.#offsets.set(end, offset);
      offset += label.length + 1;
    }
  }

  write(name: string, at: number): Buffer {
    const labels = labelsOf(name);
    const known = labels.findIndex((_, i) => this.#offsets.has(keyOf(labels, i)));
    const pointer = known === -1 ? undefined : this.#offsets.get(keyOf(labels, known));
    const bytes = labelBytes(known === -1 ? labels : labels.slice(0, known));
    this.remember(labels, at);
    return pointer === undefined ? Buffer.concat([bytes, Buffer.of(0)]) : Buffer.concat([bytes, words(2, [0xc000 | pointer])]);
  }

  writeWhole(name: string, at: number): Buffer {
    const labels = labelsOf(name);
    this.remember(labels, at);
    return Buffer.concat([labelBytes(labels), Buffer.of(0)]);
  }
}

/** One character a byte, as names on the wire are. */
function labelsOf(name: string): string[] {
  const bytes = Buffer.from(name).toString("latin1");
  return bytes.split(".").filter((label) => label !== "");
}

function labelsOfQuestion(question: Uint8Array): string[] {
  const labels: string[] = [];
  for (let at = 0; question[at] !== 0 && at < question.length; at += (question[at] ?? 0) + 1) {
    const end = at + 1 + (question[at] ?? 0);
    labels.push(Buffer.from(question.subarray(at + 1, end)).toString("latin1"));
  }
  return labels;
}

/** Of the name that a label begins. */
function keyOf(labels: readonly string[], from: number): string {
  return labels.slice(from).join(".").toLowerCase();
}

function labelBytes(labels: readonly string[]): Buffer {
  return Buffer.concat(
    labels.flatMap((label) => {
      const bytes = Buffer.from(label, "latin1");
      if (bytes.length > labelBytesMax) throw new RangeError(`label longer than ${labelBytesMax} bytes: ${label}`);
      return [Buffer.of(bytes.length), bytes];
    }),
  );
}
