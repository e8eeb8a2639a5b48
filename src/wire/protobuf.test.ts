import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bool,
  byteString,
  bytes,
  double,
  fixed64,
  int32,
  int64,
  mapOf,
  message,
  nested,
  ProtobufError,
  repeated,
  safeInt,
  string,
  uint32,
  uint64,
  type Decoded,
  type Message,
} from "./protobuf.ts";

const Inner = message({ name: string(1), weight: double(2) });
const All = message({
  text: string(1),
  raw: bytes(2),
  flag: bool(3),
  small: int32(4),
  unsigned: uint32(5),
  long: int64(6),
  unsignedLong: uint64(7),
  safe: safeInt(8),
  fixed: fixed64(9),
  latin: byteString(10),
  inner: nested(11, Inner),
  inners: repeated(nested(12, Inner)),
  numbers: repeated(int32(13)),
  texts: repeated(string(14)),
  labels: mapOf(16, string(0)),
});

const hex = (buffer: Uint8Array): string => Buffer.from(buffer).toString("hex");

test("fields are written as protoc writes them", () => {
  const rows: [Parameters<typeof All.encode>[0], string][] = [
    [{}, ""],
    [{ text: "", flag: false, small: 0, numbers: [], long: 0n }, ""],
    [{ text: "é" }, "0a02c3a9"],
    [{ raw: Buffer.from([0, 255]) }, "120200ff"],
    [{ small: -1 }, "20ffffffffffffffffff01"],
    [{ unsigned: 4294967295 }, "28ffffffff0f"],
    [{ long: -2n }, "30feffffffffffffffff01"],
    [{ safe: 2 ** 53 - 1 }, "40ffffffffffffff0f"],
    [{ fixed: 1n }, "490100000000000000"],
    [{ latin: "\xff" }, "5201ff"],
    [{ inner: {} }, "5a00"],
    [{ inner: { name: "a" } }, "5a030a0161"],
    [{ numbers: [1, 300] }, "6a0301ac02"],
    [{ texts: ["a", ""] }, "720161" + "7200"],
    [{ labels: new Map([["k", "v"]]) }, "820106" + "0a016b" + "120176"],
  ];
  for (const [value, expected] of rows) assert.equal(hex(All.encode(value)), expected);
});

test("absent fields decode to their defaults, absent messages to undefined", () => {
  const decoded = All.decode(Buffer.alloc(0));
  assert.deepEqual(
    [decoded.text, decoded.flag, decoded.long, decoded.inner, decoded.inners, decoded.labels.size],
    ["", false, 0n, undefined, [], 0],
  );
});

test("unknown fields are skipped, unpacked numbers accepted, the last of a single one wins", () => {
  const unknown = "98060a" + "a2060161" + "a90600000000000000 00".replace(" ", "") + "b50600000000";
  const decoded = All.decode(Buffer.from(unknown + "6801" + "6802" + "0a0161" + "0a0162", "hex"));
  assert.deepEqual([decoded.numbers, decoded.text], [[1, 2], "b"]);
});

test("all values survive a round trip", () => {
  const plain = { noNullPrototype: true };
  const inner = fc.record({ name: fc.string(), weight: fc.double({ noNaN: true }) }, plain);
  const value = fc.record({
    text: fc.string({ unit: "grapheme" }),
    flag: fc.boolean(),
    small: fc.integer(),
    unsigned: fc.nat(2 ** 32 - 1),
    long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    unsignedLong: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    safe: fc.maxSafeInteger(),
    fixed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    latin: fc.string({ unit: fc.nat(255).map((n) => String.fromCharCode(n)) }),
    inner: fc.option(inner, { nil: undefined }),
    inners: fc.array(inner),
    numbers: fc.array(fc.integer()),
    texts: fc.array(fc.string({ maxLength: 300 })),
    labels: fc.array(fc.tuple(fc.string(), fc.string())).map((entries) => new Map(entries)),
  });
  fc.assert(
    fc.property(value, (each) => {
      const decoded = All.decode(All.encode(each));
      assert.deepEqual({ ...decoded, raw: undefined }, { ...decoded, ...each, raw: undefined });
    }),
  );
});

test("two decoded messages share no list", () => {
  const encoded = All.encode({ numbers: [1] });
  const [first, second] = [All.decode(encoded), All.decode(encoded)];
  assert.notEqual(first.numbers, second.numbers);
  assert.deepEqual(All.decode(Buffer.alloc(0)).numbers, []);
});

interface Tree {
  readonly children?: readonly Tree[];
}
const TreeMessage: Message<Tree, Tree> = message({
  children: repeated(nested(1, () => TreeMessage)),
});

test("a message that is cut off or too deep is refused", () => {
  const whole = All.encode({ text: "abc", inner: { name: "x" }, labels: new Map([["a", "b"]]) });
  for (let length = 1; length < whole.length; length++) {
    const cut = whole.subarray(0, length);
    try {
      const decoded: Decoded<typeof All> = All.decode(cut);
      assert.ok(All.encode(decoded).length === length, `cut at ${length} was read`);
    } catch (error) {
      assert.ok(error instanceof ProtobufError, String(error));
    }
  }
  let deep = Buffer.alloc(0);
  for (let i = 0; i < 200; i++) {
    deep = Buffer.concat([Buffer.from([0x0a]), varint(deep.length), deep]);
  }
  assert.throws(() => TreeMessage.decode(deep), ProtobufError);
});

function varint(value: number): Buffer {
  return value < 0x80 ? Buffer.from([value]) : Buffer.from([(value & 0x7f) | 0x80, value >> 7]);
}
