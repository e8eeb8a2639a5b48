import { namespaces } from "#api/core/v1/namespace.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { type EndpointSlice, endpointSlices } from "#api/discovery/v1/endpoint-slice.ts";
import type { Index } from "#client/indexer.ts";
import type { Informers } from "#client/informer-factory.ts";
import { slicesByService } from "#client/shared-indexes.ts";
import type { ZoneSource } from "./zone.ts";

const byClusterAddress: Index<Service> = {
  name: "cluster-address",
  valuesOf: ({ spec }) => (spec?.clusterIPs ?? []).filter((address) => address !== "None"),
};

const byEndpointAddress: Index<EndpointSlice> = {
  name: "endpoint-address",
  valuesOf: ({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
};

/** The zone's view of the informers' caches; resolves when they have their first state. */
export async function openZoneSource(informers: Informers): Promise<ZoneSource> {
  const serviceInformer = informers.of(services);
  const sliceInformer = informers.of(endpointSlices);
  const namespaceInformer = informers.of(namespaces);
  serviceInformer.addIndex(byClusterAddress);
  sliceInformer.addIndex(slicesByService);
  sliceInformer.addIndex(byEndpointAddress);
  await Promise.all([serviceInformer.synced(), sliceInformer.synced(), namespaceInformer.synced()]);
  return {
    service: (namespace, name) => serviceInformer.lister.get(`${namespace}/${name}`),
    hasNamespace: (namespace) => namespaceInformer.lister.get(namespace) !== undefined,
    slices: (namespace, service) => sliceInformer.lister.by(slicesByService, `${namespace}/${service}`),
    serviceByAddress: (address) => serviceInformer.lister.by(byClusterAddress, address)[0],
    slicesByAddress: (address) => sliceInformer.lister.by(byEndpointAddress, address),
  };
}
