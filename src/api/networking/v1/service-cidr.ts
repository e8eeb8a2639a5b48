import { Condition } from "#apimachinery/meta/condition.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, req, string, struct } from "#apimachinery/schema.ts";

export const ServiceCIDRSpec = struct("io.k8s.api.networking.v1.ServiceCIDRSpec", {
  cidrs: opt(1, listOf(string), { listType: "atomic" }),
});
export interface ServiceCIDRSpec extends Infer<typeof ServiceCIDRSpec> {}

export const ServiceCIDRStatus = struct("io.k8s.api.networking.v1.ServiceCIDRStatus", {
  conditions: opt(1, listOf(Condition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface ServiceCIDRStatus extends Infer<typeof ServiceCIDRStatus> {}

export const ServiceCIDR = kind("io.k8s.api.networking.v1.ServiceCIDR", {
  metadata,
  spec: req(2, ServiceCIDRSpec, { required: false }),
  status: opt(3, ServiceCIDRStatus),
});
export interface ServiceCIDR extends Infer<typeof ServiceCIDR> {}

export const serviceCidrs = defineResource<ServiceCIDR>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  scope: "Cluster",
  schema: ServiceCIDR,
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
