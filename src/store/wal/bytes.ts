/** Bytes written one after another into chunks, and read back: the store's files are made of it. */
import type { Key } from "../store.ts";

/** Room of the chunk that a writer keeps over its resets. */
const chunkBytes = 256 * 1024;
/** Values above this are not copied but become chunks of their own. */
const copyBytesMax = 16 * 1024;
/** Most bytes of a varint: 53 bits in groups of 7. */
const varintBytesMax = 8;

export class ByteWriter {
  readonly #first: Buffer = Buffer.allocUnsafeSlow(chunkBytes);
  #buffer: Buffer = this.#first;
  #start = 0;
  #at: number;
  #full: Uint8Array[] = [];
  #fullBytes = 0;
  readonly #headroomBytes: number;

  /** `headroomBytes` are left free at the front of the first chunk. */
  constructor(headroomBytes = 0) {
    this.#headroomBytes = headroomBytes;
    this.#at = headroomBytes;
  }

  /** All that was written, headroom included. */
  get sizeBytes(): number {
    return this.#fullBytes + this.#at - this.#start;
  }

  get isEmpty(): boolean {
    return this.sizeBytes === this.#headroomBytes;
  }

  /** Valid until the next reset; the first begins with the headroom. */
  chunks(): Uint8Array[] {
    this.#cut();
    return this.#full;
  }

  reset(): void {
    this.#buffer = this.#first;
    this.#start = 0;
    this.#at = this.#headroomBytes;
    this.#full = [];
    this.#fullBytes = 0;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#at++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#at = this.#buffer.writeUInt32LE(value, this.#at);
  }

  u64(value: bigint): void {
    this.#reserve(8);
    this.#at = this.#buffer.writeBigUInt64LE(value, this.#at);
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

  key(key: Key): void {
    this.varint(key.length);
    this.#reserve(key.length);
    this.#at += this.#buffer.write(key, this.#at, key.length, "latin1");
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    if (bytes.length > copyBytesMax) {
      this.#cut();
      this.#full.push(bytes);
      this.#fullBytes += bytes.length;
      return;
    }
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Zeros up to the next multiple of `boundaryBytes`. */
  pad(boundaryBytes: number): void {
    const count = (boundaryBytes - (this.sizeBytes % boundaryBytes)) % boundaryBytes;
    this.#reserve(count);
    this.#buffer.fill(0, this.#at, this.#at + count);
    this.#at += count;
  }

  /** Ends the current chunk; writing goes on behind it in the same buffer. */
  #cut(): void {
    if (this.#at === this.#start) return;
    this.#full.push(this.#buffer.subarray(this.#start, this.#at));
    this.#fullBytes += this.#at - this.#start;
    this.#start = this.#at;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#buffer.length) return;
    this.#cut();
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(chunkBytes, count));
    this.#start = this.#at = 0;
  }
}

/** Reads what a `ByteWriter` wrote. Throws `RangeError` at a premature end. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at: number;
  readonly #end: number;

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#take(1));
  }

  u64(): bigint {
    return this.#buffer.readBigUInt64LE(this.#take(8));
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < varintBytesMax; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new RangeError("varint too long");
  }

  key(): Key {
    const length = this.varint();
    const at = this.#take(length);
    return this.#buffer.toString("latin1", at, at + length);
  }

  /** A view into the buffer. */
  bytes(): Uint8Array {
    const length = this.varint();
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#end) throw new RangeError("premature end");
    this.#at += count;
    return at;
  }
}
