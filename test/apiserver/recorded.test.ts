import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import { type Difference, prepare, replay, scenariosIn, suffixLength } from "./corpus.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

const corpus = fileURLToPath(new URL("../../../shared/kubernetes-1.36/recorded", import.meta.url));
const differencesFile = fileURLToPath(new URL("./recorded-differences.txt", import.meta.url));
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

/** What the recorded server had been asked before, in other scenarios. */
const before: Readonly<Record<string, Parameters<typeof prepare>[1]>> = {
  // Only the old verb lets anybody act as an administrator: it is tried first from then on.
  "semantics/impersonation": [
    {
      do: "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
      headers: { "impersonate-user": "alice", "impersonate-group": "system:masters" },
      body: {},
    },
  ],
  // Everybody may read the discovery document, but not the keys.
  "semantics/forbidden": [
    {
      do: "POST /apis/rbac.authorization.k8s.io/v1/clusterroles",
      body: { metadata: { name: "issuer" }, rules: [{ nonResourceURLs: ["/.well-known/openid-configuration"], verbs: ["get"] }] },
    },
    {
      do: "POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
      body: {
        metadata: { name: "issuer" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "issuer" },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:authenticated" }],
      },
    },
  ],
};

/** Members that differ since another machine answers, by scenario: `PATH STEP MEMBER` a line, and why in a `#` line above. */
function readDifferences(): ReadonlyMap<string, readonly Difference[]> {
  const lines = readFileSync(differencesFile, "utf8").split("\n");
  const entries = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return Map.groupBy(
    entries.map((line) => {
      const [scenario = "", step = "", path = ""] = line.split(" ");
      return { scenario, step: Number(step), path };
    }),
    ({ scenario }) => scenario,
  );
}

describe("answers of a real server", { skip, concurrency: 3 }, () => {
  const known = skip === false ? readDifferences() : new Map<string, readonly Difference[]>();
  for (const [at, unit] of units.entries()) {
    test(unit, { timeout: 300_000 }, async () => {
      await using server = await startTestServer();
      await raiseRevision(server);
      await prepare(server, before[unit] ?? []);
      const found: string[] = [];
      for (const [i, scenario] of scenariosIn(corpus, unit).entries()) {
        const suffix = `u${at}s${i}`.padEnd(suffixLength, "x");
        const differences = known.get(scenario) ?? [];
        const different = await replay(server, `${corpus}/${scenario}`, { suffix, differences });
        found.push(...different.map((text) => `${scenario}: ${text}`));
      }
      assert.deepEqual(found, []);
    });
  }
});
