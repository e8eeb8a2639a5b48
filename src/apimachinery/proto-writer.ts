/**
 * Writes protobuf from the end to the start, as gogo's marshallers do: the length of a message is
 * known once its content stands, so nothing is measured beforehand or moved.
 */
export class ProtoWriter {
  #bytes: Buffer;
  /** Where the last written byte stands. */
  #at: number;

  constructor(capacityBytes = 8192) {
    this.#bytes = Buffer.allocUnsafeSlow(capacityBytes);
    this.#at = capacityBytes;
  }

  /** Bytes written so far: a mark to take the length of what follows from. */
  get written(): number {
    return this.#bytes.length - this.#at;
  }

  /** A copy of what was written; the writer is empty afterwards. */
  take(): Uint8Array {
    const taken = new Uint8Array(this.#bytes.subarray(this.#at));
    this.#at = this.#bytes.length;
    return taken;
  }

  #reserve(count: number): void {
    if (this.#at >= count) return;
    const used = this.#bytes.subarray(this.#at);
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, used.length + count));
    used.copy(grown, grown.length - used.length);
    this.#at = grown.length - used.length;
    this.#bytes = grown;
  }

  /** A number from 0 to 2^32 - 1: tags and lengths. */
  varint(value: number): void {
    this.#reserve(5);
    const length =
      value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
    this.#at -= length;
    let at = this.#at;
    while (value >= 0x80) {
      this.#bytes[at++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    this.#bytes[at] = value;
  }

  /** int32 and int64: negative numbers take ten bytes. */
  int(value: number | bigint): void {
    if (typeof value === "number" && value >= 0 && value <= 0xffff_ffff) return this.varint(value);
    let rest = BigInt.asUintN(64, BigInt(value));
    const digits: number[] = [];
    while (rest >= 0x80n) {
      digits.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    digits.push(Number(rest));
    this.raw(Uint8Array.from(digits));
  }

  bool(value: boolean): void {
    this.varint(value ? 1 : 0);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
  }

  /** UTF-8 with its length before it. */
  string(text: string): void {
    const { length } = text;
    if (length > 64 || !this.#shortAscii(text)) {
      const size = Buffer.byteLength(text);
      this.#reserve(size);
      this.#at -= size;
      this.#bytes.write(text, this.#at, size, "utf8");
      this.varint(size);
    } else this.varint(length);
  }

  /** Writes short text without leaving JavaScript; false, with nothing written, for non-ASCII. */
  #shortAscii(text: string): boolean {
    const { length } = text;
    this.#reserve(length);
    const start = this.#at - length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#bytes[start + i] = code;
    }
    this.#at = start;
    return true;
  }

  /** Bytes with their length before them. */
  bytes(bytes: Uint8Array): void {
    this.raw(bytes);
    this.varint(bytes.length);
  }

  /** Closes what was written since `mark` as a length-delimited field. */
  close(tag: number, mark: number): void {
    this.varint(this.written - mark);
    this.varint(tag * 8 + 2);
  }
}
