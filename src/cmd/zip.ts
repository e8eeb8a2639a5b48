import { inflateRawSync } from "node:zlib";

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;

/** One file of a zip archive. Errors: when the archive has no such file, or is none. */
export function unzipEntry(archive: Uint8Array, name: string): Uint8Array {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && bytes.readUInt32LE(end) !== endSignature) end--;
  if (end < 0) throw new Error("not a zip archive");
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    if (bytes.readUInt32LE(at) !== entrySignature) break;
    const nameBytes = bytes.readUInt16LE(at + 28);
    const extraBytes = bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    if (bytes.toString("utf8", at + 46, at + 46 + nameBytes) === name) return content(bytes, at);
    at += 46 + nameBytes + extraBytes;
  }
  throw new Error(`no ${name} in the archive`);
}

/** The content that the central directory's entry at `at` points to. */
function content(bytes: Buffer, at: number): Uint8Array {
  const method = bytes.readUInt16LE(at + 10);
  const sizeBytes = bytes.readUInt32LE(at + 20);
  const header = bytes.readUInt32LE(at + 42);
  const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
  const data = bytes.subarray(start, start + sizeBytes);
  return method === 0 ? data : inflateRawSync(data);
}
