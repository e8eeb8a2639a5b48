import assert from "node:assert/strict";
import { test } from "node:test";
import { pods } from "#api/core/v1/pod.ts";
import { resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { resourceClaimTemplates } from "#api/resource/v1/resource-claim-template.ts";
import { startControllerWorld } from "#testing/controller-world.ts";
import { resourceClaimController } from "./controller.ts";

const spec = { devices: { requests: [{ name: "r", exactly: { deviceClassName: "gpu" } }] } };
const finalizers = ["resource.kubernetes.io/delete-protection"];

function podOf(name: string) {
  return {
    metadata: { namespace: "a", name },
    spec: { containers: [], nodeName: "n", resourceClaims: [{ name: "gpu", resourceClaimTemplateName: "t" }] },
    status: { phase: "Running" },
  };
}

test("a Pod waits for its template, gets a claim, and leaves it when it is done", async () => {
  const world = startControllerWorld([resourceClaimController]);
  const pod = world.seed(pods, podOf("p"));
  await world.settle();
  assert.match(world.events()[0] ?? "", /^FailedResourceClaimCreation: PodResourceClaim gpu: resource claim template "t"/);
  world.seed(resourceClaimTemplates, { metadata: { namespace: "a", name: "t" }, spec: { metadata: { labels: { x: "y" } }, spec } });
  await world.settle();
  const [claim, ...others] = world.list(resourceClaims);
  assert.ok(claim !== undefined && others.length === 0);
  assert.match(claim.metadata.name ?? "", /^p-gpu-/);
  assert.deepEqual(claim.metadata.labels, { x: "y" });
  assert.deepEqual(world.get(pods, "a/p")?.status?.resourceClaimStatuses, [{ name: "gpu", resourceClaimName: claim.metadata.name }]);
  const reservedFor = [{ resource: "pods", name: "p", uid: pod.metadata.uid ?? "" }];
  world.seed(resourceClaims, { ...claim, metadata: { ...claim.metadata, finalizers }, status: { allocation: {}, reservedFor } });
  await world.settle();
  assert.deepEqual(world.list(resourceClaims)[0]?.status?.reservedFor, reservedFor);
  const running = world.get(pods, "a/p") ?? pod;
  world.seed(pods, { ...running, status: { ...running.status, phase: "Succeeded" } });
  await world.settle();
  assert.deepEqual(world.list(resourceClaims), []);
});

test("a user's own claim is freed, and stays", async () => {
  const world = startControllerWorld([resourceClaimController]);
  const reservedFor = [{ resource: "pods", name: "gone", uid: "u" }];
  world.seed(resourceClaims, {
    metadata: { namespace: "a", name: "c", finalizers },
    spec,
    status: { allocation: {}, reservedFor },
  });
  await world.settle();
  const claim = world.get(resourceClaims, "a/c");
  assert.deepEqual([claim?.metadata.finalizers, claim?.status], [[], {}]);
});

test("a claim that the scheduler is about to allocate is left alone", async () => {
  const world = startControllerWorld([resourceClaimController]);
  world.seed(resourceClaims, { metadata: { namespace: "a", name: "c", finalizers }, spec });
  await world.settle();
  assert.deepEqual(world.get(resourceClaims, "a/c")?.metadata.finalizers, finalizers);
});
