import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#apimachinery/status.ts";
import { type Attributes, noOpinion } from "../authorization/authorizer.ts";
import type { User } from "../call.ts";
import { createImpersonator, type Impersonated } from "./impersonation.ts";

const agent: User = {
  name: "system:serviceaccount:kube-system:agent",
  uid: "",
  groups: [],
  extra: { "authentication.kubernetes.io/node-name": ["n1"] },
};

const listPods: Attributes = {
  user: agent, verb: "list", isResource: true, namespace: "a", group: "", version: "v1",
  resource: "pods", subresource: "", name: "", path: "",
};

type Headers = Readonly<Record<string, readonly string[]>>;

/** Acts as an agent that holds `granted`, each `VERB RESOURCE NAME`. */
async function ask(headers: Headers, granted: readonly string[], constrained = true): Promise<User> {
  return (await impersonated(headers, granted, constrained))?.user ?? agent;
}

function impersonated(headers: Headers, granted: readonly string[], constrained = true): Promise<Impersonated | undefined> {
  const authorizer = {
    authorize: ({ verb, resource, name }: Attributes) =>
      granted.includes(`${verb} ${resource} ${name}`.trim()) ? { verdict: "allow", reason: "" } as const : noOpinion,
  };
  const impersonate = createImpersonator(authorizer, { enabled: () => constrained });
  return impersonate({
    attributes: listPods,
    exchange: {
      headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.join(", ")])),
      headerValues: (name) => headers[name] ?? [],
    },
  });
}

test("without headers the sender acts", async () => {
  assert.equal(await impersonated({}, []), undefined);
});

test("it is told by which mode one acts as another", async () => {
  const headers = { "impersonate-user": ["bob"] };
  const narrow = await impersonated(headers, ["impersonate:user-info users bob", "impersonate-on:user-info:list pods"]);
  assert.equal(narrow?.constraint, "impersonate:user-info");
  assert.equal((await impersonated(headers, ["impersonate users bob"]))?.constraint, "");
});

test("fields without a name are refused", async () => {
  const error = await ask({ "impersonate-group": ["g"] }, []).catch((reason: unknown) => reason);
  assert.ok(error instanceof StatusError);
  assert.match(error.message, /^requested &user\.DefaultInfo\{Name:"", UID:"", Groups:\[\]string\{"g"\}/);
});

const cases: readonly [string, Headers, readonly string[], readonly string[]][] = [
  ["a user by the old verb", { "impersonate-user": ["bob"] }, ["impersonate users bob"], ["system:authenticated"]],
  [
    "a user by the narrow verbs",
    { "impersonate-user": ["bob"] },
    ["impersonate-on:user-info:list pods", "impersonate:user-info users bob"],
    ["system:authenticated"],
  ],
  [
    "the node that the account runs on",
    { "impersonate-user": ["system:node:n1"] },
    ["impersonate-on:associated-node:list pods", "impersonate:associated-node nodes *"],
    ["system:nodes", "system:authenticated"],
  ],
  [
    "a service account",
    { "impersonate-user": ["system:serviceaccount:a:b"] },
    ["impersonate-on:serviceaccount:list pods", "impersonate:serviceaccount serviceaccounts b"],
    ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"],
  ],
];

for (const [what, headers, granted, groups] of cases) {
  test(`${what} is acted as`, async () => {
    const user = await ask(headers, granted);
    assert.equal(user.name, headers["impersonate-user"]?.[0]);
    assert.deepEqual(user.groups, groups);
  });
}

const refused: readonly [string, Headers, readonly string[]][] = [
  ["another node", { "impersonate-user": ["system:node:n2"] }, ["impersonate-on:associated-node:list pods", "impersonate:associated-node nodes *"]],
  [
    "administrators by the narrow verbs",
    { "impersonate-user": ["bob"], "impersonate-group": ["system:masters"] },
    ["impersonate-on:user-info:list pods", "impersonate:user-info users bob", "impersonate:user-info groups system:masters"],
  ],
  ["whom nobody granted", { "impersonate-user": ["bob"] }, []],
];

for (const [what, headers, granted] of refused) {
  test(`${what} is refused`, async () => {
    await assert.rejects(ask(headers, granted), (error) => error instanceof StatusError && error.status.code === 403);
  });
}

test("the mode that last allowed a sender is tried first", async () => {
  const admin: Attributes = { ...listPods, user: { ...agent, name: "admin" } };
  const impersonate = createImpersonator({ authorize: () => ({ verdict: "allow", reason: "" }) }, { enabled: () => true });
  const groupsOf = async (headers: Headers): Promise<readonly string[]> => {
    const named = Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.join(", ")]));
    const user = await impersonate({ attributes: admin, exchange: { headers: named, headerValues: (name) => headers[name] ?? [] } });
    return user?.user.groups ?? [];
  };
  const node = { "impersonate-user": ["system:node:n"] };
  assert.deepEqual(await groupsOf(node), ["system:nodes", "system:authenticated"]);
  // Only the old verb allows administrators; a node that is impersonated by it has no group of its own.
  await groupsOf({ "impersonate-user": ["bob"], "impersonate-group": ["system:masters"] });
  assert.deepEqual(await groupsOf(node), ["system:authenticated"]);
});
