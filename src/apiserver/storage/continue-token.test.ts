import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeContinue, encodeContinue } from "./continue-token.ts";

const prefix = "/registry/pods/";

function tokenOf(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

test("a token leads back to where it was made", () => {
  const position = { revision: 7, startKey: `${prefix}default/a\0` };
  assert.deepEqual(decodeContinue(encodeContinue(position, prefix), prefix), position);
});

test("texts of bad tokens", () => {
  const v = "meta.k8s.io/v1";
  const rows: [token: string, detail: string][] = [
    ["bogus", "illegal base64 data at input byte 4"],
    ["ab!c", "illegal base64 data at input byte 2"],
    ["ab=c", "illegal base64 data at input byte 2"],
    ["bm8=", "illegal base64 data at input byte 3"],
    ["bm8", "invalid character 'n' looking for beginning of value"],
    [tokenOf({ v: "other", rv: 1, start: "a" }), "server does not recognize this encoded version other"],
    [tokenOf({ v, start: "a" }), `incorrect encoded start resourceVersion (version ${v})`],
    [tokenOf({ v, rv: 1 }), `encoded start key empty (version ${v})`],
    [tokenOf({ v, rv: 1, start: "../secrets/x" }), "../secrets/x"],
  ];
  for (const [token, detail] of rows) {
    assert.throws(() => decodeContinue(token, prefix), { message: `invalid continue token: continue key is not valid: ${detail}` }, token);
  }
});
