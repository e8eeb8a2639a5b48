import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api/core/v1/pod.ts";
import { countsUnder, missingRequests } from "./quota-targets.ts";

const pods = { group: "", plural: "pods" };
const claims = { group: "", plural: "persistentvolumeclaims" };
const deployments = { group: "apps", plural: "deployments" };

const rows = [
  [pods, "pods", true],
  [pods, "count/pods", true],
  [pods, "requests.cpu", true],
  [pods, "limits.memory", true],
  [pods, "requests.hugepages-2Mi", true],
  [pods, "requests.example.com/gpu", true],
  [pods, "services", false],
  [pods, "example.com/gpu", false],
  [claims, "requests.storage", true],
  [claims, "fast.storageclass.storage.k8s.io/requests.storage", true],
  [claims, "pods", false],
  [deployments, "count/deployments.apps", true],
  [deployments, "count/deployments", false],
  [deployments, "pods", false],
] as const;

for (const [target, name, expected] of rows) {
  test(`countsUnder: ${target.plural} ${expected ? "count" : "do not count"} under ${name}`, () => {
    assert.equal(countsUnder(target, name), expected);
  });
}

test("missingRequests names each resource with the containers that leave it out", () => {
  const pod = {
    spec: {
      containers: [{ name: "b", resources: { requests: { cpu: "1" } } }, { name: "a" }],
      initContainers: [{ name: "i", resources: { limits: { memory: "1" } } }],
    },
  } as unknown as Pod;
  const names = ["requests.cpu", "limits.memory", "pods"];
  assert.equal(missingRequests(pod, names), "limits.memory for: a,b; requests.cpu for: a,i");
  assert.equal(missingRequests(pod, ["pods"]), "");
});
