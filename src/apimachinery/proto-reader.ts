/** Bytes that are no protobuf message; messages as gogo's unmarshallers word them. */
export class ProtoError extends Error {
  override readonly name = "ProtoError";
}

/** Deepest nesting of messages. More would overflow the stack. */
export const protoDepthMax = 1500;

/** Reads the fields of protobuf messages; a message is the range up to `end`. */
export class ProtoReader {
  readonly #bytes: Buffer;
  at: number;
  end: number;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
    this.end = bytes.length;
  }

  get more(): boolean {
    return this.at < this.end;
  }

  /** Tags and lengths; bits beyond 32 are refused. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= this.end) throw new ProtoError("unexpected EOF");
      const byte = this.#bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new ProtoError("proto: integer overflow");
  }

  int64(): number | bigint {
    let low = 0;
    let shift = 0;
    const start = this.at;
    // Up to 49 bits a double holds exactly, whatever the sign bit would be.
    for (; shift < 49; shift += 7) {
      if (this.at >= this.end) throw new ProtoError("unexpected EOF");
      const byte = this.#bytes[this.at++] ?? 0;
      low += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return low;
    }
    return this.#wideInt64(start);
  }

  #wideInt64(start: number): number | bigint {
    let value = 0n;
    this.at = start;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.end) throw new ProtoError("unexpected EOF");
      const byte = this.#bytes[this.at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      const signed = BigInt.asIntN(64, value);
      const number = Number(signed);
      return Number.isSafeInteger(number) ? number : signed;
    }
    throw new ProtoError("proto: integer overflow");
  }

  int32(): number {
    const value = this.int64();
    return typeof value === "number" ? value | 0 : Number(BigInt.asIntN(32, value));
  }

  bool(): boolean {
    return Number(this.int64()) !== 0;
  }

  double(): number {
    if (this.at + 8 > this.end) throw new ProtoError("unexpected EOF");
    this.at += 8;
    return this.#bytes.readDoubleLE(this.at - 8);
  }

  /** Enters a length-delimited field; give what it returns to `leave`. */
  enter(): number {
    const length = this.varint();
    const outer = this.end;
    if (this.at + length > outer) throw new ProtoError("unexpected EOF");
    if (++this.#depth > protoDepthMax) throw new ProtoError("exceeded max depth");
    this.end = this.at + length;
    return outer;
  }

  leave(outer: number): void {
    this.#depth--;
    this.at = this.end;
    this.end = outer;
  }

  string(): string {
    const outer = this.enter();
    const text = this.#bytes.toString("utf8", this.at, this.end);
    this.leave(outer);
    return text;
  }

  /** A view, no copy. */
  bytes(): Uint8Array {
    const outer = this.enter();
    const bytes = this.#bytes.subarray(this.at, this.end);
    this.leave(outer);
    return bytes;
  }

  /** Passes over the value of a field of that wire type. */
  skip(wireType: number): void {
    switch (wireType) {
      case 0:
        this.int64();
        return;
      case 1:
        return this.#pass(8);
      case 2:
        return this.#pass(this.varint());
      case 3:
        return this.#skipGroup();
      case 5:
        return this.#pass(4);
      default:
        throw new ProtoError(`proto: illegal wireType ${wireType}`);
    }
  }

  #pass(count: number): void {
    if (this.at + count > this.end) throw new ProtoError("unexpected EOF");
    this.at += count;
  }

  #skipGroup(): void {
    for (let depth = 1; depth > 0;) {
      const wireType = this.varint() & 7;
      if (wireType === 3) depth++;
      else if (wireType === 4) depth--;
      else this.skip(wireType);
    }
  }
}
