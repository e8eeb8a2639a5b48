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

test("what is no policy is refused", () => {
  assert.throws(() => parseAuditPolicy("kind: Policy\napiVersion: v1\n"), /audit.k8s.io\/v1/);
  assert.throws(() => parseAuditPolicy("kind: Policy\napiVersion: audit.k8s.io/v1\n"), /no rules/);
});
