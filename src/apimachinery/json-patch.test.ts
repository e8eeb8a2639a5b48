import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  applyJsonPatch,
  decodeJsonPatch,
  jsonPatchCopyBytesMax,
  JsonPatchError,
  jsonPatchUnknownFields,
  PatchDocumentError,
} from "./json-patch.ts";
import { recordedScenario } from "./testing/recorded.ts";

function patched(document: unknown, patch: unknown): unknown {
  return applyJsonPatch(freeze(document), decodeJsonPatch(patch, true));
}

function freeze(value: unknown): unknown {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}

function outcome(run: () => unknown): string {
  try {
    return JSON.stringify(run());
  } catch (error) {
    if (error instanceof JsonPatchError) return "422";
    if (error instanceof PatchDocumentError) return `400 ${error.message}`;
    throw error;
  }
}

describe("applyJsonPatch", () => {
  for (const [document, patch, expected] of [
    [{ b: 1 }, [{ op: "add", path: "/a", value: 2 }], '{"a":2,"b":1}'],
    [{ b: 1 }, [{ op: "add", path: "x/a", value: 2 }], '{"a":2,"b":1}'],
    [{ b: 1 }, [{ op: "add", path: "", value: {} }], "422"],
    [{ b: 1 }, [{ op: "add", path: "/a" }], '{"a":null,"b":1}'],
    [{ l: [1, 2] }, [{ op: "add", path: "/l/-1", value: 3 }], '{"l":[1,2,3]}'],
    [{ l: [1, 2] }, [{ op: "add", path: "/l/-3", value: 3 }], '{"l":[3,1,2]}'],
    [{ l: [1, 2] }, [{ op: "add", path: "/l/-4", value: 3 }], "422"],
    [{ l: [1, 2] }, [{ op: "remove", path: "/l/01" }], '{"l":[1]}'],
    [{ l: [1, 2] }, [{ op: "remove", path: "/l/-2" }], '{"l":[2]}'],
    [{ l: [1, 2] }, [{ op: "replace", path: "/l/-1", value: 9 }], '{"l":[1,9]}'],
    [{ l: [1, 2] }, [{ op: "replace", path: "/l/2", value: 9 }], "422"],
    [{ l: [{ a: 1 }] }, [{ op: "add", path: "/l/-1/b", value: 2 }], '{"l":[{"a":1,"b":2}]}'],
    [{ a: null }, [{ op: "add", path: "/a/b", value: 2 }], "422"],
    [{ a: 1 }, [{ op: "copy", from: "/none", path: "/b" }], '{"a":1,"b":null}'],
    [{ a: 1 }, [{ op: "move", from: "/none", path: "/b" }], "422"],
    [{ a: 1 }, [{ op: "test", path: "/b" }], '{"a":1}'],
    [{ a: 1 }, [{ op: "test", path: "/a" }], "422"],
    [{ a: { x: [1] } }, [{ op: "test", path: "", value: { a: { x: [1] } } }], '{"a":{"x":[1]}}'],
    [{ a: 1 }, [{ op: "replace", path: "", value: [1] }], "[1]"],
    [{ a: 1 }, [{ op: "replace", path: "", value: 5 }], "422"],
    [
      { a: { x: 1 } },
      [
        { op: "copy", from: "/a", path: "/b" },
        { op: "add", path: "/b/y", value: 2 },
      ],
      '{"a":{"x":1},"b":{"x":1,"y":2}}',
    ],
    [
      {},
      [
        { op: "add", path: "/__proto__", value: { p: 1 } },
        { op: "test", path: "/p", value: null },
      ],
      '{"__proto__":{"p":1}}',
    ],
  ] as const) {
    it(`${JSON.stringify(patch)} on ${JSON.stringify(document)}`, () => {
      assert.equal(
        outcome(() => patched(document, patch)),
        expected,
      );
    });
  }

  it("shares what it leaves alone", () => {
    const document = { a: { x: 1 }, b: { y: 1 } };
    const result = patched(document, [{ op: "add", path: "/a/z", value: 1 }]) as typeof document;
    assert.equal(result.b, document.b);
  });

  it("limits what is copied", () => {
    const half = "x".repeat(jsonPatchCopyBytesMax / 2 - 2);
    const copy = { op: "copy", from: "/a", path: "/b" };
    assert.equal(
      outcome(() => patched({ a: half }, [copy, copy]) && 1),
      "1",
    );
    assert.equal(
      outcome(() => patched({ a: `${half}x` }, [copy, copy])),
      "422",
    );
  });

  const anyDocument = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
  it("undoes an addition by a removal", () => {
    const member = fc.constantFrom("new", "a/b", "m~n", "");
    fc.assert(
      fc.property(anyDocument, member, (document, name) => {
        fc.pre(!Object.hasOwn(document, name));
        const path = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        const result = patched(document, [
          { op: "add", path, value: 1 },
          { op: "test", path, value: 1 },
          { op: "remove", path },
        ]);
        assert.deepEqual(result, document);
      }),
    );
  });

  for (const name of [
    "arrays",
    "escapes",
    "escapes-custom",
    "move-copy",
    "remove-replace",
    "test",
  ]) {
    const scenario = recordedScenario(`json-patch/${name}`);
    it(`answers as recorded in ${name}`, { skip: scenario === undefined }, () => {
      let live: unknown;
      let count = 0;
      for (const { do: request, type, body, expect } of scenario?.steps ?? []) {
        if (type === "application/json-patch+json") {
          const result = outcome(() => patched(live, body));
          // Other failures are those of validation.
          const refused = JSON.stringify(expect.body).includes("due to an error in our request");
          assert.equal(result === "422", refused, `${request} ${JSON.stringify(body)}`);
          if (expect.status === 200) assertSameData(result, expect.body);
          count++;
        }
        if (expect.status < 300) live = expect.body;
      }
      assert.ok(count > 5);
    });
  }
});

