/** Bytes of one chunk: as much as is handed to a connection before other work gets its turn. */
const chunkBytes = 1024 * 1024;

/**
 * Gathers the bytes of a large answer in few chunks, with one copy and no object for each piece. Chunks belong to the
 * answer; only the last may be short.
 */
export class JsonChunks {
  readonly #chunks: Uint8Array[] = [];
  #chunk: Buffer;
  #usedBytes = 0;

  /** `sizeBytes` is about how much will come. */
  constructor(sizeBytes: number) {
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(64, Math.min(sizeBytes, chunkBytes)));
  }

  /** Copies from `start` to `end` of the bytes. */
  write(bytes: Uint8Array, start = 0, end = bytes.length): void {
    let at = start;
    while (at < end) {
      if (this.#usedBytes === this.#chunk.length) this.#next();
      const count = Math.min(end - at, this.#chunk.length - this.#usedBytes);
      this.#chunk.set(at === 0 && count === bytes.length ? bytes : bytes.subarray(at, at + count), this.#usedBytes);
      this.#usedBytes += count;
      at += count;
    }
  }

  /** Any text; faster when it is ASCII. */
  writeText(text: string): void {
    if (this.#chunk.length - this.#usedBytes < text.length * 3) this.write(Buffer.from(text));
    else this.#usedBytes += this.#chunk.write(text, this.#usedBytes);
  }

  finish(): readonly Uint8Array[] {
    if (this.#usedBytes > 0) this.#chunks.push(this.#chunk.subarray(0, this.#usedBytes));
    this.#usedBytes = 0;
    return this.#chunks;
  }

  #next(): void {
    this.#chunks.push(this.#chunk);
    this.#chunk = Buffer.allocUnsafeSlow(chunkBytes);
    this.#usedBytes = 0;
  }
}
