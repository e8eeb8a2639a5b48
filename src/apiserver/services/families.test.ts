import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#api/core/v1/service.ts";
import { initFamilies } from "./families.ts";

function service(spec: Partial<Service["spec"]>): Service {
  return { metadata: { name: "s" }, spec: { type: "ClusterIP", ...spec } };
}

test("a Service gets the family of the cluster", () => {
  const plain = service({ selector: { a: "b" } });
  assert.deepEqual(initFamilies(plain, undefined), []);
  assert.equal(plain.spec.ipFamilyPolicy, "SingleStack");
  assert.deepEqual(plain.spec.ipFamilies, ["IPv4"]);
});

test("a headless Service without selector has both", () => {
  const headless = service({ clusterIP: "None" });
  assert.deepEqual(initFamilies(headless, undefined), []);
  assert.equal(headless.spec.ipFamilyPolicy, "RequireDualStack");
  assert.deepEqual(headless.spec.ipFamilies, ["IPv4", "IPv6"]);
});

test("an external name has none", () => {
  const external = service({ type: "ExternalName", externalName: "example.com" });
  assert.deepEqual(initFamilies(external, undefined), []);
  assert.equal(external.spec.ipFamilies, undefined);
});

test("a family the cluster does not have is refused", () => {
  const [fault] = initFamilies(service({ ipFamilies: ["IPv6"] }), undefined);
  assert.equal(fault?.field, "spec.ipFamilies[0]");
  const [dual] = initFamilies(service({ ipFamilyPolicy: "RequireDualStack" }), undefined);
  assert.equal(dual?.field, "spec.ipFamilyPolicy");
});
