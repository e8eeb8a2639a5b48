import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import { formatIp, parseIp } from "./ip-address.ts";

test("parseIp and formatIp give the canonical text, or refuse", () => {
  const rows: [text: string, canonical: string | undefined][] = [
    ["10.0.0.1", "10.0.0.1"],
    ["010.0.0.1", undefined],
    ["10.1", undefined],
    ["256.0.0.1", undefined],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["1:2:3:4:5:6:7:8::", undefined],
    ["1::2::3", undefined],
    [":::", undefined],
    ["fe80::1%eth0", undefined],
    ["12345::", undefined],
    ["1.2.3.4::", undefined],
    ["", undefined],
  ];
  for (const [text, canonical] of rows) {
    const bytes = parseIp(text);
    assert.equal(bytes && formatIp(bytes), canonical, text);
    // Node accepts zones, and nothing else that we do not.
    assert.equal(bytes !== undefined, isIP(text) !== 0 && !text.includes("%"), text);
  }
});
