import assert from "node:assert/strict";
import { test } from "node:test";
import { hasFormat, isKnownFormat } from "./formats.ts";

const rows: readonly (readonly [format: string, valid: readonly string[], invalid: readonly string[]])[] = [
  ["ipv4", ["1.2.3.4", "01.2.3.4"], ["1.2.3", "::1"]],
  ["ipv6", ["::1", "2001:db8::1"], ["1.2.3.4", ":"]],
  ["cidr", ["10.0.0.0/8", "2001:db8::/32"], ["10.0.0.0", "10.0.0.0/33"]],
  ["mac", ["01:23:45:67:89:ab", "0123.4567.89ab", "01-23-45-67-89-ab-cd-ef"], ["01:23:45:67:89", "01:23-45:67:89:ab"]],
  ["uri", ["https://a.b/c?d", "/x", "urn:x"], ["::", "a b", "x"]],
  ["email", ["a@b.c", "A B <a@b.c>"], ["a", "a@", "@b"]],
  ["hostname", ["a", "a-b.example.com"], ["-a", "a..b", ""]],
  ["uuid", ["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"], ["123e4567"]],
  ["uuid4", ["123e4567-e89b-42d3-a456-426614174000"], ["123e4567-e89b-12d3-a456-426614174000"]],
  ["date", ["2024-02-29"], ["2023-02-29", "2024-2-1"]],
  ["date-time", ["2024-01-01T00:00:00Z", "2024-01-01t00:00:00.5+01:00"], ["2024-01-01", "2024-01-01T25:00:00Z"]],
  ["duration", ["1h30m", "5 days", "22 ns"], ["x", "1 fortnight"]],
  ["byte", ["YQ==", ""], ["!!", "YQ"]],
  ["isbn", ["0321751043", "978-0321751041"], ["0321751044"]],
  ["creditcard", ["4111 1111 1111 1111"], ["4111 1111 1111 1112"]],
  ["hexcolor", ["#FFF", "a0b1c2"], ["#FF"]],
  ["rgbcolor", ["rgb(0, 255,1)"], ["rgb(0,256,1)"]],
  ["k8s-short-name", ["a-b"], ["a.b", "A"]],
  ["k8s-long-name", ["a.b-c"], ["A.b", "-a"]],
  ["of-our-own", ["anything"], []],
];

for (const [format, valid, invalid] of rows) {
  test(`format ${format}`, () => {
    for (const text of valid) assert.equal(hasFormat(format, text), true, text);
    for (const text of invalid) assert.equal(hasFormat(format, text), false, text);
  });
}

test("formats belong to types", () => {
  assert.equal(isKnownFormat({ type: "string", format: "date-time" }), true);
  assert.equal(isKnownFormat({ type: "string", format: "int32" }), false);
  assert.equal(isKnownFormat({ type: "integer", format: "int32" }), true);
  assert.equal(isKnownFormat({ type: "number", format: "float" }), true);
  assert.equal(isKnownFormat({ type: "object", format: "date" }), false);
});
