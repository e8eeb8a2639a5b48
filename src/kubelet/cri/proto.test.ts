import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bool,
  decodeMessage,
  encodeMessage,
  int32,
  int64,
  ints,
  many,
  message,
  one,
  str,
  strs,
  texts,
} from "./proto.ts";

const Inner = message({ name: str(1), attempt: int32(2) });
const Outer = message({
  text: str(1),
  flag: bool(2),
  count: int64(3),
  inner: one(4, Inner),
  inners: many(5, Inner),
  words: strs(6),
  numbers: ints(7),
  labels: texts(16),
});

test("encodeMessage writes the bytes of the encoding guide", () => {
  const rows = [
    [{}, []],
    [{ text: "testing" }, [0x0a, 7, ...Buffer.from("testing")]],
    [{ count: 150 }, [0x18, 0x96, 0x01]],
    [{ count: -1 }, [0x18, ...new Array<number>(9).fill(0xff), 0x01]],
    [{ flag: false, text: "" }, []],
    [{ inner: {} }, [0x22, 0]],
    [{ labels: { a: "b" } }, [0x82, 0x01, 6, 0x0a, 1, 0x61, 0x12, 1, 0x62]],
  ] as const;
  for (const [value, bytes] of rows) assert.deepEqual([...encodeMessage(Outer, value)], bytes);
});

test("decodeMessage gives back what was encoded, with zeros for what is absent", () => {
  const value = {
    text: "grüße",
    flag: true,
    count: Number.MAX_SAFE_INTEGER,
    inner: { name: "x", attempt: -3 },
    inners: [{ name: "", attempt: 0 }, { name: "y", attempt: 2 }],
    words: ["", "b"],
    numbers: [0, 65534],
    labels: JSON.parse(`{"__proto__":"kept","k":""}`) as Record<string, string>,
  };
  assert.deepEqual(decodeMessage(Outer, encodeMessage(Outer, value)), value);
  const empty = { text: "", flag: false, count: 0, inners: [], words: [], numbers: [], labels: {} };
  assert.deepEqual(decodeMessage(Outer, new Uint8Array(0)), empty);
});

test("decodeMessage skips unknown fields and reads packed numbers", () => {
  const unknown = [0x50, 5, 0x5d, 1, 2, 3, 4, 0x62, 2, 9, 9];
  const packed = [0x3a, 3, 1, 0x96, 0x01];
  assert.deepEqual(decodeMessage(Outer, Uint8Array.from([...unknown, ...packed])).numbers, [1, 150]);
});

test("decodeMessage refuses what is cut off", () => {
  for (const bytes of [[0x0a, 9, 1], [0x18, 0x80], [0x22, 3, 0x0a, 5, 1]]) {
    assert.throws(() => decodeMessage(Outer, Uint8Array.from(bytes)), RangeError);
  }
});
