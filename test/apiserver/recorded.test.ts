import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import { replay, scenariosIn } from "./corpus.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

const corpus = fileURLToPath(new URL("../../../shared/kubernetes-1.36/recorded", import.meta.url));
const gapsFile = fileURLToPath(new URL("./recorded-gaps.txt", import.meta.url));
const skip = existsSync(corpus) ? false : "the recorded corpus is not here";

/** Revisions of few digits are not told from other numbers in texts. */
const revisionMin = 1000;

async function raiseRevision({ running }: TestServer): Promise<void> {
  const store = running.api.server.table.find("", "v1", "configmaps")?.storage.store;
  const put = { op: "put", key: "/unused", value: new Uint8Array() } as const;
  while (store !== undefined && store.revision < revisionMin) await store.txn({ compare: [], success: [put] });
}

/** Each is replayed on a server of its own: what one makes would disturb another. */
const units = [
  "bootstrap",
  "tables",
  ...["admission", "apply", "bad-inputs", "concurrency", "deletion", "dry-run", "field-validation"].map(semantic),
  ...["forbidden", "http", "impersonation", "json-patch", "list", "merge-patch", "namespaces"].map(semantic),
  ...["pod-security", "rbac", "reviews", "strategic-merge", "subresources", "warnings", "watch"].map(semantic),
  ...["admissionregistration", "apiextensions", "apiregistration", "apps", "authorization"].map(resource),
  ...["autoscaling", "batch", "coordination", "core", "discovery", "flowcontrol"].map(resource),
  ...["networking", "policy", "rbac", "resource", "scheduling", "storage"].map(resource),
];

function semantic(name: string): string {
  return `semantics/${name}`;
}

function resource(name: string): string {
  return `resources/${name}`;
}

/** Steps that are known to differ, by scenario: `PATH COUNT` a line, and why in a `#` line above. */
function readGaps(): Map<string, number> {
  const lines = readFileSync(gapsFile, "utf8").split("\n");
  const entries = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    entries.map((line) => {
      const [path = "", count = "0"] = line.split(" ");
      return [path, Number(count)];
    }),
  );
}

describe("answers of a real server", { skip, concurrency: 3 }, () => {
  const gaps = skip === false ? readGaps() : new Map<string, number>();
  for (const [at, unit] of units.entries()) {
    test(unit, { timeout: 300_000 }, async () => {
      await using server = await startTestServer();
      await raiseRevision(server);
      const found: string[] = [];
      for (const [i, scenario] of scenariosIn(corpus, unit).entries()) {
        const different = await replay(server, `${corpus}/${scenario}`, `u${at}s${i}x`);
        const known = gaps.get(scenario) ?? 0;
        if (different.length > known) found.push(`${scenario}: steps ${different.join(" ")} differ`);
        if (different.length === 0 && known > 0) found.push(`${scenario}: is equal now: take it off the list`);
        if (process.env["RECORDED_GAPS"] !== undefined && different.length > 0) {
          process.stderr.write(`GAP ${scenario} ${different.length}\n`);
        }
      }
      assert.deepEqual(found, []);
    });
  }
});
