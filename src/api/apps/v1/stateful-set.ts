import { statusSubresource } from "#api/strategies.ts";
import { validateStatefulSetStatus } from "./stateful-set-validation.ts";
import { statefulSetStrategy } from "./stateful-set-strategy.ts";
import { templateColumns } from "#api/core/v1/workload-columns.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { Scale } from "#api/autoscaling/v1/scale.ts";
import { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  int64,
  intOrString,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";

export const RollingUpdateStatefulSetStrategy = struct(
  "io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy",
  {
    partition: ptr(1, int32),
    maxUnavailable: ptr(2, intOrString),
  },
);
export interface RollingUpdateStatefulSetStrategy extends Infer<
  typeof RollingUpdateStatefulSetStrategy
> {}

export const StatefulSetUpdateStrategy = struct("io.k8s.api.apps.v1.StatefulSetUpdateStrategy", {
  type: opt(1, named("v1.StatefulSetUpdateStrategyType", string)),
  rollingUpdate: ptr(2, RollingUpdateStatefulSetStrategy),
});
export interface StatefulSetUpdateStrategy extends Infer<typeof StatefulSetUpdateStrategy> {}

export const StatefulSetPersistentVolumeClaimRetentionPolicy = struct(
  "io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy",
  {
    whenDeleted: opt(1, named("v1.PersistentVolumeClaimRetentionPolicyType", string)),
    whenScaled: opt(2, named("v1.PersistentVolumeClaimRetentionPolicyType", string)),
  },
);
export interface StatefulSetPersistentVolumeClaimRetentionPolicy extends Infer<
  typeof StatefulSetPersistentVolumeClaimRetentionPolicy
> {}

export const StatefulSetOrdinals = struct("io.k8s.api.apps.v1.StatefulSetOrdinals", {
  start: req(1, int32, { required: false }),
});
export interface StatefulSetOrdinals extends Infer<typeof StatefulSetOrdinals> {}

export const StatefulSetSpec = struct("io.k8s.api.apps.v1.StatefulSetSpec", {
  replicas: ptr(1, int32),
  selector: ptr(2, LabelSelector, { nullable: true, required: true }),
  template: req(3, PodTemplateSpec),
  volumeClaimTemplates: opt(4, listOf(PersistentVolumeClaim), { listType: "atomic" }),
  serviceName: req(5, string, { required: false }),
  podManagementPolicy: opt(6, named("v1.PodManagementPolicyType", string)),
  updateStrategy: opt(7, StatefulSetUpdateStrategy),
  revisionHistoryLimit: ptr(8, int32),
  minReadySeconds: opt(9, int32),
  persistentVolumeClaimRetentionPolicy: ptr(10, StatefulSetPersistentVolumeClaimRetentionPolicy),
  ordinals: ptr(11, StatefulSetOrdinals),
});
export interface StatefulSetSpec extends Infer<typeof StatefulSetSpec> {}

export const StatefulSetCondition = struct("io.k8s.api.apps.v1.StatefulSetCondition", {
  type: req(1, named("v1.StatefulSetConditionType", string)),
  status: req(2, named("v1.ConditionStatus", string)),
  lastTransitionTime: opt(3, time),
  reason: opt(4, string),
  message: opt(5, string),
});
export interface StatefulSetCondition extends Infer<typeof StatefulSetCondition> {}

export const StatefulSetStatus = struct("io.k8s.api.apps.v1.StatefulSetStatus", {
  observedGeneration: opt(1, int64),
  replicas: req(2, int32),
  readyReplicas: opt(3, int32),
  currentReplicas: opt(4, int32),
  updatedReplicas: opt(5, int32),
  currentRevision: opt(6, string),
  updateRevision: opt(7, string),
  collisionCount: ptr(9, int32),
  conditions: opt(10, listOf(StatefulSetCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
  availableReplicas: req(11, int32, { required: false }),
});
export interface StatefulSetStatus extends Infer<typeof StatefulSetStatus> {}

export const StatefulSet = kind("io.k8s.api.apps.v1.StatefulSet", {
  metadata,
  spec: req(2, StatefulSetSpec, { required: false }),
  status: opt(3, StatefulSetStatus),
});
export interface StatefulSet extends Infer<typeof StatefulSet> {}

export const statefulSets = defineResource<StatefulSet>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  shortNames: ["sts"],
  categories: ["all"],
  scope: "Namespaced",
  schema: StatefulSet,
  strategy: statefulSetStrategy,
  columns: [
    nameColumn,
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`, {
      description: "Pods that are ready, and those wanted.",
    }),
    ageColumn,
    ...templateColumns,
  ],
  subresources: {
    scale: {
      verbs: ["get", "patch", "update"],
      kind: { group: "autoscaling", version: "v1", kind: "Scale" },
      schema: Scale,
      scale: {
        specReplicas: ".spec.replicas",
        statusReplicas: ".status.replicas",
        selector: ".spec.selector",
      },
    },
    status: statusSubresource({
      validate: (set, { old }) => [...validateStatefulSetStatus(set, old)],
    }),
  },
});
