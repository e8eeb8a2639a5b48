import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { deepEqual, semanticEqual } from "./deep-equal.ts";

describe("deepEqual", () => {
  for (const [a, b, equal, semantic] of [
    [{ a: 1, b: undefined }, { a: 1 }, true, true],
    [{ a: 1 }, { a: 1, b: undefined }, true, true],
    [{ a: null }, {}, false, true],
    [{ a: [] }, {}, false, true],
    [{ a: {} }, { a: [] }, false, true],
    [[1, 2], [2, 1], false, false],
    [{ a: "" }, {}, false, false],
    [{ a: 0 }, {}, false, false],
    [5n, 5, true, true],
    [2n ** 60n, 2 ** 60 + 256, false, false],
    [JSON.parse('{"__proto__":1}'), {}, false, false],
    [{ a: { b: [] } }, { a: { b: null } }, false, true],
    [{}, null, false, true],
  ] as const) {
    it(`${print(a)} and ${print(b)}`, () => {
      assert.equal(deepEqual(a, b), equal);
      assert.equal(deepEqual(b, a), equal);
      assert.equal(semanticEqual(a, b), semantic);
      assert.equal(semanticEqual(b, a), semantic);
    });
  }

  it("agrees with node:util on JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
        assert.equal(deepEqual(a, b), isDeepStrictEqual(plain(a), plain(b)));
        assert.equal(deepEqual(a, structuredClone(a)), true);
        if (deepEqual(a, b)) assert.equal(semanticEqual(a, b), true);
      }),
    );
  });
});

/** Without -0, which JSON does not keep. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function print(value: unknown): string {
  return JSON.stringify(value, (_key, own: unknown) => (typeof own === "bigint" ? `${own}n` : own));
}
