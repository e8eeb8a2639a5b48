import assert from "node:assert/strict";
import type { Status } from "#apimachinery/status.ts";
import { at, type Api } from "./api.ts";
import { change } from "./operations.ts";
import { area, scenario } from "./scenario.ts";

area("[sig-auth] ServiceAccounts", () => {
  scenario("should update a ServiceAccount", async ({ own, unique }) => {
    const accounts = own("v1", "serviceaccounts");
    const name = `e2e-sa-${unique}`;
    const created = await accounts.create({ metadata: { name }, automountServiceAccountToken: false });
    assert.equal(created["automountServiceAccountToken"], false);
    const updated = await change(accounts, name, { automountServiceAccountToken: true });
    assert.equal(updated["automountServiceAccountToken"], true);
  });

  scenario("should create a serviceAccountToken and ensure a successful TokenReview", async ({ own, all, namespace, unique }) => {
    const accounts = own("v1", "serviceaccounts");
    const name = `e2e-sa-${unique}`;
    const account = await accounts.create({ metadata: { name } });
    const request = { kind: "TokenRequest", apiVersion: "authentication.k8s.io/v1", metadata: {}, spec: {} };
    const { status } = await accounts.post(name, "token", request);
    const token = at(status, "token");
    assert.ok(typeof token === "string" && token !== "");
    const review = await all("authentication.k8s.io/v1", "tokenreviews").create({ metadata: { name: "tokenreview" }, spec: { token } });
    assert.equal(at(review, "status", "error"), undefined);
    assert.equal(at(review, "status", "authenticated"), true);
    assert.equal(at(review, "status", "user", "username"), `system:serviceaccount:${namespace}:${name}`);
    assert.equal(at(review, "status", "user", "uid"), account.metadata.uid);
  });
});

/** Whether a list of ConfigMaps is granted to whom the headers impersonate. */
async function mayList(api: Api, namespace: string, headers: Record<string, string | string[]>): Promise<boolean> {
  const { code, body } = await api.ask("GET", `/api/v1/namespaces/${namespace}/configmaps`, { headers });
  if (code !== 200) assert.equal((body as Status).reason, "Forbidden");
  return code === 200;
}

area("[sig-auth] SubjectReview", () => {
  scenario("should support SubjectReview API operations", async ({ api, own, all, namespace }) => {
    const account = await own("v1", "serviceaccounts").create({ metadata: { name: "e2e" } });
    const user = `system:serviceaccount:${namespace}:e2e`;
    const groups = ["system:authenticated", "system:serviceaccounts", `system:serviceaccounts:${namespace}`];
    const uid = account.metadata.uid ?? "";
    const resourceAttributes = { verb: "list", resource: "configmaps", namespace, version: "v1" };
    const headers = { "impersonate-user": user, "impersonate-uid": uid, "impersonate-group": groups };
    const reviews = all("authorization.k8s.io/v1", "subjectaccessreviews");
    const local = own("authorization.k8s.io/v1", "localsubjectaccessreviews");
    const check = async (expected: boolean): Promise<void> => {
      assert.equal(await mayList(api, namespace, headers), expected);
      const review = await reviews.create({ metadata: {}, spec: { resourceAttributes, user, groups, uid } });
      assert.equal(at(review, "status", "allowed"), expected);
      const localReview = await local.create({ metadata: { namespace }, spec: { resourceAttributes, user: "e2e", groups, uid } });
      assert.equal(at(localReview, "status", "allowed"), expected);
    };
    await check(false);
    const rbac = "rbac.authorization.k8s.io";
    const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }];
    await own(`${rbac}/v1`, "roles").create({ metadata: { name: "lister" }, rules });
    await own(`${rbac}/v1`, "rolebindings").create({
      metadata: { name: "lister" },
      roleRef: { apiGroup: rbac, kind: "Role", name: "lister" },
      subjects: [{ apiGroup: rbac, kind: "Group", name: `system:serviceaccounts:${namespace}` }],
    });
    await check(true);
  });
});
