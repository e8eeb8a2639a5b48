import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileHandle } from "#base/files.ts";
import { ByteWriter } from "./bytes.ts";
import { frameHeaderBytes, scanSegment, sealFrame } from "./frame.ts";

/** A segment of frames with payloads of these sizes. */
function segmentOf(...payloads: readonly number[]): Buffer {
  let segment = Buffer.alloc(0);
  for (const payload of payloads) {
    const out = new ByteWriter(frameHeaderBytes);
    out.bytes(Buffer.alloc(payload, 7));
    segment = Buffer.concat([segment, ...sealFrame(out, { segment: 1, offset: segment.length, syncedOffset: 0 })]);
  }
  return segment;
}

/** A file that says it is as long as `segment`, and ends at `endsAt` when it is read. */
function shrinking(segment: Buffer, endsAt: number): FileHandle {
  let isRead = false;
  return {
    read(offset, lengthBytes, into = Buffer.alloc(lengthBytes)) {
      isRead = true;
      const count = segment.copy(into, 0, offset, Math.max(offset, Math.min(offset + lengthBytes, endsAt)));
      return Promise.resolve(into.subarray(0, count));
    },
    sizeBytes: () => Promise.resolve(isRead ? endsAt : segment.length),
    write: () => Promise.reject(new Error("read only")),
    sync: () => Promise.resolve(),
    truncate: () => Promise.reject(new Error("read only")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

test("a segment that shrinks while it is read ends there", { timeout: 20_000 }, async () => {
  const large = 5 * 1024 * 1024;
  for (const sizes of [[100, 100, 100], [100, large, 100]]) {
    const segment = segmentOf(...sizes);
    const [first = 0] = sizes;
    const firstEnd = segmentOf(first).length;
    for (const endsAt of [0, 10, firstEnd, firstEnd + 30, segment.length - 20, segment.length]) {
      const seen: number[] = [];
      const end = await scanSegment(shrinking(segment, endsAt), 1, Infinity, ({ offset }) => void seen.push(offset));
      const isWhole = endsAt === segment.length;
      assert.equal(end.problem, isWhole ? undefined : "the file ended while it was read", `${sizes} up to ${endsAt}`);
      assert.equal(end.damaged, false);
      assert.equal(end.endOffset <= endsAt, true);
      assert.equal(seen.length, [0, 10].includes(endsAt) ? 0 : isWhole ? 3 : endsAt > segment.length - 30 ? 2 : 1);
    }
  }
});
