import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  kind,
  microTime,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const LeaseSpec = struct("io.k8s.api.coordination.v1.LeaseSpec", {
  holderIdentity: ptr(1, string),
  leaseDurationSeconds: ptr(2, int32),
  acquireTime: ptr(3, microTime),
  renewTime: ptr(4, microTime),
  leaseTransitions: ptr(5, int32),
  strategy: ptr(6, string),
  preferredHolder: ptr(7, string),
});
export interface LeaseSpec extends Infer<typeof LeaseSpec> {}

export const Lease = kind("io.k8s.api.coordination.v1.Lease", {
  metadata,
  spec: req(2, LeaseSpec, { required: false }),
});
export interface Lease extends Infer<typeof Lease> {}

export const leases = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "Namespaced",
  schema: Lease,
});
