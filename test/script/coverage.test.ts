import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const directory = import.meta.dirname;
const facts = join(directory, "../../../shared/facts/conformance.tsv");

/** What is listed as to be covered. */
function listed(): string[] {
  const lines = readFileSync(join(directory, "conformance.txt"), "utf8").split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

/** Names of the scenarios on an API server alone, in full. */
function covered(): string[] {
  return globSync("*.test.ts", { cwd: directory }).flatMap((file) => {
    const text = readFileSync(join(directory, file), "utf8");
    if (!text.includes('from "./scenario.ts"')) return [];
    let area = "";
    return [...text.matchAll(/^ *(area|scenario)\(\s*"((?:[^"\\]|\\.)*)"/gm)].flatMap(([, what, name = ""]) => {
      if (what === "scenario") return [`${area} ${name} [Conformance]`];
      area = name;
      return [];
    });
  });
}

test("every listed conformance test has a scenario, and every scenario is one of them", () => {
  assert.deepEqual(covered().toSorted(), listed().toSorted());
});

const needs = "custom resources or policies";
const others = new RegExp(`crd_|custom_resource|admissionpolicy`);

test(
  `the list is all that ask for an API server alone, without ${needs}`,
  { skip: existsSync(facts) ? false : "the list of all tests is not here" },
  () => {
    const rows = readFileSync(facts, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.split("\t"));
    const wanted = rows
      .filter(
        ([name = "", , area = "", environment]) =>
          environment === "1-api" && !others.test(area) && !/\bCRDs?\b|\bCR\b/.test(name),
      )
      .map(([name = ""]) => name);
    assert.equal(wanted.length, 67);
    assert.deepEqual(listed().toSorted(), wanted.toSorted());
  },
);
