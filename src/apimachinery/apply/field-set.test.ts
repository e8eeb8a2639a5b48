import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  decodeFieldSet,
  difference,
  emptyFieldSet,
  encodeFieldSet,
  equalSets,
  type FieldPath,
  fieldSetOf,
  fieldSetOfNames,
  filterSet,
  hasPath,
  intersection,
  pathsOf,
  printPath,
  recursiveDifference,
  union,
} from "./field-set.ts";
import { keyElement, parsePathElement, valueElement } from "./path-element.ts";

const element = fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}', 'v:"y"', "v:1", "i:0");
const path: fc.Arbitrary<FieldPath> = fc.array(element, { minLength: 1, maxLength: 3 });
const paths = fc.array(path, { maxLength: 6 });

function texts(of: Iterable<FieldPath>): string[] {
  return [...new Set([...of].map((each) => each.join("/")))].sort();
}

describe("field sets", () => {
  it("obey the laws of sets, path by path", () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const [x, y] = [fieldSetOf(a), fieldSetOf(b)];
        const [xs, ys] = [texts(a), texts(b)];
        assert.deepEqual(texts(pathsOf(x)), xs);
        assert.deepEqual(texts(pathsOf(union(x, y))), [...new Set([...xs, ...ys])].sort());
        assert.deepEqual(
          texts(pathsOf(intersection(x, y))),
          xs.filter((text) => ys.includes(text)),
        );
        assert.deepEqual(
          texts(pathsOf(difference(x, y))),
          xs.filter((text) => !ys.includes(text)),
        );
        const below = (text: string) => ys.some((other) => `${text}/`.startsWith(`${other}/`));
        assert.deepEqual(
          texts(pathsOf(recursiveDifference(x, y))),
          xs.filter((text) => !below(text)),
        );
        for (const each of b) assert.equal(hasPath(x, each), xs.includes(each.join("/")));
        assert.equal(equalSets(x, y), xs.join() === ys.join());
      }),
    );
  });

  it("keep their identity when nothing changes", () => {
    fc.assert(
      fc.property(paths, (a) => {
        const set = fieldSetOf(a);
        assert.equal(union(set, fieldSetOf(a)), set);
        assert.equal(difference(set, emptyFieldSet), set);
        assert.equal(difference(set, fieldSetOfNames(["none.such"])), set);
      }),
    );
  });

  it("are read from what they are written as", () => {
    fc.assert(
      fc.property(paths, (a) => {
        const set = fieldSetOf(a);
        const json = JSON.stringify(encodeFieldSet(set));
        assert.ok(equalSets(decodeFieldSet(JSON.parse(json) as Record<string, unknown>), set));
        assert.equal(encodeFieldSet(set), encodeFieldSet(set));
      }),
    );
  });

  for (const [fields, canonical] of [
    ['{"f:b":{},"f:a":{}}', '{"f:a":{},"f:b":{}}'],
    ['{"f:a":{"f:b":{},".":{}}}', '{"f:a":{".":{},"f:b":{}}}'],
    ['{"f:a":{".":{}}}', '{"f:a":{}}'],
    ['{"f:a":null}', '{"f:a":{}}'],
    ['{"f:a":{"x:later":{}}}', '{"f:a":{}}'],
    [
      '{"i:10":{},"i:9":{},"v:\\"a\\"":{},"f:z":{}}',
      '{"f:z":{},"v:\\"a\\"":{},"i:9":{},"i:10":{}}',
    ],
    [
      '{"v:10":{},"v:9":{},"v:true":{},"v:\\"x\\"":{}}',
      '{"v:9":{},"v:10":{},"v:\\"x\\"":{},"v:true":{}}',
    ],
    [
      '{"k:{\\"protocol\\":\\"TCP\\",\\"containerPort\\":80}":{}}',
      '{"k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}":{}}',
    ],
    [
      '{"k:{\\"port\\":443}":{},"k:{\\"port\\":80}":{},"k:{\\"name\\":\\"a\\"}":{}}',
      '{"k:{\\"name\\":\\"a\\"}":{},"k:{\\"port\\":80}":{},"k:{\\"port\\":443}":{}}',
    ],
  ] as const) {
    it(`write ${fields} as ${canonical}`, () => {
      const set = decodeFieldSet(JSON.parse(fields) as Record<string, unknown>);
      assert.equal(JSON.stringify(encodeFieldSet(set)), canonical);
    });
  }

  for (const [key, message] of [
    ["f", "key must be 2 characters long:"],
    ["name", "missing colon: name"],
    ["v:{", "invalid JSON in path element: v:{"],
    ["k:5", "expected an object: k:5"],
    ["i:x", 'strconv.Atoi: parsing "x": invalid syntax'],
  ] as const) {
    it(`refuse the key ${key}`, () => {
      assert.throws(() => decodeFieldSet({ [key]: {} }), { name: "PathElementError", message });
    });
  }

  it("list short paths before long ones", () => {
    const set = fieldSetOfNames(["b.a", "c", "a", "b.b"]);
    assert.deepEqual([...pathsOf(set)].map(printPath), [".a", ".c", ".b.a", ".b.b"]);
  });
});

describe("filterSet", () => {
  const set = fieldSetOfNames(["spec.a", "spec.b.c", "status", "status.d", "metadata.labels.x"]);
  for (const [filter, expected] of [
    [undefined, [".status", ".metadata.labels.x", ".spec.a", ".spec.b.c", ".status.d"]],
    [{ exclude: fieldSetOfNames(["status"]) }, [".metadata.labels.x", ".spec.a", ".spec.b.c"]],
    [
      { exclude: fieldSetOfNames(["metadata.labels", "spec.b.c"]) },
      [".status", ".spec.a", ".status.d"],
    ],
    [{ include: [["f:spec", "f:b"]] }, [".spec.b.c"]],
    [{ include: [["*", "f:d"], ["f:metadata"]] }, [".status", ".metadata.labels.x", ".status.d"]],
  ] as const) {
    it(`${JSON.stringify(filter)}`, () => {
      assert.deepEqual([...pathsOf(filterSet(set, filter))].map(printPath), expected);
    });
  }
});

describe("path elements", () => {
  for (const [text, printed] of [
    ["f:a.b", ".a.b"],
    [
      keyElement([
        ["protocol", "TCP"],
        ["port", 80],
      ]),
      '[port=80,protocol="TCP"]',
    ],
    [valueElement("x<y"), '[="x<y"]'],
    [valueElement(true), "[=true]"],
    [valueElement(1.5), "[=1.5]"],
    ["i:3", "[3]"],
  ] as const) {
    it(`print ${text} as ${printed}`, () => {
      const parsed = parsePathElement(text);
      assert.equal(parsed, text);
      assert.equal(printPath([text]), printed);
    });
  }

  it("escape what Go's JSON escapes", () => {
    assert.equal(valueElement("<&>"), 'v:"\\u003c\\u0026\\u003e"');
  });
});
