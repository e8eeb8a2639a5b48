import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DeviceClass, deviceClasses } from "#api/resource/v1/device-class.ts";
import { type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import type { DeviceRequest } from "#api/resource/v1/resource-claim-spec.ts";
import { type Device, type ResourceSlice, resourceSlices } from "#api/resource/v1/resource-slice.ts";
import { makeWorld, node, pod } from "../../testing/world.ts";

const driver = "gpu.example.com";

function slice(nodeName: string, devices: readonly Device[]): ResourceSlice {
  return {
    metadata: { name: `slice-${nodeName}` },
    spec: {
      driver,
      nodeName,
      pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
      devices: [...devices],
    },
  };
}

function claim(name: string, requests: readonly DeviceRequest[], constraints?: object[]): ResourceClaim {
  return {
    metadata: { name, namespace: "default", uid: `uid-${name}` },
    spec: { devices: { requests: [...requests], ...(constraints && { constraints }) } },
  } as ResourceClaim;
}

function gpus(expression = `device.driver == "${driver}"`) {
  const world = makeWorld();
  for (const name of ["a", "b"]) world.addNode(node(name));
  world.api.seed(deviceClasses, {
    metadata: { name: "gpu" },
    spec: { selectors: [{ cel: { expression } }] },
  } as DeviceClass);
  const claimOf = (name: string) => world.api.get(resourceClaims, `default/${name}`) as ResourceClaim;
  const devicesOf = (name: string) => claimOf(name).status?.allocation?.devices?.results?.map(({ device }) => device);
  return { world, claimOf, devicesOf };
}

const one: DeviceRequest = {
  name: "gpu",
  exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 1 },
};
const uses = (resourceClaimName: string) => ({
  resourceClaims: [{ name: "gpu", resourceClaimName }],
});

