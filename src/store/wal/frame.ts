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
import type { ByteWriter } from "./bytes.ts";

export const frameHeaderBytes = 24;
export const frameAlignBytes = 8;
/** "KTW1" */
const magic = 0x3157544b;

export interface Frame {
  readonly offset: number;
  readonly endOffset: number;
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

/** The frame at `offset`, or why there is none. */
export function frameAt(content: Buffer, segment: number, offset: number): Frame | string {
  if (offset + frameHeaderBytes > content.length) return "cut off in a frame's header";
  if (content.readUInt32LE(offset) !== magic) return "no frame begins here";
  const payloadStart = offset + frameHeaderBytes;
  const payloadEnd = payloadStart + content.readUInt32LE(offset + 4);
  if (payloadEnd > content.length) return "cut off in a frame's payload";
  if (content.readUInt32LE(offset + 12) !== segment) return "a frame of another segment";
  if (content.readUInt32LE(offset + 16) !== offset) return "a frame of another offset";
  let crc = crc32(content.subarray(offset + 4, offset + 8));
  crc = crc32(content.subarray(offset + 12, payloadEnd), crc);
  if (content.readUInt32LE(offset + 8) !== crc) return "checksum mismatch";
  const syncedOffset = content.readUInt32LE(offset + 20);
  return { offset, endOffset: payloadEnd, payloadStart, payloadEnd, syncedOffset };
}

export interface ScannedSegment {
  readonly frames: readonly Frame[];
  /** Where the good frames end. */
  readonly endOffset: number;
  /** What is wrong at `endOffset`; undefined when the file ends there. */
  readonly problem: string | undefined;
  /** The bad bytes had been synced: they are damage, not the end of an interrupted write. */
  readonly damaged: boolean;
}

export function scanSegment(content: Buffer, segment: number): ScannedSegment {
  const frames: Frame[] = [];
  let offset = 0;
  let problem: string | undefined;
  while (offset < content.length) {
    const frame = frameAt(content, segment, offset);
    if (typeof frame === "string") {
      problem = frame;
      break;
    }
    frames.push(frame);
    offset = frame.endOffset;
  }
  const damaged = problem !== undefined && wasSynced(content, segment, offset);
  return { frames, endOffset: offset, problem, damaged };
}

/** Looks behind `offset` for a good frame that says that it had been synced. */
function wasSynced(content: Buffer, segment: number, offset: number): boolean {
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(magic);
  for (let at = content.indexOf(mark, offset + 1); at >= 0; at = content.indexOf(mark, at + 1)) {
    if (at % frameAlignBytes !== 0) continue;
    const frame = frameAt(content, segment, at);
    if (typeof frame !== "string" && frame.syncedOffset > offset) return true;
  }
  return false;
}
