import type { CrossVersionObjectReference } from "#api/autoscaling/v2/metric.ts";
import type { Scale } from "#api/autoscaling/v1/scale.ts";
import { parseApiVersion } from "#apimachinery/object.ts";
import type { Client, ResourceTarget } from "#client/client.ts";
import { type DiscoveredResource, discover } from "#client/discovery.ts";

/** Known without asking. */
const workloads: readonly ResourceTarget[] = [
  { group: "apps", version: "v1", kind: "Deployment", plural: "deployments", scope: "Namespaced" },
  { group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets", scope: "Namespaced" },
  { group: "apps", version: "v1", kind: "StatefulSet", plural: "statefulsets", scope: "Namespaced" },
  { group: "", version: "v1", kind: "ReplicationController", plural: "replicationcontrollers", scope: "Namespaced" },
];

/** The resource of a kind; custom ones are looked up by discovery. Throws when there is none. */
export async function resolveKind(client: Client, reference: CrossVersionObjectReference): Promise<ResourceTarget> {
  const { group } = parseApiVersion(reference.apiVersion ?? "v1");
  const isMeant = (target: ResourceTarget | DiscoveredResource): boolean => target.group === group && target.kind === reference.kind;
  const found = workloads.find(isMeant) ?? (await discover(client)).resources.find(isMeant);
  if (found === undefined) {
    const { version } = parseApiVersion(reference.apiVersion ?? "v1");
    throw new Error(`no matches for kind "${reference.kind}" in group "${group}", version "${version}"`);
  }
  return found;
}

export async function readScale(client: Client, target: ResourceTarget, key: string): Promise<Scale> {
  return await client.dynamic(target).getSubresource<Scale>({ key, name: "scale" });
}

export async function writeScale(
  client: Client,
  target: ResourceTarget,
  spec: { readonly key: string; readonly scale: Scale; readonly replicas: number },
): Promise<void> {
  const { key, scale, replicas } = spec;
  const body = { ...scale, apiVersion: "autoscaling/v1", kind: "Scale", spec: { ...scale.spec, replicas } };
  await client.dynamic(target).updateSubresource({ key, name: "scale", body });
}
