import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "./bytes.ts";

test("what is written is read back, over chunk borders and resets", () => {
  const item = fc.oneof(
    fc.record({ varint: fc.maxSafeNat() }),
    fc.record({ u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ key: fc.string({ unit: fc.nat(255).map((n) => String.fromCharCode(n)) }) }),
    fc.record({ sizeBytes: fc.constantFrom(0, 1, 100, 16_384, 16_385, 200_000, 300_000) }),
  );
  const writer = new ByteWriter(24);
  fc.assert(
    fc.property(fc.array(item, { maxLength: 20 }), (items) => {
      writer.reset();
      for (const each of items) {
        if ("varint" in each) writer.varint(each.varint);
        else if ("u64" in each) writer.u64(each.u64);
        else if ("key" in each) writer.key(each.key);
        else writer.bytes(Buffer.alloc(each.sizeBytes, each.sizeBytes & 0xff));
      }
      const sizeBytes = writer.sizeBytes;
      const content = Buffer.concat(writer.chunks());
      assert.equal(content.length, sizeBytes);
      const reader = new ByteReader(content, 24, content.length);
      for (const each of items) {
        if ("varint" in each) assert.equal(reader.varint(), each.varint);
        else if ("u64" in each) assert.equal(reader.u64(), each.u64);
        else if ("key" in each) assert.equal(reader.key(), each.key);
        else {
          const expected = Buffer.alloc(each.sizeBytes, each.sizeBytes & 0xff);
          assert.equal(Buffer.compare(reader.bytes(), expected), 0);
        }
      }
      assert.ok(reader.atEnd);
    }),
    { numRuns: 200 },
  );
});

test("a premature end throws", () => {
  const reader = new ByteReader(Buffer.from([5, 1, 2]), 0, 3);
  assert.throws(() => reader.bytes(), RangeError);
});
