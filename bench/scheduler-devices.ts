/** Devices for the workloads of scheduler_perf: a driver that is not, and claims allocated beforehand. */
import { nodes } from "#api/core/v1/node.ts";
import { deviceClasses } from "#api/resource/v1/device-class.ts";
import { resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { resourceSlices } from "#api/resource/v1/resource-slice.ts";
import { systemRandom } from "#base/os/random.ts";
import type { Client } from "#client/client.ts";
import { createNodeInfo, setNode } from "#scheduler/node-info.ts";
import { allocate, type AnyRequest } from "#scheduler/plugins/dynamic-resources/allocator.ts";
import { inventoryOf, type PublishedDevice } from "#scheduler/plugins/dynamic-resources/devices.ts";
import { allocationOf } from "#scheduler/plugins/dynamic-resources/result.ts";
import { selectorMatches } from "#scheduler/plugins/dynamic-resources/selector.ts";

/** A slice with as many devices for each node whose name matches. Source: scheduler_perf/dra.go. */
export async function createResourceDriver(
  client: Client,
  spec: { readonly driver: string; readonly nodePattern: string; readonly devicesPerNode: number },
): Promise<void> {
  const { driver, nodePattern, devicesPerNode } = spec;
  const pattern = new RegExp(`^${nodePattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
  const { items } = await client.resource(nodes).list();
  for (const { metadata } of items) {
    const nodeName = metadata?.name ?? "";
    if (!pattern.test(nodeName)) continue;
    const devices = Array.from({ length: devicesPerNode }, (_, i) => ({
      name: `instance-${i}`,
      attributes: {
        model: { string: "A100" },
        family: { string: "GPU" },
        driverVersion: { version: "1.2.3" },
        dra_example_attribute: { bool: true },
      },
      capacity: { memory: { value: "1Gi" } },
    }));
    const pool = { name: nodeName, generation: 1, resourceSliceCount: 1 };
    await client
      .resource(resourceSlices)
      .create({ metadata: { name: nodeName }, spec: { driver, nodeName, pool, devices } });
  }
}

/** Gives every claim of a namespace its devices, as if there were Pods. */
export async function allocateClaims(client: Client, namespace: string): Promise<void> {
  const resource = client.resource(resourceClaims);
  const [{ items: claims }, { items: slices }, { items: classes }, { items: all }] = await Promise.all([
    resource.list({ namespace }),
    client.resource(resourceSlices).list(),
    client.resource(deviceClasses).list(),
    client.resource(nodes).list(),
  ]);
  const classOf = (name: string) => classes.find(({ metadata }) => metadata?.name === name);
  const inventory = inventoryOf(slices);
  const taken = new Set<string>();
  const selects = (request: AnyRequest, device: PublishedDevice): boolean =>
    [...(classOf(request.deviceClassName)?.spec.selectors ?? []), ...(request.selectors ?? [])].every(
      ({ cel }) => cel === undefined || selectorMatches(cel.expression, device),
    );
  const places = all.map((node, index) => {
    const info = createNodeInfo(index, node.metadata?.name ?? "");
    setNode(info, node);
    return info;
  });
  for (const claim of claims) {
    for (const place of places) {
      const picks = allocate([claim], inventory.on(place), { inventory, taken, selects });
      if (picks === undefined) continue;
      for (const { device } of picks) taken.add(device.id);
      await resource.updateStatus({ ...claim, status: { allocation: allocationOf(claim, picks, { classOf, newShareId: () => systemRandom.uuid(), nodeName: place.name }) } });
      break;
    }
  }
}
