import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequestInfo } from "../http/request-info.ts";
import { decideAudit, parseAuditPolicy } from "./audit-policy.ts";

const policy = parseAuditPolicy(`
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [system:kube-proxy]
  verbs: [watch]
- level: None
  nonResourceURLs: ["/healthz*"]
- level: Request
  resources:
  - group: ""
    resources: [secrets, pods/*]
  namespaces: [kube-system]
- level: Metadata
  userGroups: [admins]
`);

function user(name: string, ...groups: string[]): Parameters<typeof decideAudit>[2] {
  return { name, uid: "", groups, extra: {} };
}

const cases: readonly [string, string, Parameters<typeof decideAudit>[2], string][] = [
  ["GET", "/api/v1/services?watch=1", user("system:kube-proxy"), "None"],
  ["GET", "/healthz/ping", user("a", "admins"), "None"],
  ["GET", "/api/v1/namespaces/kube-system/secrets/x", user("a"), "Request"],
  ["GET", "/api/v1/namespaces/kube-system/pods/x/log", user("a"), "Request"],
  ["GET", "/api/v1/namespaces/kube-system/pods/x", user("a"), "Request"],
  ["GET", "/api/v1/namespaces/other/secrets/x", user("a", "admins"), "Metadata"],
  ["GET", "/api/v1/namespaces/other/secrets/x", user("a"), "None"],
];

for (const [method, url, who, level] of cases) {
  test(`${method} ${url} of ${who.name} is ${level}`, () => {
    const [path = "", query = ""] = url.split("?");
    const decision = decideAudit(policy, parseRequestInfo(method, path, new URLSearchParams(query)), who);
    assert.equal(decision.level, level);
    assert.ok(decision.omitStages.has("RequestReceived"));
  });
}

test("omitManagedFields of a rule goes before the policy's", () => {
  const text = "kind: Policy\napiVersion: audit.k8s.io/v1\nomitManagedFields: true\nrules: [{level: Request, users: [a], omitManagedFields: false}, {level: Request}]";
  const mixed = parseAuditPolicy(text);
  const info = parseRequestInfo("GET", "/api/v1/pods", new URLSearchParams());
  assert.deepEqual(["a", "b"].map((name) => decideAudit(mixed, info, user(name)).omitManagedFields), [false, true]);
});

const wrong: readonly [rule: string, problem: RegExp][] = [
  ["{level: Everything}", /rules\[0\]\.level: "Everything" is not one of/],
  ["{level: None, omitStages: [Later]}", /no stage "Later"/],
  ["{level: None, nonResourceURLs: [healthz]}", /must begin with '\/'/],
  ["{level: None, nonResourceURLs: ['/a*b']}", /not at the end/],
  ["{level: None, nonResourceURLs: ['/a'], namespaces: [b]}", /cannot apply to both/],
  ["{level: None, resources: [{resourceNames: [a]}]}", /names need resources/],
];

for (const [rule, problem] of wrong) {
  test(`the rule ${rule} is refused`, () => {
    assert.throws(() => parseAuditPolicy(`kind: Policy\napiVersion: audit.k8s.io/v1\nrules: [${rule}]`), problem);
  });
}

test("what is no policy is refused", () => {
  assert.throws(() => parseAuditPolicy("kind: Policy\napiVersion: v1\n"), /audit.k8s.io\/v1/);
  assert.throws(() => parseAuditPolicy("kind: Policy\napiVersion: audit.k8s.io/v1\n"), /no rules/);
});
