import assert from "node:assert/strict";
import { test } from "node:test";
import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Call } from "../call.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { adminAccessHooks, claimRequests, templateRequests } from "./admin-access.ts";

const labels: Readonly<Record<string, Record<string, string>>> = {
  marked: { "resource.kubernetes.io/admin-access": "true" },
  plain: {},
};
const namespaces = { get: (_: string, name: string) => ({ metadata: { name, labels: labels[name] } }) } as unknown as LiveSet<Namespace>;
const call = { definition: { group: "resource.k8s.io", kind: "ResourceClaim" } } as unknown as Call;

test("admin access is refused outside of marked namespaces", async () => {
  const spec = (adminAccess: boolean): object => ({ devices: { requests: [{ name: "a" }, { name: "b", exactly: { adminAccess } }] } });
  const create = (namespace: string, adminAccess: boolean): unknown =>
    adminAccessHooks(namespaces, claimRequests).beginCreate?.({ metadata: { name: "c", namespace }, spec: spec(adminAccess) } as object, call);
  await create("marked", true);
  await create("plain", false);
  assert.throws(() => create("plain", true), /spec\.devices\.requests\[1\]\.adminAccess: Forbidden: admin access to devices requires the/);
  const template = { metadata: { name: "t", namespace: "plain" }, spec: { spec: spec(true) } };
  assert.throws(() => adminAccessHooks(namespaces, templateRequests).beginCreate?.(template as object, call), /admin access/);
});
