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

/** Areas whose webhooks and extension servers these scenarios run themselves, in place of Pods. */
const served = new Set(["webhook", "crd_conversion_webhook", "crd_selectable_fields", "aggregator"].map((one) => `apimachinery/${one}`));

test(
  "the list is all that ask for an API server alone, and for servers that it calls",
  { skip: existsSync(facts) ? false : "the list of all tests is not here" },
  () => {
    const rows = readFileSync(facts, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.split("\t"));
    const wanted = rows.filter(([, , area = "", environment]) => environment === "1-api" || served.has(area)).map(([name = ""]) => name);
    assert.equal(wanted.length, 97 + 26);
    assert.deepEqual(listed().toSorted(), wanted.toSorted());
  },
);
