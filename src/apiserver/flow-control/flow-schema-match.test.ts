import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowSchemaSpec, PolicyRulesWithSubjects, Subject } from "#api/flowcontrol/v1/flow-schema.ts";
import type { User } from "../call.ts";
import { parseRequestInfo } from "../http/request-info.ts";
import { matchesRequest, rulesOfUser } from "./flow-schema-match.ts";

function spec(rule: Partial<PolicyRulesWithSubjects>): FlowSchemaSpec {
  const subjects: Subject[] = [{ kind: "User", user: { name: "*" } }];
  return { priorityLevelConfiguration: { name: "l" }, matchingPrecedence: 1, rules: [{ subjects, ...rule }] };
}

function matches(schema: FlowSchemaSpec, [method, url, user]: readonly [string, string, string]): boolean {
  const [path = "", query = ""] = url.split("?");
  const [name = "", ...groups] = user.split(" ");
  const who: User = { name, groups, uid: "", extra: {} };
  const info = parseRequestInfo(method, path, new URLSearchParams(query));
  return rulesOfUser(schema, who).some((rule) => matchesRequest(rule, info));
}

const pods = "/api/v1/namespaces/a/pods";
const every = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] };

const subjects: readonly [Subject, user: string, boolean][] = [
  [{ kind: "User", user: { name: "alice" } }, "alice", true],
  [{ kind: "User", user: { name: "alice" } }, "bob", false],
  [{ kind: "Group", group: { name: "ops" } }, "bob dev ops", true],
  [{ kind: "Group", group: { name: "*" } }, "bob", true],
  [{ kind: "Group", group: { name: "ops" } }, "ops", false],
  [{ kind: "ServiceAccount", serviceAccount: { namespace: "a", name: "*" } }, "system:serviceaccount:a:x", true],
  [{ kind: "ServiceAccount", serviceAccount: { namespace: "a", name: "*" } }, "system:serviceaccount:ab:x", false],
  [{ kind: "ServiceAccount", serviceAccount: { namespace: "a", name: "x" } }, "system:serviceaccount:a:x", true],
  [{ kind: "ServiceAccount", serviceAccount: { namespace: "a", name: "x" } }, "system:serviceaccount:a:xy", false],
];

test("subjects", () => {
  for (const [subject, user, expected] of subjects) {
    const schema = spec({ subjects: [subject], resourceRules: [every] });
    assert.equal(matches(schema, ["GET", pods, user]), expected, `${JSON.stringify(subject)} ${user}`);
  }
});

const resources: readonly [rule: Partial<typeof every>, method: string, url: string, boolean][] = [
  [{}, "GET", pods, true],
  [{ verbs: ["list"] }, "GET", pods, true],
  [{ verbs: ["get"] }, "GET", pods, false],
  [{ apiGroups: [""] }, "GET", pods, true],
  [{ apiGroups: ["apps"] }, "GET", pods, false],
  [{ resources: ["pods"] }, "GET", `${pods}/x/log`, false],
  [{ resources: ["pods/log"] }, "GET", `${pods}/x/log`, true],
  [{ namespaces: ["b"] }, "GET", pods, false],
  [{ namespaces: ["b", "*"] }, "GET", pods, false],
  [{ clusterScope: false }, "GET", "/api/v1/pods", false],
  [{ namespaces: [] }, "GET", "/api/v1/nodes", true],
  [{ clusterScope: true, namespaces: [] }, "GET", pods, false],
];

test("resource rules", () => {
  for (const [rule, method, url, expected] of resources) {
    const schema = spec({ resourceRules: [{ ...every, ...rule }] });
    assert.equal(matches(schema, [method, url, "u"]), expected, `${JSON.stringify(rule)} ${url}`);
  }
});

const paths: readonly [pattern: string, path: string, boolean][] = [
  ["*", "/metrics", true],
  ["/metrics", "/metrics", true],
  ["/metrics", "/metrics/slis", true],
  ["/metrics", "/metricsx", false],
  ["/healthz/*", "/healthz/ping", true],
  ["/healthz/*", "/livez", false],
];

test("rules for paths", () => {
  for (const [pattern, path, expected] of paths) {
    const schema = spec({ nonResourceRules: [{ verbs: ["get"], nonResourceURLs: [pattern] }] });
    assert.equal(matches(schema, ["GET", path, "u"]), expected, `${pattern} ${path}`);
    assert.equal(matches(schema, ["POST", path, "u"]), false);
  }
  assert.equal(matches(spec({ resourceRules: [every] }), ["GET", "/metrics", "u"]), false);
});
