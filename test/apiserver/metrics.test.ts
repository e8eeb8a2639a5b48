import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createHttpClient } from "#base/os/http-client.ts";
import { parseYaml } from "#wire/yaml.ts";
import { startTestServer } from "./server-fixture.ts";

const listFile = fileURLToPath(new URL("../../../shared/kubernetes-1.36/reference/stable-metrics-list.yaml", import.meta.url));
const skip = existsSync(listFile) ? false : "the list of stable metrics is not here";

interface Listed {
  readonly name: string;
  readonly namespace?: string;
  readonly subsystem?: string;
  readonly type: string;
  readonly stabilityLevel: string;
  readonly labels?: readonly string[];
  readonly buckets?: readonly (number | string)[];
}

/** Metrics of the API server that are not there, and why. */
const absent: ReadonlyMap<string, string> = new Map([
  ["apiserver_authentication_config_controller_automatic_reload_last_timestamp_seconds", "no AuthenticationConfiguration"],
  ["apiserver_authentication_config_controller_automatic_reloads_total", "no AuthenticationConfiguration"],
  ["apiserver_authorization_config_controller_automatic_reload_last_timestamp_seconds", "no AuthorizationConfiguration"],
  ["apiserver_authorization_config_controller_automatic_reloads_total", "no AuthorizationConfiguration"],
  ["apiserver_cel_compilation_duration_seconds", "expressions are not timed"],
  ["apiserver_cel_evaluation_duration_seconds", "expressions are not timed"],
  ["apiserver_storage_events_received_total", "there is no watch cache that receives events"],
  ["apiserver_validation_declarative_validation_mismatch_total", "there is one validation, not two"],
  ["apiserver_validation_declarative_validation_panic_total", "there is one validation, not two"],
]);

function nameOf({ namespace, subsystem, name }: Listed): string {
  return [namespace, subsystem, name].filter(Boolean).join("_");
}

function listed(): Listed[] {
  const all = parseYaml(readFileSync(listFile)).value as Listed[];
  const ours = /^(apiserver|kubernetes)_|^(registered|hidden|disabled)_metrics_total$/;
  return all.filter((metric) => ours.test(nameOf(metric)));
}

/** What a scrape shows of a family. */
interface Shown {
  readonly type: string;
  readonly stability: string;
  readonly labels: Set<string>;
  readonly bounds: Set<number>;
}

function read(text: string): Map<string, Shown> {
  const families = new Map<string, Shown>();
  let shown: Shown | undefined;
  let stability = "";
  for (const line of text.split("\n")) {
    const [, word, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (word === "HELP") stability = /^\[(\w+)\]/.exec(rest)?.[1] ?? "";
    if (word === "TYPE") families.set(name, (shown = { type: rest, stability, labels: new Set(), bounds: new Set() }));
    if (word !== undefined || line === "" || shown === undefined) continue;
    for (const [, label = "", value = ""] of line.matchAll(/(\w+)="([^"]*)"/g)) {
      if (label !== "le") shown.labels.add(label);
      else if (value !== "+Inf") shown.bounds.add(Number(value));
    }
  }
  return families;
}

const flowControl = "/apis/flowcontrol.apiserver.k8s.io/v1";
const noSeats = {
  metadata: { name: "no-seats" },
  spec: { type: "Limited", limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: "Reject" } } },
};
const ofNobody = {
  metadata: { name: "of-nobody" },
  spec: {
    priorityLevelConfiguration: { name: "no-seats" },
    matchingPrecedence: 10,
    rules: [
      { subjects: [{ kind: "User", user: { name: "nobody" } }], nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }] },
    ],
  },
};

