import assert from "node:assert/strict";
import { pods } from "#api/core/v1/pod.ts";
import { deviceClasses } from "#api/resource/v1/device-class.ts";
import { resourceClaimTemplates } from "#api/resource/v1/resource-claim-template.ts";
import { resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { resourceSlices } from "#api/resource/v1/resource-slice.ts";
import { area, scenario, type SchedulingWorld } from "./scheduling-world.ts";

/** A class, and two of its devices on one node. */
async function offerDevices({ client, unique, nodeNames }: SchedulingWorld): Promise<{ className: string; resource: string; nodeName: string }> {
  const [nodeName = ""] = nodeNames;
  const driver = `${unique}.example.com`;
  const resource = `${unique}.example.com/gpu`;
  const selectors = [{ cel: { expression: `device.driver == "${driver}"` } }];
  await client.resource(deviceClasses).create({ metadata: { name: unique }, spec: { selectors, extendedResourceName: resource } });
  const pool = { name: nodeName, generation: 1, resourceSliceCount: 1 };
  const devices = [{ name: "gpu-0" }, { name: "gpu-1" }];
  await client.resource(resourceSlices).create({ metadata: { name: unique }, spec: { driver, nodeName, pool, devices } });
  return { className: unique, resource, nodeName };
}

area("devices, with the rights that the scheduler has", () => {
  scenario("a Pod gets what its claim template asks for, and others get it when it is gone", async (world) => {
    const { client, namespace } = world;
    const { className, nodeName } = await offerDevices(world);
    const exactly = { deviceClassName: className, allocationMode: "ExactCount", count: 2 };
    const spec = { metadata: {}, spec: { devices: { requests: [{ name: "gpu", exactly }] } } };
    await client.resource(resourceClaimTemplates).create({ metadata: { name: "two", namespace }, spec });
    const resourceClaimsOfPod = [{ name: "gpu", resourceClaimTemplateName: "two" }];
    await world.createPod("first", { resourceClaims: resourceClaimsOfPod });
    assert.equal((await world.running("first")).spec.nodeName, nodeName);
    await world.createPod("second", { resourceClaims: resourceClaimsOfPod });
    assert.match((await world.failed("second")).note ?? "", /^0\/3 nodes are available: 3 cannot allocate all claims\./);
    await client.resource(pods).delete(`${namespace}/first`, { gracePeriodSeconds: 0 });
    assert.equal((await world.running("second")).spec.nodeName, nodeName);
  });

  scenario("a Pod gets an extended resource from a class", async (world) => {
    const { client, namespace } = world;
    const { resource, nodeName } = await offerDevices(world);
    await world.createPod("train", { requests: { [resource]: "1" } });
    const { spec, status } = await world.running("train");
    assert.equal(spec.nodeName, nodeName);
    const claimName = status?.extendedResourceClaimStatus?.resourceClaimName ?? "";
    const claim = await client.resource(resourceClaims).get(`${namespace}/${claimName}`);
    assert.equal(claim.status?.allocation?.devices?.results?.length, 1);
    assert.deepEqual(claim.status?.reservedFor?.map(({ name }) => name), ["train"]);
  });
});