describe("DynamicResources", () => {
  it("takes the pod to a free device, and writes who has it", async () => {
    const { world, claimOf } = gpus();
    await using _ = world;
    world.api.seed(resourceSlices, slice("b", [{ name: "gpu-0" }]));
    world.api.seed(resourceClaims, claim("mine", [one]));
    world.addPod(pod("train", uses("mine")));
    await world.settle();
    assert.equal(world.nodeOf("train"), "b");
    const { metadata, status } = claimOf("mine");
    assert.deepEqual(metadata?.finalizers, ["resource.kubernetes.io/delete-protection"]);
    assert.deepEqual(status?.reservedFor, [{ resource: "pods", name: "train", uid: "uid-default-train" }]);
    assert.deepEqual(status?.allocation, {
      devices: { results: [{ request: "gpu", driver, pool: "b", device: "gpu-0" }] },
      nodeSelector: {
        nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["b"] }] }],
      },
    });
  });

  it("gives no device twice, and waits for one", async () => {
    const { world } = gpus();
    await using _ = world;
    world.api.seed(resourceSlices, slice("a", [{ name: "gpu-0" }]));
    for (const name of ["first", "second"]) {
      world.api.seed(resourceClaims, claim(name, [one]));
      world.addPod(pod(name, uses(name)));
    }
    await world.settle();
    assert.equal(world.nodeOf("first"), "a");
    assert.match(
      world.conditionOf("second", "PodScheduled").message,
      /^0\/2 nodes are available: 2 cannot allocate all claims\. still not schedulable, preemption:/,
    );
    world.api.seed(resourceSlices, slice("b", [{ name: "gpu-0" }]));
    await world.advance(1000);
    assert.equal(world.nodeOf("second"), "b");
  });

  it("selects by attributes and capacity", async () => {
    const { world, devicesOf } = gpus(
      `device.attributes["${driver}"].model == "big" && device.capacity["${driver}"].memory.compareTo(quantity("40Gi")) >= 0`,
    );
    await using _ = world;
    world.api.seed(
      resourceSlices,
      slice("a", [
        {
          name: "small",
          attributes: { model: { string: "small" } },
          capacity: { memory: { value: "80Gi" } },
        },
        {
          name: "short",
          attributes: { model: { string: "big" } },
          capacity: { memory: { value: "20Gi" } },
        },
        {
          name: "right",
          attributes: { model: { string: "big" } },
          capacity: { memory: { value: "80Gi" } },
        },
      ]),
    );
    world.api.seed(resourceClaims, claim("mine", [one]));
    world.addPod(pod("train", uses("mine")));
    await world.settle();
    assert.deepEqual(devicesOf("mine"), ["right"]);
  });

  it("goes back when a constraint does not hold, and takes alternatives in order", async () => {
    const { world, devicesOf } = gpus();
    await using _ = world;
    const on = (board: string) => ({ board: { string: board } });
    world.api.seed(
      resourceSlices,
      slice("a", [
        { name: "x1", attributes: on("x") },
        { name: "y1", attributes: on("y") },
        { name: "y2", attributes: on("y") },
      ]),
    );
    const pair: DeviceRequest = {
      name: "pair",
      exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 2 },
    };
    world.api.seed(resourceClaims, claim("pair", [pair], [{ matchAttribute: `${driver}/board` }]));
    world.addPod(pod("pair", uses("pair")));
    await world.settle();
    assert.deepEqual(devicesOf("pair"), ["y1", "y2"]);
    const either: DeviceRequest = {
      name: "some",
      firstAvailable: [
        { name: "two", deviceClassName: "gpu", allocationMode: "ExactCount", count: 2 },
        { name: "one", deviceClassName: "gpu", allocationMode: "ExactCount", count: 1 },
      ],
    };
    world.api.seed(resourceClaims, claim("either", [either]));
    world.addPod(pod("either", uses("either")));
    await world.settle();
    assert.deepEqual(devicesOf("either"), ["x1"]);
  });

  it("holds a pod back until its claim is there", async () => {
    const { world } = gpus();
    await using _ = world;
    world.api.seed(resourceSlices, slice("a", [{ name: "gpu-0" }]));
    world.addPod(pod("train", uses("later")));
    await world.settle();
    assert.equal(world.scheduler.queue.counts.gated, 1);
    world.api.seed(resourceClaims, claim("later", [one]));
    await world.settle();
    assert.equal(world.nodeOf("train"), "a");
  });

  it("shares a device by its capacity, in the portions that it comes in", async () => {
    const { world, claimOf } = gpus();
    await using _ = world;
    const memory = { value: "8Gi", requestPolicy: { default: "1Gi", validRange: { min: "1Gi", step: "1Gi", max: "6Gi" } } };
    world.api.seed(resourceSlices, slice("a", [{ name: "shared", allowMultipleAllocations: true, capacity: { memory } }]));
    const asking = (memory?: string): DeviceRequest => ({
      name: "gpu",
      exactly: {
        deviceClassName: "gpu",
        allocationMode: "ExactCount",
        count: 1,
        ...(memory !== undefined && { capacity: { requests: { memory } } }),
      },
    });
    const requests = { first: "2500Mi", second: "4Gi", third: undefined, fourth: "512Mi", huge: "7Gi", other: "1Gi" };
    for (const [name, wanted] of Object.entries(requests)) {
      world.api.seed(resourceClaims, claim(name, [asking(wanted)]));
      world.addPod(pod(name, uses(name)));
      await world.settle();
    }
    const consumed = Object.keys(requests).map((name) => claimOf(name).status?.allocation?.devices?.results?.[0]?.consumedCapacity?.["memory"]);
    // 3 + 4 + 1 are all there is.
    assert.deepEqual(consumed, ["3Gi", "4Gi", "1Gi", undefined, undefined, undefined]);
    const ids = ["first", "second"].map((name) => claimOf(name).status?.allocation?.devices?.results?.[0]?.shareID);
    assert.ok(ids[0] !== undefined && ids[0] !== ids[1]);
    world.api.remove(resourceClaims, "default/second");
    await world.advance(2000);
    assert.equal(world.nodeOf("fourth"), "a");
    assert.equal(world.nodeOf("huge"), undefined);
  });

  it("binds the pod when its device is ready, and gives back one that fails", async () => {
    const { world, claimOf } = gpus();
    await using _ = world;
    const device = { name: "gpu-0", bindingConditions: ["Attached"], bindingFailureConditions: ["Broken"], bindsToNode: true };
    world.api.seed(resourceSlices, { ...slice("a", [device]), metadata: { name: "fabric" } });
    world.api.seed(resourceClaims, claim("mine", [one]));
    world.addPod(pod("train", uses("mine")));
    await world.settle();
    assert.deepEqual(claimOf("mine").status?.reservedFor?.map(({ name }) => name), ["train"]);
    assert.equal(world.nodeOf("train"), undefined);
    const say = (type: string): void => {
      const now = claimOf("mine");
      const condition = { type, status: "True", reason: "Fabric", message: "m", lastTransitionTime: "2026-01-01T00:00:00Z" };
      const devices = [{ driver, pool: "a", device: "gpu-0", conditions: [condition] }];
      world.api.seed(resourceClaims, { ...now, status: { ...now.status, devices } });
    };
    say("Broken");
    await world.settle();
    assert.match(
      world.conditionOf("train", "PodScheduled").message,
      /running PreBind plugin "DynamicResources": claim mine binding failed: reason=Fabric, message="m"/,
    );
    // Given back, and taken again.
    await world.advance(10_000);
    const again = claimOf("mine");
    assert.deepEqual(again.status?.reservedFor?.map(({ name }) => name), ["train"]);
    say("Attached");
    await world.settle();
    assert.equal(world.nodeOf("train"), "a");
  });
});
