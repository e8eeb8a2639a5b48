import type { Mvcc } from "../mvcc.ts";

/** A buffer of which the newest values take less than this share is not kept for them. */
const usedShareMin = 0.5;

/**
 * Values that were read are views into large buffers. Copies the newest values of keys out of those buffers that are
 * mostly history, so that they do not keep it in memory when it is compacted. Before anyone has seen them.
 * `readBytes`: of all that was read.
 */
export function copySurvivors(mvcc: Mvcc, readBytes: number): void {
  const entries = mvcc.range({ key: "", end: "\0" }).entries as readonly { value: Uint8Array }[];
  let newestBytes = 0;
  for (const { value } of entries) newestBytes += value.length;
  if (newestBytes > readBytes * usedShareMin) return;
  const used = new Map<ArrayBufferLike, number>();
  for (const { value } of entries) used.set(value.buffer, (used.get(value.buffer) ?? 0) + value.length);
  for (const kv of entries) {
    const { buffer } = kv.value;
    if ((used.get(buffer) ?? 0) < buffer.byteLength * usedShareMin) kv.value = copyOf(kv.value);
  }
}

/** In memory of its own: of Node's pool it would keep 64 KiB. */
function copyOf(value: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(value.length);
  copy.set(value);
  return copy;
}
