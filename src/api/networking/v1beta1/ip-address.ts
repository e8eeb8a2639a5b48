import { ipAddresses as stored } from "../v1/ip-address.ts";
import { sameShape } from "#api/strategies.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const ParentReference = struct("io.k8s.api.networking.v1beta1.ParentReference", {
  group: opt(1, string),
  resource: opt(2, string, { required: true }),
  namespace: opt(3, string),
  name: opt(4, string, { required: true }),
});
export interface ParentReference extends Infer<typeof ParentReference> {}

export const IPAddressSpec = struct("io.k8s.api.networking.v1beta1.IPAddressSpec", {
  parentRef: ptr(1, ParentReference, { required: true }),
});
export interface IPAddressSpec extends Infer<typeof IPAddressSpec> {}

export const IPAddress = kind("io.k8s.api.networking.v1beta1.IPAddress", {
  metadata,
  spec: req(2, IPAddressSpec),
});
export interface IPAddress extends Infer<typeof IPAddress> {}

export const ipAddresses = defineResource<IPAddress>({
  group: "networking.k8s.io",
  version: "v1beta1",
  kind: "IPAddress",
  plural: "ipaddresses",
  shortNames: ["ip"],
  scope: "Cluster",
  schema: IPAddress,
  conversion: sameShape,
  strategy: stored.strategy,
  columns: stored.columns,
  fieldSelectors: stored.fieldSelectors,
  storage: { version: "v1" },
});
