import assert from "node:assert/strict";
import { test } from "node:test";
import { servedKinds } from "./runtime-config.ts";

const kinds = ["/v1/pods", "apps/v1/deployments", "batch/v1beta1/cronjobs", "batch/v1beta1/jobs", "flow/v1alpha1/schemas"].map((text) => {
  const [group = "", version = "", plural = ""] = text.split("/");
  return { group, version, plural };
});

const cases: readonly (readonly [config: string, served: string])[] = [
  ["", "pods deployments"],
  ["api/all=true", "pods deployments cronjobs jobs schemas"],
  ["api/all=true,api/alpha=false", "pods deployments cronjobs jobs"],
  ["api/beta=true", "pods deployments cronjobs jobs"],
  ["api/all=false,api/v1=true", "pods"],
  ["batch/v1beta1", "pods deployments cronjobs jobs"],
  ["batch/v1beta1/jobs=true", "pods deployments jobs"],
  ["batch/v1beta1=true,batch/v1beta1/jobs=false", "pods deployments cronjobs"],
  ["apps/v1=false,api/ga=true", "pods"],
];

for (const [config, served] of cases) {
  test(`--runtime-config=${config}`, () => {
    const isServed = servedKinds(config, kinds);
    assert.equal(kinds.filter(isServed).map(({ plural }) => plural).join(" "), served);
  });
}

const errors: readonly (readonly [config: string, message: string])[] = [
  ["api/all=false", "invalid runtime-config with only api/all=false"],
  ["api/beta=maybe", "invalid value api/beta=maybe"],
  ["apps/v1=maybe", 'invalid value of apps/v1: maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax'],
  ["nothing/v1=true,none/v1=true", "unknown api groups none/v1,nothing/v1"],
  ["apps/v2=true", "group version apps/v2 that has not been registered"],
  ["apps/v1/Deployments=true", 'invalid key apps/v1/Deployments: group/version/resource and resource is always lowercase plural, not "Deployments"'],
];

for (const [config, message] of errors) {
  test(`--runtime-config=${config} is refused`, () => {
    assert.throws(() => servedKinds(config, kinds), { message });
  });
}