/** Asks for something of everything, and reads the metrics. */
async function scrape(): Promise<string> {
  await using server = await startTestServer({ storage: "durable" });
  await using http = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
  const ask = async (method: string, path: string, body?: object): Promise<string> => {
    const headers = { "content-type": "application/json" };
    const response = await http.request({ method, path, headers, ...(body && { body: JSON.stringify(body) }) });
    return Buffer.from(await response.readAll()).toString();
  };
  const maps = "/api/v1/namespaces/default/configmaps";
  const registration = "/apis/admissionregistration.k8s.io/v1";
  const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] };
  const policy = { metadata: { name: "p" }, spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: "false" }] } };
  await ask("POST", `${registration}/validatingadmissionpolicies`, policy);
  const binding = { metadata: { name: "b" }, spec: { policyName: "p", validationActions: ["Warn"] } };
  await ask("POST", `${registration}/validatingadmissionpolicybindings`, binding);
  const webhook = { name: "w.example.com", clientConfig: { url: "https://127.0.0.1:1" }, rules: [rule], sideEffects: "None" };
  const hooks = [{ ...webhook, failurePolicy: "Ignore", admissionReviewVersions: ["v1"] }];
  await ask("POST", `${registration}/validatingwebhookconfigurations`, { metadata: { name: "w" }, webhooks: hooks });
  await ask("POST", maps, { metadata: { name: "m" } });
  await ask("GET", `${maps}/m`);
  await ask("GET", maps);
  await ask("GET", "/api/v1/componentstatuses");
  await ask("GET", "/readyz");
  await ask("POST", `${flowControl}/prioritylevelconfigurations`, noSeats);
  await ask("POST", `${flowControl}/flowschemas`, ofNobody);
  await server.running.api.server.settled();
  await http.request({ method: "GET", path: "/version", headers: { "impersonate-user": "nobody" } }).then((response) => response.discard());
  const watching = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  await ask("GET", `${maps}?${watching}&timeoutSeconds=1`);
  await http.request({ method: "GET", path: maps, headers: { "impersonate-user": "system:x" } }).then((response) => response.discard());
  return await ask("GET", "/metrics");
}

describe("metrics of the stable list", { skip }, () => {
  test("they are there with upstream's types, labels and buckets, but for those that are listed here", async () => {
    const text = await scrape();
    const families = read(text);
    const missing: string[] = [];
    const rows = listed().filter((metric) => {
      if (families.has(nameOf(metric))) return true;
      missing.push(nameOf(metric));
      return false;
    });
    assert.deepEqual(missing.toSorted(), [...absent.keys()].toSorted());
    for (const metric of rows) {
      const name = nameOf(metric);
      const { type, stability, labels, bounds } = families.get(name) as Shown;
      assert.equal(stability, metric.stabilityLevel, name);
      if (metric.type !== "Custom") assert.equal(type, metric.type.toLowerCase(), name);
      assert.deepEqual([...labels].toSorted(), (metric.labels ?? []).toSorted(), name);
      if (metric.buckets !== undefined) assert.deepEqual([...bounds], metric.buckets.map(Number), name);
    }
  });

  test("requests are told apart as upstream does; the process is seen", async () => {
    const text = await scrape();
    const labelsOf = (prefix: string): string[] => text.split("\n").filter((line) => line.startsWith(`${prefix}{`));
    const requests = labelsOf("apiserver_request_total").map((line) => {
      const [verb, resource, scope, code] = ["verb", "resource", "scope", "code"].map((label) => new RegExp(`${label}="([^"]*)"`).exec(line)?.[1]);
      return `${verb} ${resource} ${scope} ${code}`;
    });
    for (const wanted of ["POST configmaps resource 201", "GET configmaps resource 200", "LIST configmaps namespace 200", "WATCH configmaps namespace 200"]) {
      assert.ok(requests.includes(wanted), `${wanted}: ${requests.join(", ")}`);
    }
    assert.ok(labelsOf("apiserver_request_total").some((line) => line.includes('system_client="x"') && line.includes('code="403"')));
    assert.ok(labelsOf("apiserver_requested_deprecated_apis").some((line) => line.includes('resource="componentstatuses"') && line.endsWith(" 1")));
    const sum = labelsOf("apiserver_response_sizes_sum").find((line) => line.includes('verb="LIST"') && line.includes('"configmaps"')) ?? "";
    assert.ok(Number(sum.split(" ").at(-1)) > 100, sum);
    const lines = new Set(text.split("\n"));
    const resident = [...lines].find((line) => line.startsWith("process_resident_memory_bytes "));
    assert.ok(Number(resident?.split(" ")[1]) > 1e7, resident);
    assert.ok(lines.has('kubernetes_healthcheck{name="ping",type="readyz"} 1'), labelsOf("kubernetes_healthcheck").join("\n"));
    const webhook = labelsOf("apiserver_admission_webhook_admission_duration_seconds_count");
    assert.deepEqual(webhook, ['apiserver_admission_webhook_admission_duration_seconds_count{name="w.example.com",operation="CREATE",rejected="false",type="validating"} 1']);
  });
});
