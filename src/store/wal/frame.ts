/**
 * Frames: the unit of writing and of checking. A segment of the log is a sequence of frames, each
 * written by one call and covered by one checksum:
 *
 *     magic | payload bytes | CRC-32 | segment | own offset | synced | payload, padded to 8
 *
 * `synced` says up to which offset of the segment a sync had succeeded when the frame was written.
 * That tells damage from tearing: a bad frame at X is the torn end of an interrupted write unless
 * some good frame behind it says that X had been synced; then acknowledged data has rotted.
 */
import { crc32 } from "node:zlib";
import type { FileHandle } from "#base/files.ts";
import type { ByteWriter } from "./bytes.ts";
import { ReadAhead } from "./read-ahead.ts";

export const frameHeaderBytes = 24;
export const frameAlignBytes = 8;
/** "KTW1" */
const magic = 0x3157544b;

export interface Frame {
  /** Where it begins in its segment. */
  readonly offset: number;
  readonly endOffset: number;
  /** Where its payload is in the buffer that it was read from. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly syncedOffset: number;
}

/** Completes the frame whose payload `out` holds behind `frameHeaderBytes` of headroom. */
export function sealFrame(
  out: ByteWriter,
  at: { readonly segment: number; readonly offset: number; readonly syncedOffset: number },
): Uint8Array[] {
  out.pad(frameAlignBytes);
  const payloadBytes = out.sizeBytes - frameHeaderBytes;
  const chunks = out.chunks();
  const first = chunks[0] as Buffer;
  first.writeUInt32LE(magic, 0);
  first.writeUInt32LE(payloadBytes, 4);
  first.writeUInt32LE(at.segment, 12);
  first.writeUInt32LE(at.offset, 16);
  first.writeUInt32LE(at.syncedOffset, 20);
  let crc = crc32(first.subarray(4, 8));
  crc = crc32(first.subarray(12), crc);
  for (let i = 1; i < chunks.length; i++) crc = crc32(chunks[i] as Uint8Array, crc);
  first.writeUInt32LE(crc, 8);
  return chunks;
}

/** Part of a segment: `buffer[0]` is its byte `base`. */
interface Window {
  readonly buffer: Buffer;
  readonly base: number;
}

/** The frame at `at` of the buffer, what is wrong there, or how many bytes it needs to have. */
function frameAt({ buffer, base }: Window, segment: number, at: number): Frame | string | number {
  if (at + frameHeaderBytes > buffer.length) return at + frameHeaderBytes;
  if (buffer.readUInt32LE(at) !== magic) return "no frame begins here";
  if (buffer.readUInt32LE(at + 12) !== segment) return "a frame of another segment";
  const offset = base + at;
  if (buffer.readUInt32LE(at + 16) !== offset) return "a frame of another offset";
  const payloadStart = at + frameHeaderBytes;
  const payloadEnd = payloadStart + buffer.readUInt32LE(at + 4);
  if (payloadEnd > buffer.length) return payloadEnd;
  let crc = crc32(buffer.subarray(at + 4, at + 8));
  crc = crc32(buffer.subarray(at + 12, payloadEnd), crc);
  if (buffer.readUInt32LE(at + 8) !== crc) return "checksum mismatch";
  const syncedOffset = buffer.readUInt32LE(at + 20);
  return { offset, endOffset: base + payloadEnd, payloadStart, payloadEnd, syncedOffset };
}

/** The segment's first frame and the buffer that it is in; undefined when there is no good one. */
export async function firstFrame(
  handle: FileHandle,
  segment: number,
  frameBytesMax: number,
): Promise<readonly [Frame, Buffer] | undefined> {
  const bytes = await handle.read(0, frameBytesMax);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const frame = frameAt({ buffer, base: 0 }, segment, 0);
  return typeof frame === "object" ? [frame, buffer] : undefined;
}

export interface SegmentEnd {
  /** Where the good frames end. */
  readonly endOffset: number;
  /** What is wrong at `endOffset`; undefined when the file, or what was asked for, ends there. */
  readonly problem: string | undefined;
  /** The bad bytes had been synced: they are damage, not the end of an interrupted write. */
  readonly damaged: boolean;
}

/**
 * Calls `onFrame` with each good frame, up to `limitBytes` of the segment. Views into the buffer stay good, and
 * keep it in memory.
 */
export async function scanSegment(
  handle: FileHandle,
  segment: number,
  limitBytes: number,
  onFrame: (frame: Frame, buffer: Buffer) => void,
): Promise<SegmentEnd> {
  const fileBytes = Math.min(limitBytes, await handle.sizeBytes());
  const windows = new ReadAhead(handle, fileBytes);
  let base = 0;
  let rest: Buffer = Buffer.alloc(0);
  let wantedBytes = 0;
  while (base < fileBytes) {
    const buffer = await windows.next(base, rest, wantedBytes);
    if (buffer.length <= rest.length || buffer.length < wantedBytes) {
      return { endOffset: base, problem: "the file ended while it was read", damaged: await wasSynced(handle, segment, base) };
    }
    let at = 0;
    let found = frameAt({ buffer, base }, segment, at);
    while (typeof found === "object") {
      onFrame(found, buffer);
      at = found.payloadEnd;
      if (base + at === fileBytes) break;
      found = frameAt({ buffer, base }, segment, at);
    }
    rest = buffer.subarray(at);
    base += at;
    if (typeof found === "object") break;
    wantedBytes = typeof found === "number" ? found - at : 0;
    if (typeof found === "string" || base + wantedBytes > fileBytes) {
      const problem = typeof found === "string" ? found : "cut off in a frame";
      const damaged = await wasSynced(handle, segment, base);
      return { endOffset: base, problem, damaged };
    }
  }
  return { endOffset: base, problem: undefined, damaged: false };
}

/** Looks behind `offset` for a good frame that says that it had been synced. */
async function wasSynced(handle: FileHandle, segment: number, offset: number): Promise<boolean> {
  const bytes = await handle.read(offset, Math.max(0, (await handle.sizeBytes()) - offset));
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(magic);
  for (let at = buffer.indexOf(mark, 1); at >= 0; at = buffer.indexOf(mark, at + 1)) {
    const frame = frameAt({ buffer, base: offset }, segment, at);
    if (typeof frame === "object" && frame.syncedOffset > offset) return true;
  }
  return false;
}