/** Compares what a ConfigMap or our custom resource holds, as far as JSON decides it. */
function assertSameData(result: string, recorded: unknown): void {
  const { data, m, metadata } = JSON.parse(result) as Record<string, Record<string, unknown>>;
  const expected = recorded as Record<string, Record<string, unknown>>;
  const strings = Object.entries(data ?? {}).map(([key, value]) => [key, value ?? ""]);
  assert.deepEqual(Object.fromEntries(strings), expected["data"] ?? {});
  assert.deepEqual(m ?? {}, expected["m"] ?? {});
  const finalizers = metadata?.["finalizers"] as unknown[] | undefined;
  assert.deepEqual(finalizers ?? [], expected["metadata"]?.["finalizers"] ?? []);
}

describe("decodeJsonPatch", () => {
  const scenario = recordedScenario("json-patch/invalid-documents");
  it("answers as recorded", { skip: scenario === undefined }, () => {
    const live = scenario?.steps[0]?.expect.body;
    const texts: string[] = [];
    for (const { type, body, expect } of scenario?.steps ?? []) {
      if (type === undefined || typeof body !== "string") continue;
      let document: unknown;
      try {
        document = JSON.parse(body);
      } catch {
        continue;
      }
      const result = outcome(() => patched(live, document));
      const { message } = expect.body as { message: string };
      texts.push(result);
      if (expect.status === 400) assert.equal(result, `400 ${message}`);
      else assert.equal(result === "422", expect.status === 422, body);
    }
    assert.ok(texts.length > 10);
  });

  it("words errors differently without field validation", () => {
    const what = "json: cannot unmarshal";
    assert.equal(
      outcome(() => decodeJsonPatch({}, false)),
      `400 ${what} object into Go value of type jsonpatch.Patch`,
    );
    assert.equal(
      outcome(() => decodeJsonPatch([1], false)),
      `400 ${what} number into Go value of type jsonpatch.Operation`,
    );
  });

  it("finds unknown members", () => {
    const document = [{ op: "add" }, { op: "add", extra: 1, Op: "x" }];
    assert.deepEqual(jsonPatchUnknownFields(document), [
      'json patch unknown field "[1].extra"',
      'json patch unknown field "[1].Op"',
    ]);
  });
});
