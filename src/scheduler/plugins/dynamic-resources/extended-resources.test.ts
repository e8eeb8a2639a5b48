import assert from "node:assert/strict";
import { it } from "node:test";
import { type DeviceClass, deviceClasses } from "#api/resource/v1/device-class.ts";
import { type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { resourceSlices } from "#api/resource/v1/resource-slice.ts";
import { makeWorld, node, pod } from "../../testing/world.ts";

const resource = "example.com/gpu";

function gpus(features: readonly string[]) {
  const world = makeWorld({ features });
  world.addNode(node("a"));
  world.addNode(node("b"));
  world.api.seed(deviceClasses, { metadata: { name: "gpu" }, spec: { extendedResourceName: resource } } as DeviceClass);
  const devices = [{ name: "gpu-0" }, { name: "gpu-1" }];
  const pool = { name: "b", generation: 1, resourceSliceCount: 1 };
  world.api.seed(resourceSlices, { metadata: { name: "s" }, spec: { driver: "d", nodeName: "b", pool, devices } });
  return world;
}

const asks = (count: string) => ({ requests: { [resource]: count } });

it("an extended resource of a class comes from a claim of the pod's own", async () => {
  await using world = gpus(["DRAExtendedResource"]);
  world.addPod(pod("train", asks("2")));
  await world.settle();
  assert.equal(world.nodeOf("train"), "b");
  const [claim] = world.api.list(resourceClaims) as ResourceClaim[];
  assert.match(claim?.metadata?.name ?? "", /^train-extended-resources-/);
  assert.equal(claim?.metadata?.annotations?.["resource.kubernetes.io/extended-resource-claim"], "true");
  assert.deepEqual(claim?.metadata?.ownerReferences?.map(({ uid, controller }) => [uid, controller]), [["uid-default-train", true]]);
  const exactly = { deviceClassName: "gpu", allocationMode: "ExactCount", count: 2 };
  assert.deepEqual(claim?.spec.devices?.requests, [{ name: "container-0-request-0", exactly }]);
  assert.deepEqual(claim?.status?.allocation?.devices?.results?.map(({ device }) => device), ["gpu-0", "gpu-1"]);
  assert.deepEqual(claim?.status?.reservedFor?.map(({ name }) => name), ["train"]);
  assert.deepEqual(world.podOf("train")?.status?.extendedResourceClaimStatus, {
    resourceClaimName: claim?.metadata?.name,
    requestMappings: [{ containerName: "main", resourceName: resource, requestName: "container-0-request-0" }],
  });
  world.addPod(pod("more", asks("1")));
  await world.settle();
  assert.match(world.conditionOf("more", "PodScheduled").message, /^0\/2 nodes are available: 2 cannot allocate all claims\./);
});

it("a node's device plugin comes before the class", async () => {
  await using world = gpus(["DRAExtendedResource"]);
  world.addNode(node("a", { extended: { [resource]: "1" } }));
  world.addPod(pod("train", { ...asks("1"), nodeSelector: { "kubernetes.io/hostname": "a" } }));
  await world.settle();
  assert.equal(world.nodeOf("train"), "a");
  assert.deepEqual(world.api.list(resourceClaims), []);
});

it("without its gate only device plugins count", async () => {
  await using world = gpus([]);
  world.addPod(pod("train", asks("1")));
  await world.settle();
  assert.match(world.conditionOf("train", "PodScheduled").message, /^0\/2 nodes are available: 2 Insufficient example\.com\/gpu\./);
});
