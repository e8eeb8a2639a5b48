import { isUtf8 } from "node:buffer";

/** Decodes UTF-8 as Go reads it: each byte that does not fit becomes one U+FFFD; a BOM stays. */
export function decodeUtf8(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? buffer.toString("utf8") : decodeDamaged(buffer);
}

function decodeDamaged(buffer: Buffer): string {
  let text = "";
  let good = 0;
  for (let at = 0; at < buffer.length;) {
    const length = sequenceLength(buffer, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += `${buffer.toString("utf8", good, at)}\ufffd`;
    good = ++at;
  }
  return text + buffer.toString("utf8", good);
}

/** Length of the valid sequence that starts here, 0 when there is none. */
function sequenceLength(buffer: Buffer, at: number): number {
  const first = buffer[at] as number;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return isUtf8(buffer.subarray(at, at + length)) ? length : 0;
}
