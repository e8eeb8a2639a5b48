import type { NetworkConnection } from "#base/network.ts";

const lengthBytes = 2;

/** A message as it goes over TCP: two bytes of length before it (RFC 1035, 4.2.2). */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(lengthBytes);
  head.writeUInt16BE(message.length);
  return Buffer.concat([head, message]);
}

/** Tells each whole message that comes. */
export function readFrames(connection: NetworkConnection, onMessage: (message: Uint8Array) => void): void {
  let pending = Buffer.alloc(0);
  connection.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= lengthBytes) {
      const end = lengthBytes + pending.readUInt16BE(0);
      if (pending.length < end) return;
      onMessage(pending.subarray(lengthBytes, end));
      pending = pending.subarray(end);
    }
  });
}
