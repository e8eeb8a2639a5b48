import assert from "node:assert/strict";
import { test } from "node:test";
import type { CustomResourceDefinition } from "#api/apiextensions/v1/custom-resource-definition.ts";
import { decideNames, usedNamesOf } from "./naming.ts";

type Names = CustomResourceDefinition["spec"]["names"];

function crd(names: Names, accepted?: Names): CustomResourceDefinition {
  return {
    metadata: { name: `${names.plural}.g.io` },
    spec: { group: "g.io", scope: "Cluster", names, versions: [] },
    ...(accepted && { status: { conditions: [], acceptedNames: accepted, storedVersions: [] } }),
  };
}

const foos: Names = { plural: "foos", singular: "foo", kind: "Foo", listKind: "FooList", shortNames: ["fo"] };
const holder = crd(foos, foos);

interface Row {
  readonly about: string;
  readonly wanted: Names;
  readonly reason: string;
  readonly message: string;
  readonly accepted: Names;
}

const rows: readonly Row[] = [
  {
    about: "free names are taken",
    wanted: { plural: "bars", singular: "bar", kind: "Bar", listKind: "BarList" },
    reason: "NoConflicts",
    message: "no conflicts found",
    accepted: { plural: "bars", singular: "bar", kind: "Bar", listKind: "BarList" },
  },
  {
    about: "of several conflicts the last is told",
    wanted: { plural: "bars", singular: "foo", kind: "Foo", listKind: "BarList" },
    reason: "KindConflict",
    message: '"Foo" is already in use',
    accepted: { plural: "bars", kind: "", listKind: "BarList" },
  },
  {
    about: "short names conflict with plurals too",
    wanted: { plural: "bars", singular: "bar", kind: "Bar", listKind: "BarList", shortNames: ["foos", "fo", "b"] },
    reason: "ShortNamesConflict",
    message: '["foos" is already in use, "fo" is already in use]',
    accepted: { plural: "bars", singular: "bar", kind: "Bar", listKind: "BarList" },
  },
];

for (const { about, wanted, reason, message, accepted } of rows) {
  test(`names: ${about}`, () => {
    const naming = decideNames(crd(wanted), usedNamesOf([holder], "g.io"));
    assert.deepEqual(naming?.accepted, accepted);
    const [names, established] = naming?.conditions ?? [];
    assert.deepEqual([names?.reason, names?.message], [reason, message]);
    assert.equal(established?.status, reason === "NoConflicts" ? "True" : "False");
  });
}

test("names: nothing to do when all are held", () => {
  assert.equal(decideNames(holder, usedNamesOf([holder], "g.io")), undefined);
});

test("names: other groups do not count", () => {
  assert.equal(usedNamesOf([holder], "h.io").resources.size, 0);
});
