import { endpoints } from "#api/core/v1/endpoints.ts";
import { services } from "#api/core/v1/service.ts";
import { endpointSlices } from "#api/discovery/v1/endpoint-slice.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { ignoreNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";

export interface ServerAddress {
  /** Of the Service: the first of the range. */
  readonly clusterAddress: string;
  /** Where the server really listens. */
  readonly address: string;
  readonly port: number;
}

const key = "default/kubernetes";

/**
 * The Service `kubernetes`, by which pods find the API server, and its endpoints.
 * Source: pkg/controlplane/controller/kubernetesservice.
 */
export async function ensureKubernetesService(client: Client, at: ServerAddress): Promise<void> {
  const metadata = { name: "kubernetes", namespace: "default" };
  await ensure(client, services as ResourceDefinition, {
    metadata: { ...metadata, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: at.port }],
      clusterIP: at.clusterAddress,
      type: "ClusterIP",
      sessionAffinity: "None",
      ipFamilyPolicy: "SingleStack",
    },
  });
  // No endpoint may be a loopback address: then pods have no way to the server anyhow.
  if (at.address.startsWith("127.")) return;
  const port = { name: "https", port: at.port, protocol: "TCP" };
  await ensure(client, endpoints as ResourceDefinition, {
    metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip: at.address }], ports: [port] }],
  });
  await ensure(client, endpointSlices as ResourceDefinition, {
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [at.address], conditions: { ready: true } }],
    ports: [port],
  });
}

/** Makes the object, or brings the fields that matter up to date after a change of address. */
async function ensure(client: Client, definition: ResourceDefinition, wanted: KubeObject & Record<string, unknown>): Promise<void> {
  const resource = client.resource(definition);
  const found = await ignoreNotFound(resource.get(key));
  if (found === undefined) {
    await resource.create(wanted);
    return;
  }
  if (definition.kind === "Service") return;
  const updated = { ...found, ...wanted, metadata: found.metadata ?? {} };
  if (!deepEqual(updated, found)) await resource.update(updated);
}
