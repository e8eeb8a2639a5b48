import { dropStatus, keepStatus, statusSubresource } from "#api/strategies.ts";
import { isDualStackCidrs, validateCidr } from "#apimachinery/validation/ip.ts";
import { invalid, required } from "#apimachinery/field-error.ts";
import { type Findings, immutableText } from "#apimachinery/validation/checks.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
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
  strategy: {
    prepareForCreate: dropStatus,
    prepareForUpdate: keepStatus,
    validate: (cidr) => [...validateServiceCidr(cidr)],
    validateUpdate: (cidr, { old }) => [...validateServiceCidrUpdate(cidr, old)],
  },
  columns: [
    nameColumn,
    column("CIDRs", ({ spec }) => (spec.cidrs ?? []).join(","), {
      description: "Networks of cluster addresses.",
    }),
    ageColumn,
  ],
  subresources: {
    status: statusSubresource<ServiceCIDR>(),
  },
});

const cidrsMax = 2;

/** Source: pkg/apis/networking/validation/validation.go. */
function* validateServiceCidr({ spec }: ServiceCIDR): Findings {
  const { cidrs = [] } = spec;
  const path = "spec.cidrs";
  if (cidrs.length === 0) yield required(path, "at least one CIDR required");
  if (cidrs.length > cidrsMax) yield invalid(path, cidrs, "may only hold up to 2 values");
  if (cidrs.length === cidrsMax && !isDualStackCidrs(cidrs)) {
    const detail =
      "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96";
    yield invalid(path, cidrs, detail);
  }
  for (const [i, cidr] of cidrs.entries()) yield* validateCidr(cidr, `${path}[${i}]`);
}

/** A second network may be added, of the other family. */
function* validateServiceCidrUpdate(cidr: ServiceCIDR, old: ServiceCIDR): Findings {
  const [now, before] = [cidr.spec.cidrs ?? [], old.spec.cidrs ?? []];
  const isGrowth = before.length === 1 && now.length === cidrsMax;
  if (isGrowth) yield* validateServiceCidr(cidr);
  for (const [i, text] of before.entries()) {
    if (now[i] !== text) yield invalid(`spec.cidrs[${i}]`, now[i] ?? "", immutableText);
  }
  if (!isGrowth && now.length !== before.length) yield invalid("spec.cidrs", now, immutableText);
}
