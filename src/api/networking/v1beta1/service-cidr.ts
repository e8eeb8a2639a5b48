import { serviceCidrs as stored } from "../v1/service-cidr.ts";
import { sameShape } from "#api/strategies.ts";
import { Condition } from "#apimachinery/meta/condition.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, req, string, struct } from "#apimachinery/schema.ts";

export const ServiceCIDRSpec = struct("io.k8s.api.networking.v1beta1.ServiceCIDRSpec", {
  cidrs: opt(1, listOf(string), { listType: "atomic" }),
});
export interface ServiceCIDRSpec extends Infer<typeof ServiceCIDRSpec> {}

export const ServiceCIDRStatus = struct("io.k8s.api.networking.v1beta1.ServiceCIDRStatus", {
  conditions: opt(1, listOf(Condition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface ServiceCIDRStatus extends Infer<typeof ServiceCIDRStatus> {}

export const ServiceCIDR = kind("io.k8s.api.networking.v1beta1.ServiceCIDR", {
  metadata,
  spec: req(2, ServiceCIDRSpec, { required: false }),
  status: opt(3, ServiceCIDRStatus),
});
export interface ServiceCIDR extends Infer<typeof ServiceCIDR> {}

export const serviceCidrs = defineResource<ServiceCIDR>({
  group: "networking.k8s.io",
  version: "v1beta1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  scope: "Cluster",
  schema: ServiceCIDR,
  conversion: sameShape,
  strategy: stored.strategy,
  columns: stored.columns,
  fieldSelectors: stored.fieldSelectors,
  storage: { version: "v1" },
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
