import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JsonMap } from "../json-value.ts";
import {
  anyJson,
  bool,
  int32,
  kind,
  listOf,
  mapOf,
  opt,
  ptr,
  rawObject,
  req,
  string,
  struct,
  time,
} from "../schema.ts";
import { compare } from "./compare.ts";
import { fieldSetOf, type FieldSet, pathsOf, printPath } from "./field-set.ts";
import { mergeValues } from "./merge.ts";
import { applySchemaOf } from "./struct-schema.ts";
import { removeFields, toFieldSet } from "./to-field-set.ts";
import { TypedValueError, validateTyped, writtenValue } from "./typed-value.ts";
import { jsonSchema } from "./apply-schema.ts";

const Port = struct("x.Port", {
  port: req(1, int32),
  protocol: opt(2, string, { default: "TCP" }),
  name: opt(3, string),
});
const Empty = struct("x.Inner", { note: opt(1, string) });
const Atomic = struct(
  "x.Atomic",
  { a: opt(1, string), b: req(2, listOf(string)) },
  { atomic: true },
);
const Spec = struct("x.Spec", {
  replicas: ptr(1, int32),
  paused: opt(2, bool),
  count: req(3, int32),
  ports: opt(4, listOf(Port), { listType: "map", mapKeys: ["port", "protocol"] }),
  tags: opt(5, listOf(string), { listType: "set" }),
  args: opt(6, listOf(string)),
  labels: opt(7, mapOf(string)),
  selector: ptr(8, Atomic),
  inner: opt(9, Empty),
  at: opt(10, time),
  raw: opt(11, rawObject),
  any: opt(12, anyJson),
});
const Kind = kind("x.Kind", { spec: opt(1, Spec) });
const go = applySchemaOf(Kind);
const json = jsonSchema(go);

function print(set: FieldSet): string[] {
  return [...pathsOf(set)].map(printPath);
}

describe("compare", () => {
  for (const [name, before, after, added, modified, removed] of [
    ["nothing", {}, {}, [], [], []],
    ["zero values", { spec: { paused: false, labels: {}, inner: {}, count: 0 } }, {}, [], [], []],
    ["a null time", { spec: { at: null } }, { spec: {} }, [], [], []],
    ["a scalar", { spec: { replicas: 1 } }, { spec: { replicas: 2 } }, [], [".spec.replicas"], []],
    ["a pointer to zero", {}, { spec: { replicas: 0 } }, [".spec.replicas"], [], []],
    ["a written zero", { spec: { count: 1 } }, {}, [], [".spec.count"], []],
    ["a map", {}, { spec: { labels: { a: "1" } } }, [".spec.labels", ".spec.labels.a"], [], []],
    [
      "members of a map",
      { spec: { labels: { a: "1", b: "1" } } },
      { spec: { labels: { b: "2", c: "1" } } },
      [".spec.labels.c"],
      [".spec.labels.b"],
      [".spec.labels.a"],
    ],
    [
      "an atomic list",
      { spec: { args: ["a"] } },
      { spec: { args: ["b"] } },
      [],
      [".spec.args"],
      [],
    ],
    [
      "an atomic struct that Go writes alike",
      { spec: { selector: { b: null } } },
      { spec: { selector: { a: "" } } },
      [],
      [],
      [],
    ],
    [
      "an item",
      { spec: { ports: [{ port: 80 }] } },
      {
        spec: {
          ports: [
            { port: 80, protocol: "TCP", name: "x" },
            { port: 80, protocol: "UDP" },
          ],
        },
      },
      [
        '.spec.ports[port=80,protocol="UDP"]',
        '.spec.ports[port=80,protocol="TCP"].name',
        '.spec.ports[port=80,protocol="TCP"].protocol',
        '.spec.ports[port=80,protocol="UDP"].port',
        '.spec.ports[port=80,protocol="UDP"].protocol',
      ],
      [],
      [],
    ],
    [
      "set items",
      { spec: { tags: ["a", "b"] } },
      { spec: { tags: ["c", "b"] } },
      ['.spec.tags[="c"]'],
      [],
      ['.spec.tags[="a"]'],
    ],
    [
      "repeated items",
      { spec: { tags: ["a"] } },
      { spec: { tags: ["a", "a"] } },
      ['.spec.tags[="a"]'],
      [],
      ['.spec.tags[="a"]'],
    ],
    [
      "untyped values",
      { spec: { any: { a: 1, l: [1] }, raw: { a: 1 } } },
      { spec: { any: { a: { b: 1 }, l: [2] }, raw: { a: 2 } } },
      [".spec.any.a.b"],
      [".spec.any.a", ".spec.any.l", ".spec.raw"].sort(),
      [],
    ],
    ["untracked metadata", { kind: "A" }, { kind: "B", apiVersion: "v1" }, [], [], []],
  ] as [string, JsonMap, JsonMap, string[], string[], string[]][]) {
    it(`finds ${name}`, () => {
      const comparison = compare(go, before, after);
      assert.deepEqual(
        [
          print(comparison.added).sort(),
          print(comparison.modified).sort(),
          print(comparison.removed),
        ],
        [added.sort(), modified, removed],
      );
    });
  }

  it("adds what it removes the other way round", () => {
    fc.assert(
      fc.property(specs, specs, (a, b) => {
        const there = compare(go, { spec: a }, { spec: b });
        const back = compare(go, { spec: b }, { spec: a });
        assert.deepEqual(print(there.added), print(back.removed));
        assert.deepEqual(print(there.modified), print(back.modified));
        const copy = structuredClone({ spec: a });
        assert.deepEqual(print(compare(go, { spec: a }, copy).modified), []);
      }),
    );
  });
});

