/** Writes the smallest ELF that Linux runs: one header, one segment, no libc, no linker needed. */
export type Architecture = "amd64" | "arm64";

const machineOf: Record<Architecture, number> = { amd64: 62, arm64: 183 };
const headerBytes = 64;
const segmentHeaderBytes = 56;
const loadAddress = 0x400000n;
const readAndExecute = 5;

/** A static executable whose entry point is the first byte of `code`. Source: elf(5). */
export function staticElf(architecture: Architecture, code: Uint8Array): Uint8Array {
  const codeOffset = headerBytes + segmentHeaderBytes;
  const sizeBytes = codeOffset + code.length;
  const image = new Uint8Array(sizeBytes);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, machineOf[architecture], true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, loadAddress + BigInt(codeOffset), true);
  view.setBigUint64(32, BigInt(headerBytes), true);
  view.setUint16(52, headerBytes, true);
  view.setUint16(54, segmentHeaderBytes, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, 64, true);
  const segment = headerBytes;
  view.setUint32(segment, 1, true); // PT_LOAD
  view.setUint32(segment + 4, readAndExecute, true);
  view.setBigUint64(segment + 16, loadAddress, true);
  view.setBigUint64(segment + 24, loadAddress, true);
  view.setBigUint64(segment + 32, BigInt(sizeBytes), true);
  view.setBigUint64(segment + 40, BigInt(sizeBytes), true);
  view.setBigUint64(segment + 48, 0x1000n, true);
  image.set(code, codeOffset);
  return image;
}
