/** The part of DER that X.509 needs: a writer of one function per type, and a strict reader. */

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

export class DerError extends Error {
  override readonly name = "DerError";
}

/** A value of any tag; `contents` are joined. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  let lengthBytes = 0;
  for (const content of contents) lengthBytes += content.length;
  return Buffer.concat([Buffer.from([tag]), derLength(lengthBytes), ...contents]);
}

function derLength(length: number): Uint8Array {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export function derSequence(...items: readonly Uint8Array[]): Uint8Array {
  return der(tags.sequence, ...items);
}

/** Sorts the items by their bytes, as DER demands of SET OF. */
export function derSet(...items: readonly Uint8Array[]): Uint8Array {
  return der(tags.set, ...items.toSorted(Buffer.compare));
}

/** A non-negative integer, most significant byte first. */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const trimmed = magnitude.length === 0 ? Buffer.from([0]) : magnitude.subarray(start);
  const padded = (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed;
  return der(tags.integer, padded);
}

export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const group = [arc % 128];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) {
      group.unshift(0x80 | (high % 128));
    }
    bytes.push(...group);
  }
  return der(tags.oid, Buffer.from(bytes));
}

export function derBoolean(value: boolean): Uint8Array {
  return der(tags.boolean, Buffer.from([value ? 0xff : 0]));
}

export function derNull(): Uint8Array {
  return der(tags.null);
}

export function derOctetString(content: Uint8Array): Uint8Array {
  return der(tags.octetString, content);
}

/** `unusedBits` of the last byte do not count. */
export function derBitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return der(tags.bitString, Buffer.from([unusedBits]), content);
}

/** PrintableString where its letters allow, else UTF8String, as Go writes names. */
export function derText(text: string): Uint8Array {
  const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text);
  return der(printable ? tags.printableString : tags.utf8String, Buffer.from(text));
}

/** UTCTime through 2049, GeneralizedTime beyond (RFC 5280, 4.1.2.5); whole seconds. */
export function derTime(epochMs: number): Uint8Array {
  const digits = new Date(epochMs).toISOString().replace(/\.\d+|[-:T]/g, "");
  const utc = digits < "2050" && digits >= "1950";
  return der(
    utc ? tags.utcTime : tags.generalizedTime,
    Buffer.from(utc ? digits.slice(2) : digits),
  );
}

/** `[number] EXPLICIT` or IMPLICIT around constructed content. */
export function derContext(number: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return der(0xa0 | number, ...contents);
}

/** `[number] IMPLICIT` around primitive content. */
export function derContextPrimitive(number: number, content: Uint8Array): Uint8Array {
  return der(0x80 | number, content);
}

export interface DerNode {
  readonly tag: number;
  /** The whole encoding, header included: what signatures cover. */
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
}

/** The one value in `bytes`; throws `DerError` when there is less or more. */
export function readDer(bytes: Uint8Array): DerNode {
  const nodes = readAll(bytes);
  const [node] = nodes;
  if (node === undefined || nodes.length > 1) throw new DerError("trailing or missing data");
  return node;
}

/** The values in a constructed node, or in `[number] EXPLICIT`. */
export function derChildren(node: DerNode, tag?: number): DerNode[] {
  if (tag !== undefined && node.tag !== tag) {
    throw new DerError(`tag ${node.tag} where ${tag} is due`);
  }
  return readAll(node.content);
}

function readAll(bytes: Uint8Array): DerNode[] {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length;) {
    const node = readAt(bytes, at);
    nodes.push(node);
    at += node.bytes.length;
  }
  return nodes;
}

function readAt(bytes: Uint8Array, at: number): DerNode {
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1];
  if (first === undefined || (tag & 0x1f) === 0x1f) throw new DerError("bad header");
  let lengthBytes = first;
  let headerBytes = 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError("bad length");
    lengthBytes = 0;
    for (let i = 0; i < count; i++) lengthBytes = lengthBytes * 256 + (bytes[at + 2 + i] ?? NaN);
    headerBytes += count;
  }
  const end = at + headerBytes + lengthBytes;
  if (!(end <= bytes.length)) throw new DerError("length exceeds data");
  return { tag, bytes: bytes.subarray(at, end), content: bytes.subarray(at + headerBytes, end) };
}

export function readOid(node: DerNode): string {
  if (node.tag !== tags.oid || node.content.length === 0) throw new DerError("not an OID");
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of node.content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(arc / 40));
      arcs.push(first, arc - first * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}

export function readText(node: DerNode): string {
  switch (node.tag) {
    case tags.utf8String:
    case tags.printableString:
    case tags.ia5String:
      return Buffer.from(node.content).toString("utf8");
    case tags.teletexString:
      return Buffer.from(node.content).toString("latin1");
    case tags.bmpString:
      if (node.content.length % 2 !== 0) throw new DerError("odd BMPString");
      return Buffer.from(node.content).swap16().toString("utf16le");
    default:
      throw new DerError(`tag ${node.tag} is not text`);
  }
}

/** Milliseconds since 1970. */
export function readTime(node: DerNode): number {
  const text = Buffer.from(node.content).toString("latin1");
  const pattern =
    node.tag === tags.utcTime
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
      : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
  const match = pattern.exec(text);
  if (match === null || (node.tag !== tags.utcTime && node.tag !== tags.generalizedTime)) {
    throw new DerError(`bad time ${JSON.stringify(text)}`);
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map(Number);
  const century = node.tag === tags.utcTime ? (year >= 50 ? 1900 : 2000) : 0;
  return Date.UTC(century + year, month - 1, day, hour, minute, second);
}

/** The bytes of a BIT STRING whose bits are a whole number of bytes, or its leading flags. */
export function readBits(node: DerNode): { readonly bytes: Uint8Array; has(bit: number): boolean } {
  if (node.tag !== tags.bitString || node.content.length === 0) {
    throw new DerError("not a bit string");
  }
  const bytes = node.content.subarray(1);
  return { bytes, has: (bit) => (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1 };
}
