import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  findDuplicateKeys,
  JsonError,
  parseJson,
  parseJsonStrict,
  typedJson,
  untypedJson,
  writeJson,
  writeJsonText,
} from "./json.ts";
import { JsonNumber, plainJson, RepeatedMember } from "./json-token.ts";
import { decodeUtf8 } from "./utf8.ts";

test("parseJson keeps int64 exact, and reads the rest as doubles", () => {
  const rows: [text: string, value: unknown][] = [
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", 9007199254740993n],
    ["-9223372036854775808", -(2n ** 63n)],
    ["9223372036854775807", 2n ** 63n - 1n],
    ["9223372036854775808", 9223372036854775808],
    ["0.1234567890123456789", Number("0.1234567890123456789")],
    ["1e300", 1e300],
    [
      '{"a":[1234567890123456789, {"b":-1234567890123456789}]}',
      { a: [1234567890123456789n, { b: -1234567890123456789n }] },
    ],
    ['["12345678901234567890"]', ["12345678901234567890"]],
    [
      '[1234567890123456789 ,null,true,false,{},[],"\\"\\\\"]',
      [1234567890123456789n, null, true, false, {}, [], '"\\'],
    ],
  ];
  for (const [text, value] of rows) assert.deepEqual(parseJson(text), value, text);
  assert.throws(
    () => parseJson("[1e400]"),
    new JsonError("json: cannot unmarshal number 1e400 into Go value of type float64"),
  );
});

test("parseJson gives well-formed text", () => {
  const rows: [bytes: Uint8Array | string, value: string][] = [
    ['"\\ud800"', "\ufffd"],
    ['"\\ud83d\\ude00"', "😀"],
    ['"a\\ud83dx\\ude00"', "a\ufffdx\ufffd"],
    ['"\ud800"', "\ufffd"],
    [Buffer.from([0x22, 0xff, 0x61, 0x22]), "\ufffda"],
    [Buffer.from([0x22, 0xe2, 0x82, 0x22]), "\ufffd\ufffd"],
    [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), "\ufffd\ufffd\ufffd"],
    [Buffer.from('"€😀"'), "€😀"],
  ];
  for (const [bytes, value] of rows) assert.equal(parseJson(bytes), value, String(bytes));
});

