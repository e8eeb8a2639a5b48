import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorBody } from "../field-error.ts";
import {
  cidrContains,
  formatCidr,
  formatIp,
  parseCidr,
  parseIp,
  validateCidr,
  validateIp,
  validateNonSpecialIp,
} from "./ip.ts";

test("formatIp prints what parseIp read as Go does", () => {
  const rows: [text: string, printed: string | undefined][] = [
    ["1.2.3.4", "1.2.3.4"],
    ["001.02.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8:0:0:1:0:0:0", "2001:db8:0:0:1::"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
    ["1.2.3", undefined],
    ["1.2.3.256", undefined],
    ["fe80::1%eth0", undefined],
    ["1::2::3", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7::8", undefined],
    ["", undefined],
  ];
  for (const [text, printed] of rows) {
    const address = parseIp(text);
    assert.equal(address && formatIp(address), printed, text);
  }
});

test("parseCidr clears host bits and knows what is inside", () => {
  const cidr = parseCidr("10.1.2.3/16");
  assert.ok(cidr);
  assert.equal(formatCidr(cidr), "10.1.0.0/16");
  for (const [text, inside] of [
    ["10.1.255.1", true],
    ["10.2.0.1", false],
    ["::1", false],
  ] as const) {
    const address = parseIp(text);
    assert.ok(address);
    assert.equal(cidrContains(cidr, address), inside, text);
  }
  for (const text of ["1.2.3.4", "1.2.3.4/33", "::/129", "1.2.3.4/x"]) {
    assert.equal(parseCidr(text), undefined, text);
  }
});

test("validations say what is wrong", () => {
  const rows: [check: typeof validateIp, text: string, body: string | undefined][] = [
    [validateIp, "1.2.3.4", undefined],
    [validateIp, "1.2.3.04", 'Invalid value: "1.2.3.04": must not have leading 0s'],
    [validateIp, "::0", 'Invalid value: "::0": must be in canonical form ("::")'],
    [validateCidr, "10.0.0.0/8", undefined],
    [
      validateCidr,
      "10.0.0.1/8",
      'Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
    ],
    [validateNonSpecialIp, "10.0.0.1", undefined],
    [
      validateNonSpecialIp,
      "fe80::1",
      'Invalid value: "fe80::1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    ],
    [
      validateNonSpecialIp,
      "ff02::1",
      'Invalid value: "ff02::1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    ],
    [
      validateNonSpecialIp,
      "127.9.9.9",
      'Invalid value: "127.9.9.9": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ];
  for (const [check, text, body] of rows) {
    const [error] = check(text, "ip");
    assert.equal(error && fieldErrorBody(error), body, text);
  }
});
