import { type Findings, validateNonNegative } from "#apimachinery/validation/checks.ts";
import { forbidden, invalid } from "#apimachinery/field-error.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource, type FeatureReader } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  kind,
  microTime,
  named,
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
  strategy: ptr(6, named("v1.CoordinatedLeaseStrategy", string)),
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
  strategy: {
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    prepareForCreate: dropCoordination,
    prepareForUpdate: (lease, { features }) => dropCoordination(lease, { features }),
    validate: (lease) => [...validateLease(lease)],
    validateUpdate: (lease) => [...validateLease(lease)],
  },
  columns: [
    nameColumn,
    column("Holder", ({ spec }) => spec.holderIdentity ?? "", {
      description: "Who has the lease.",
    }),
    ageColumn,
  ],
});

/** Source: pkg/apis/coordination/validation/validation.go. */
function* validateLease({ spec }: Lease): Findings {
  const { leaseDurationSeconds: duration, preferredHolder, strategy } = spec;
  if (duration !== undefined && duration <= 0) {
    yield invalid("spec.leaseDurationSeconds", duration, "must be greater than 0");
  }
  yield* validateNonNegative(spec.leaseTransitions, "spec.leaseTransitions");
  if (preferredHolder && !strategy) {
    yield forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined");
  }
}

function dropCoordination({ spec }: Lease, { features }: { features: FeatureReader }): void {
  if (features.enabled("CoordinatedLeaderElection")) return;
  delete spec.strategy;
  delete spec.preferredHolder;
}
