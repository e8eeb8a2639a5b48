import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#apimachinery/object.ts";
import { createIndexer, type Index } from "./indexer.ts";

const byColor: Index<KubeObject> = {
  name: "color",
  valuesOf: (object) => (object.metadata?.labels?.["color"] ?? "").split(",").filter(Boolean),
};

function object(name: string, color: string, owner?: string): KubeObject {
  return {
    metadata: {
      namespace: name.slice(0, 1),
      name,
      labels: { color },
      ...(owner !== undefined && {
        ownerReferences: [{ apiVersion: "v1", kind: "X", name: "x", uid: owner, controller: true }],
      }),
    },
  };
}

const names = (objects: readonly KubeObject[]): string =>
  objects.map(({ metadata }) => metadata?.name).join(" ");

test("indexes follow every change, also those added late", () => {
  const indexer = createIndexer<KubeObject>();
  for (const [name, color, owner] of [
    ["a1", "red", "u1"],
    ["a2", "red,blue", "u2"],
    ["b1", "blue", undefined],
  ] as const) {
    indexer.set(object(name, color, owner));
  }
  assert.equal(names(indexer.by(byColor, "blue")), "a2 b1");
  assert.equal(names(indexer.inNamespace("a")), "a1 a2");
  assert.equal(names(indexer.ownedBy("u2")), "a2");
  indexer.set(object("a2", "green", "u1"));
  assert.equal(names(indexer.by(byColor, "blue")), "b1");
  assert.equal(names(indexer.by(byColor, "green")), "a2");
  assert.equal(names(indexer.ownedBy("u2")), "");
  assert.equal(names(indexer.ownedBy("u1")), "a1 a2");
  indexer.delete("a/a1");
  assert.equal(names(indexer.by(byColor, "red")), "");
  assert.equal(names(indexer.list()), "a2 b1");
});

test("an array stays the same until something in it changes", () => {
  const indexer = createIndexer<KubeObject>();
  indexer.set(object("a1", "red"));
  indexer.set(object("b1", "red"));
  const [all, inA] = [indexer.list(), indexer.inNamespace("a")];
  assert.equal(indexer.list(), all);
  indexer.set(object("b1", "blue"));
  assert.notEqual(indexer.list(), all);
  assert.equal(indexer.inNamespace("a"), inA);
});

test("unknown values and absent owners have no objects", () => {
  const indexer = createIndexer<KubeObject>();
  assert.deepEqual(
    [indexer.inNamespace("x"), indexer.ownedBy(undefined), indexer.get("x/y")],
    [[], [], undefined],
  );
});
