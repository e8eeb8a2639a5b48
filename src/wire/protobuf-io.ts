/** Protocol buffers on the wire: varints, lengths, fixed words. No zigzag, no groups. */

/** Fails to decode: the bytes are no message, or too deep. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

export type WireType = 0 | 1 | 2 | 5;

const startBytes = 256;
/** Most bytes of a varint of 64 bits. */
const varintBytesMax = 10;
/** Room for a length in front of a nested message; more is made when it turns out longer. */
const lengthBytes = 1;

export class ProtobufWriter {
  #buffer: Buffer = Buffer.allocUnsafe(startBytes);
  #at = 0;

  /** What was written; the writer is not to be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  tag(field: number, wireType: WireType): void {
    this.varint(field * 8 + wireType);
  }

  /** A safe integer, not negative. */
  varint(value: number): void {
    this.#reserve(varintBytesMax);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest % 0x80) + 0x80;
      rest = rest < 2 ** 31 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at++] = rest;
  }

  /** 64 bits; negative numbers in two's complement, as int64 and int32 are written. */
  varint64(value: bigint): void {
    this.#reserve(varintBytesMax);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#at++] = Number(rest);
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#at = this.#buffer.writeUInt32LE(value >>> 0, this.#at);
  }

  fixed64(value: bigint): void {
    this.#reserve(8);
    this.#at = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  float(value: number): void {
    this.#reserve(4);
    this.#at = this.#buffer.writeFloatLE(value, this.#at);
  }

  /** Length and bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Length and text; `latin1` for strings of which each character is one byte. */
  text(text: string, encoding: "utf8" | "latin1"): void {
    const sizeBytes = encoding === "latin1" ? text.length : Buffer.byteLength(text, "utf8");
    this.varint(sizeBytes);
    this.#reserve(sizeBytes);
    this.#at += this.#buffer.write(text, this.#at, sizeBytes, encoding);
  }

  /** Length and whatever `write` writes. */
  nested(write: () => void): void {
    this.#reserve(lengthBytes);
    const start = this.#at + lengthBytes;
    this.#at = start;
    write();
    const sizeBytes = this.#at - start;
    let extra = 0;
    for (let rest = sizeBytes; rest >= 0x80; rest = Math.floor(rest / 0x80)) extra++;
    if (extra > 0) {
      this.#reserve(extra);
      this.#buffer.copyWithin(start + extra, start, this.#at);
    }
    this.#at = start - lengthBytes;
    this.varint(sizeBytes);
    this.#at += sizeBytes;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + count));
    grown.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = grown;
  }
}

/** Reads a part of a buffer. Everything throws `ProtobufError` at a premature end. */
export class ProtobufReader {
  readonly #buffer: Buffer;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = 0;
    this.#end = bytes.length;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Exact up to 2^53; what is above loses its low bits. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < varintBytesMax; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new ProtobufError("varint is too long");
  }

  /** The unsigned 64 bits. */
  varint64(): bigint {
    const start = this.#at;
    for (let i = 0; i < varintBytesMax; i++) {
      if (this.#byte() >= 0x80) continue;
      if (i < 7) {
        this.#at = start;
        return BigInt(this.varint());
      }
      let value = 0n;
      for (let at = this.#at - 1; at >= start; at--) {
        value = (value << 7n) | BigInt((this.#buffer[at] as number) & 0x7f);
      }
      return BigInt.asUintN(64, value);
    }
    throw new ProtobufError("varint is too long");
  }

  fixed32(): number {
    return this.#buffer.readUInt32LE(this.#take(4));
  }

  fixed64(): bigint {
    return this.#buffer.readBigUInt64LE(this.#take(8));
  }

  double(): number {
    return this.#buffer.readDoubleLE(this.#take(8));
  }

  float(): number {
    return this.#buffer.readFloatLE(this.#take(4));
  }

  /** A view into what is read. */
  bytes(): Uint8Array {
    const length = this.varint();
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }

  text(encoding: "utf8" | "latin1"): string {
    const length = this.varint();
    const at = this.#take(length);
    return this.#buffer.toString(encoding, at, at + length);
  }

  /** Reads a length, and lets `read` see no further than that. */
  nested<T>(read: () => T): T {
    const length = this.varint();
    const end = this.#take(length) + length;
    const outerEnd = this.#end;
    this.#at = end - length;
    this.#end = end;
    const result = read();
    this.#at = end;
    this.#end = outerEnd;
    return result;
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint64();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.bytes();
    else if (wireType === 5) this.#take(4);
    else throw new ProtobufError(`unknown wire type ${wireType}`);
  }

  #byte(): number {
    return this.#buffer[this.#take(1)] as number;
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#end) throw new ProtobufError("unexpected end of message");
    this.#at += count;
    return at;
  }
}