test("parseJson says in Go's words what is wrong", () => {
  const rows: [text: string | Uint8Array, message: string][] = [
    ["", "unexpected end of JSON input"],
    ['{"a":', "unexpected end of JSON input"],
    ['"abc', "unexpected end of JSON input"],
    ["[1,", "unexpected end of JSON input"],
    ["-", "unexpected end of JSON input"],
    ["{}}", "invalid character '}' after top-level value"],
    ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ["[1,]", "invalid character ']' looking for beginning of value"],
    ["<", "invalid character '<' looking for beginning of value"],
    ["'x'", "invalid character '\\'' looking for beginning of value"],
    ["trie", "invalid character 'i' in literal true (expecting 'u')"],
    ["nul!", "invalid character '!' in literal null (expecting 'l')"],
    ["-a", "invalid character 'a' in numeric literal"],
    ["01", "invalid character '1' after top-level value"],
    ["1.x", "invalid character 'x' after decimal point in numeric literal"],
    ["1ex", "invalid character 'x' in exponent of numeric literal"],
    ['"\n"', "invalid character '\\n' in string literal"],
    ['"\u0001"', "invalid character '\\x01' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ["\ufeff{}", "invalid character 'ï' looking for beginning of value"],
    [Buffer.from([0xff]), "invalid character 'ÿ' looking for beginning of value"],
    ["[\u00a0]", "invalid character 'Â' looking for beginning of value"],
    ["\u007f", "invalid character '\\x7f' looking for beginning of value"],
    ["[".repeat(100_000), "invalid character '[' exceeded max depth"],
    ['{"a":'.repeat(10_001), "invalid character '{' exceeded max depth"],
  ];
  for (const [text, message] of rows) {
    assert.throws(() => parseJson(text), new JsonError(message), String(text).slice(0, 40));
  }
});

test("nesting up to the limit is read and written again, exact numbers and all", () => {
  const depth = 10_000;
  const deep = `${"[".repeat(depth)}1234567890123456789${"]".repeat(depth)}`;
  assert.equal(writeJsonText(parseJson(deep)), deep);
  const brackets = JSON.stringify("[".repeat(20_000));
  assert.equal(parseJson(brackets), "[".repeat(20_000));
});

test("parseJsonStrict reports keys that stand twice; the last counts", () => {
  const rows: [text: string, duplicates: string[], value: unknown][] = [
    ['{"a":1,"b":{"a":2},"c":[{"a":3}]}', [], { a: 1, b: { a: 2 }, c: [{ a: 3 }] }],
    [
      '{"data":{"k":"1","k":"2"},"data":{"z":"3"}}',
      ["data.k", "data"],
      { data: { z: "3" } },
    ],
    ['{"a":[{"x":1},{"x":1,"x":{"y":2}}],"a" : [3]}', ["a[1].x", "a"], { a: [3] }],
    ['{"a":{"b":1},"a":null,"a":{"c":1}}', ["a"], { a: { c: 1 } }],
    ['{"\\u0061":1,"a":2}', ["a"], { a: 2 }],
    ['{"a":"\\"b\\":","\\\\":1,"\\\\":2}', ["\\"], { a: '"b":', "\\": 2 }],
  ];
  for (const [text, duplicates, value] of rows) {
    assert.deepEqual(parseJsonStrict(text, untypedJson), { value, duplicates }, text);
    assert.deepEqual(parseJsonStrict(Buffer.from(text), untypedJson).duplicates, duplicates);
  }
  assert.deepEqual(findDuplicateKeys('{"data":{"a":1,"a":2}}'), ['duplicate field "data.a"']);
  assert.deepEqual(parseJson('{"a":{"b":1},"a":{"c":1}}'), { a: { c: 1 } });
});

test("parseJsonStrict for a known type keeps all that a member was given, and numbers as they were written", () => {
  const read = (text: string): unknown => parseJsonStrict(text, typedJson).value;
  assert.deepEqual(read('{"a":{"b":1},"a":null,"a":[2]}'), { a: new RepeatedMember([{ b: 1 }, null, [2]]) });
  assert.deepEqual(plainJson(read('{"a":{"b":1},"c":[{"d":1.50,"d":2.0}],"a":{"e":1e2}}')), { a: { e: 100 }, c: [{ d: 2 }] });
  const numbers = ["1.0", "1e2", "-0.5", "1E+400", "0e0"];
  for (const source of numbers) {
    for (const text of [`{"a":${source}}`, `[1,${source}]`, `{"a": [ ${source} ] }`]) {
      const value = read(text);
      assert.deepEqual(Object.values(value as object).flat().at(-1), new JsonNumber(source), text);
      assert.equal(JSON.stringify(value), text.replaceAll(" ", ""));
      assert.equal(writeJsonText([value, 1n]), `[${text.replaceAll(" ", "")},1]`);
    }
  }
  const plain = '{"a.b":"1.5e3","c":true,"d":[false,null,-12,"e"]}';
  assert.deepEqual(read(plain), JSON.parse(plain));
});

test("a key __proto__ is a key, on every path", () => {
  for (const number of ["1", "1234567890123456789"]) {
    const text = `{"__proto__":{"polluted":${number}},"constructor":1}`;
    const value = parseJson(text) as object;
    assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(writeJsonText(value), text);
  }
  assert.deepEqual(parseJsonStrict('{"__proto__":1,"__proto__":2}', untypedJson).duplicates, ["__proto__"]);
});

test("writeJsonText writes as Go's json.Marshal", () => {
  const rows: [value: unknown, text: string][] = [
    [{ a: 1n << 62n, b: [undefined, null] }, '{"a":4611686018427387904,"b":[null,null]}'],
    [{ b: undefined, a: "<&>\u2028" }, '{"a":"\\u003c\\u0026\\u003e\\u2028"}'],
    [{ b: 1, "10": 2, "2": 3, a: 4 }, '{"10":2,"2":3,"a":4,"b":1}'],
    [{ z: 1, x: { "😀": 1, "～": 2, "1": 3 } }, '{"z":1,"x":{"1":3,"～":2,"😀":1}}'],
    [[1e21, 1e-7, 1.5, -0, 100], "[1e+21,1e-7,1.5,0,100]"],
    ["\u0007\b\f\n\u007f/", '"\\u0007\\b\\f\\n\u007f/"'],
    [{ d: false }, '{"d":false}'],
  ];
  for (const [value, text] of rows) assert.equal(writeJsonText(value), text);
  assert.equal(writeJsonText("<", { escapeHtml: false }), '"<"');
  assert.deepEqual(writeJson({ a: "é" }), new TextEncoder().encode('{"a":"é"}'));
});

test("property: any value round-trips, and the strict reader agrees with the native one", () => {
  const value = fc.jsonValue({ maxDepth: 5 });
  fc.assert(
    fc.property(value, fc.nat(4), (any, indent) => {
      const text = JSON.stringify(any, undefined, indent);
      fc.pre(!/\d{16}/.test(text));
      assert.deepEqual(parseJson(text), JSON.parse(text));
      const withLong = `[1234567890123456789,${text}]`;
      assert.deepEqual(parseJsonStrict(withLong, untypedJson).value, [1234567890123456789n, JSON.parse(text)]);
      assert.deepEqual(parseJsonStrict(text, untypedJson).duplicates, []);
    }),
    { numRuns: 300 },
  );
});

test("property: text is refused exactly when the native parser refuses it", () => {
  const piece = fc.constantFrom(...'{}[],:"\\ \nu0123e+-.tfn', "true", "null", '"a"', "1.5");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      let native = true;
      try {
        JSON.parse(text);
      } catch {
        native = false;
      }
      if (native) parseJson(text);
      else assert.throws(() => parseJson(text), /^JsonError: (invalid character|unexpected end)/);
    }),
    { numRuns: 2000 },
  );
});

test("property: decodeUtf8 equals the platform's decoder on valid text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.equal(decodeUtf8(new TextEncoder().encode(text)), text);
    }),
  );
});
