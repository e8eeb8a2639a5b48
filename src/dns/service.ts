import { type EndpointSlice, endpointSlices, serviceNameLabel } from "#api/discovery/v1/endpoint-slice.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { ignoreAlreadyExists, ignoreNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import { dnsService } from "./zone.ts";

export interface DnsPublication {
  /** Of the Service; pods have it in their resolv.conf. */
  readonly clusterAddress: string;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly port: number;
}

const { namespace, name } = dnsService;

/** Makes the Service `kube-dns` and puts this node's resolver among its endpoints. */
export async function publishDns(client: Client, at: DnsPublication): Promise<void> {
  const ports = [
    { name: "dns", port: 53, protocol: "UDP", targetPort: at.port },
    { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: at.port },
  ];
  const service = {
    metadata: {
      name,
      namespace,
      labels: { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
    },
    spec: { clusterIP: at.clusterAddress, ports },
  };
  const present = await ignoreNotFound(client.resource(services).get(`${namespace}/${name}`));
  if (present === undefined) {
    await ignoreAlreadyExists(client.resource(services).create(service as Service));
  }
  await publishSlice(client, at);
}

async function publishSlice(client: Client, at: DnsPublication): Promise<void> {
  const slices = client.resource(endpointSlices);
  const sliceName = `${name}-${at.nodeName}`;
  const wanted: EndpointSlice = {
    metadata: {
      name: sliceName,
      namespace,
      labels: {
        [serviceNameLabel]: name,
        "endpointslice.kubernetes.io/managed-by": "dns.kubets",
      },
    },
    addressType: "IPv4",
    endpoints: [
      {
        addresses: [at.nodeAddress],
        conditions: { ready: true },
        nodeName: at.nodeName,
        // Each node asks its own server, and needs no other node.
        hints: { forNodes: [{ name: at.nodeName }] },
      },
    ],
    ports: [
      { name: "dns", port: at.port, protocol: "UDP" },
      { name: "dns-tcp", port: at.port, protocol: "TCP" },
    ],
  };
  const present = await ignoreNotFound(slices.get(`${namespace}/${sliceName}`));
  if (present === undefined) {
    await slices.create(wanted);
    return;
  }
  const updated = { ...present, endpoints: wanted.endpoints, ports: wanted.ports };
  if (!deepEqual(updated, present)) await slices.update(updated);
}