const specs = fc.record(
  {
    replicas: fc.integer({ min: 0, max: 2 }),
    count: fc.integer({ min: 0, max: 2 }),
    paused: fc.boolean(),
    labels: fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("1", "2"), {
      noNullPrototype: true,
    }),
    tags: fc.uniqueArray(fc.constantFrom("x", "y", "z")),
    args: fc.array(fc.constantFrom("x", "y"), { maxLength: 2 }),
    ports: fc.uniqueArray(
      fc.record({ port: fc.integer({ min: 1, max: 3 }), name: fc.constantFrom("p", "q") }),
      { selector: ({ port }) => port },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

describe("validateTyped", () => {
  for (const [value, message] of [
    [{ spec: { foo: 1 } }, ".spec.foo: field not declared in schema"],
    [{ spec: { replicas: "x" } }, ".spec.replicas: expected numeric (int or float), got string"],
    [
      { spec: { replicas: [] } },
      ".spec.replicas: expected numeric (int or float), got []interface {}",
    ],
    [{ spec: { paused: "yes" } }, ".spec.paused: expected boolean, got &{yes}"],
    [{ spec: "x" }, ".spec: expected map, got &{x}"],
    [{ spec: { args: { a: 1 } } }, ".spec.args: expected list, got &{map[a:1]}"],
    [
      { spec: { args: [1] } },
      ".spec.args[0]: expected string, got &value.valueUnstructured{Value:1}",
    ],
    [
      { spec: { labels: { a: { b: ["c"] } } } },
      ".spec.labels.a: expected string, got &value.valueUnstructured{Value:" +
        'map[string]interface {}{"b":[]interface {}{"c"}}}',
    ],
    [
      { spec: { ports: [{ port: 80 }, { port: 80 }] } },
      '.spec.ports: duplicate entries for key [port=80,protocol="TCP"]',
    ],
    [{ spec: { tags: ["a", "a"] } }, '.spec.tags: duplicate entries for key [="a"]'],
    [
      { spec: { ports: [null] } },
      ".spec.ports: element 0: associative list with keys may not have a null element",
    ],
    [
      { spec: { tags: [{}] } },
      ".spec.tags: element 0: associative list without keys has an element that's a map type",
    ],
    [
      { spec: { replicas: "x", paused: 1 } },
      "errors:\n  .spec.replicas: expected numeric (int or float), got string\n" +
        "  .spec.paused: expected boolean, got &{1}",
    ],
    [{ spec: { replicas: null, ports: null, any: [{ a: 1 }], at: "x" } }, undefined],
  ] as [JsonMap, string | undefined][]) {
    it(`${JSON.stringify(value)}: ${message}`, () => {
      let found: string | undefined;
      try {
        validateTyped(json, value);
      } catch (error) {
        assert.ok(error instanceof TypedValueError);
        found = error.message;
      }
      assert.equal(found, message);
    });
  }

  it("lets live objects repeat keys", () => {
    assert.doesNotThrow(() => validateTyped(json, { spec: { tags: ["a", "a"] } }, "allow"));
  });
});

describe("writtenValue", () => {
  it("fills in what Go writes", () => {
    assert.deepEqual(writtenValue(go, { spec: { paused: false, ports: [{}], selector: {} } }), {
      spec: {
        count: 0,
        ports: [{ port: 0 }],
        selector: { b: null },
        inner: {},
        at: null,
        raw: null,
      },
    });
  });
});

describe("mergeValues", () => {
  for (const [live, config, expected] of [
    [{ spec: { replicas: 1 } }, { spec: { count: 1 } }, { spec: { replicas: 1, count: 1 } }],
    [{ spec: { replicas: 1 } }, { spec: { replicas: null } }, { spec: { replicas: null } }],
    [{ spec: { args: ["a"] } }, { spec: { args: ["b"] } }, { spec: { args: ["b"] } }],
    [{ spec: { labels: { a: "1" } } }, { spec: { labels: {} } }, { spec: { labels: { a: "1" } } }],
    [
      { spec: { tags: ["a", "b"] } },
      { spec: { tags: ["c"] } },
      { spec: { tags: ["a", "b", "c"] } },
    ],
    [
      { spec: { tags: ["a", "b"] } },
      { spec: { tags: ["b", "a"] } },
      { spec: { tags: ["b", "a"] } },
    ],
    [
      { spec: { tags: ["a", "b", "c", "d"] } },
      { spec: { tags: ["d", "b"] } },
      { spec: { tags: ["a", "c", "d", "b"] } },
    ],
    [
      { spec: { ports: [{ port: 1, name: "x" }] } },
      { spec: { ports: [{ port: 2 }, { port: 1, protocol: "TCP" }] } },
      { spec: { ports: [{ port: 2 }, { port: 1, name: "x", protocol: "TCP" }] } },
    ],
    [
      { spec: { any: { a: 1 } } },
      { spec: { any: { b: [1] } } },
      { spec: { any: { a: 1, b: [1] } } },
    ],
    [{ spec: { any: { a: 1 } } }, { spec: { any: 5 } }, { spec: { any: 5 } }],
  ] as [JsonMap, JsonMap, JsonMap][]) {
    it(`${JSON.stringify(config)} into ${JSON.stringify(live)}`, () => {
      assert.deepEqual(mergeValues(json, live, config), expected);
    });
  }

  it("contains all that was applied, and applying again changes nothing", () => {
    fc.assert(
      fc.property(specs, specs, (a, b) => {
        const merged = mergeValues(json, { spec: a }, { spec: b });
        assert.deepEqual(mergeValues(json, merged, { spec: b }), merged);
        const there = compare(json, { spec: b }, merged);
        assert.deepEqual([print(there.modified), print(there.removed)], [[], []]);
      }),
    );
  });
});

describe("removeFields", () => {
  it("undoes a merge of new fields", () => {
    fc.assert(
      fc.property(specs, specs, (a, b) => {
        const merged = mergeValues(json, { spec: a }, { spec: b });
        const without = removeFields(json, merged, compare(json, { spec: a }, merged).added);
        const rest = compare(json, { spec: a }, without ?? {});
        assert.deepEqual(print(rest.added), []);
      }),
    );
  });

  for (const [value, names, expected] of [
    [{ spec: { labels: { a: "1" } } }, [".spec.labels.a"], { spec: { labels: null } }],
    [{ spec: { args: ["x"], count: 1 } }, [".spec.args"], { spec: { count: 1 } }],
    [{ spec: { tags: ["a", "b"] } }, ['.spec.tags[="a"]'], { spec: { tags: ["b"] } }],
    [{ spec: { replicas: 1 } }, [".spec.replicas"], { spec: null }],
  ] as [JsonMap, string[], JsonMap][]) {
    it(`${names.join()} from ${JSON.stringify(value)}`, () => {
      const all = toFieldSet(json, value);
      const kept = [...pathsOf(all)].filter((path) => names.includes(printPath(path)));
      assert.equal(kept.length, names.length);
      assert.deepEqual(removeFields(json, value, fieldSetOf(kept)), expected);
    });
  }
});
