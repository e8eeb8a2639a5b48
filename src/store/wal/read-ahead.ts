import type { FileHandle } from "#base/files.ts";

/** Reads this much at a time. */
const windowBytes = 4 * 1024 * 1024;
/** Room before a window for what the one before had left over. */
const headroomBytes = 1024 * 1024;

interface Ahead {
  readonly offset: number;
  readonly room: Buffer;
  readonly read: Promise<Uint8Array>;
}

/** Reads a file from its beginning to `fileBytes` in windows, the next one while this one is looked at. */
export class ReadAhead {
  readonly #handle: FileHandle;
  readonly #fileBytes: number;
  #ahead: Ahead | undefined;

  constructor(handle: FileHandle, fileBytes: number) {
    this.#handle = handle;
    this.#fileBytes = fileBytes;
  }

  /**
   * The file from `base` on, `wantedBytes` at least unless it ends there. `rest` is what the window before had from
   * `base` on. No longer than `rest` when the file has shrunk since: there is nothing more to come.
   */
  async next(base: number, rest: Buffer, wantedBytes: number): Promise<Buffer> {
    const offset = base + rest.length;
    if (rest.length > headroomBytes || wantedBytes > rest.length + windowBytes) {
      // A frame that is longer than any window: it is read into a buffer of its own.
      const length = Math.min(this.#fileBytes - base, Math.max(wantedBytes, windowBytes));
      const bytes = await this.#handle.read(base, length, Buffer.allocUnsafeSlow(length));
      this.#startAt(base + bytes.length);
      return bufferOf(bytes);
    }
    if (this.#ahead?.offset !== offset) this.#startAt(offset);
    if (this.#ahead === undefined) return rest;
    const { room, read } = this.#ahead;
    const { length } = await read;
    if (length === 0) return rest;
    this.#startAt(offset + length);
    const start = headroomBytes - rest.length;
    rest.copy(room, start);
    return room.subarray(start, headroomBytes + length);
  }

  #startAt(offset: number): void {
    const length = Math.min(windowBytes, this.#fileBytes - offset);
    this.#ahead = undefined;
    if (length <= 0) return;
    const room = Buffer.allocUnsafeSlow(headroomBytes + length);
    const read = this.#handle.read(offset, length, room.subarray(headroomBytes));
    // Whoever reads may stop before, and the file is closed under the read.
    read.catch(() => undefined);
    this.#ahead = { offset, room, read };
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
