import { statusSubresource } from "#api/strategies.ts";
import { validateDaemonSetStatus } from "./daemon-set-validation.ts";
import { daemonSetStrategy } from "./daemon-set-strategy.ts";
import { countColumn, selectorColumn, templateColumns } from "#api/core/v1/workload-columns.ts";
import { ageColumn, column, labelsText, nameColumn } from "#apimachinery/columns.ts";
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

export const RollingUpdateDaemonSet = struct("io.k8s.api.apps.v1.RollingUpdateDaemonSet", {
  maxUnavailable: ptr(1, intOrString),
  maxSurge: ptr(2, intOrString),
});
export interface RollingUpdateDaemonSet extends Infer<typeof RollingUpdateDaemonSet> {}

export const DaemonSetUpdateStrategy = struct("io.k8s.api.apps.v1.DaemonSetUpdateStrategy", {
  type: opt(1, named("v1.DaemonSetUpdateStrategyType", string)),
  rollingUpdate: ptr(2, RollingUpdateDaemonSet),
});
export interface DaemonSetUpdateStrategy extends Infer<typeof DaemonSetUpdateStrategy> {}

export const DaemonSetSpec = struct("io.k8s.api.apps.v1.DaemonSetSpec", {
  selector: ptr(1, LabelSelector, { nullable: true, required: true }),
  template: req(2, PodTemplateSpec),
  updateStrategy: opt(3, DaemonSetUpdateStrategy),
  minReadySeconds: opt(4, int32),
  revisionHistoryLimit: ptr(6, int32),
});
export interface DaemonSetSpec extends Infer<typeof DaemonSetSpec> {}

export const DaemonSetCondition = struct("io.k8s.api.apps.v1.DaemonSetCondition", {
  type: req(1, named("v1.DaemonSetConditionType", string)),
  status: req(2, named("v1.ConditionStatus", string)),
  lastTransitionTime: opt(3, time),
  reason: opt(4, string),
  message: opt(5, string),
});
export interface DaemonSetCondition extends Infer<typeof DaemonSetCondition> {}

export const DaemonSetStatus = struct("io.k8s.api.apps.v1.DaemonSetStatus", {
  currentNumberScheduled: req(1, int32),
  numberMisscheduled: req(2, int32),
  desiredNumberScheduled: req(3, int32),
  numberReady: req(4, int32),
  observedGeneration: opt(5, int64),
  updatedNumberScheduled: opt(6, int32),
  numberAvailable: opt(7, int32),
  numberUnavailable: opt(8, int32),
  collisionCount: ptr(9, int32),
  conditions: opt(10, listOf(DaemonSetCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface DaemonSetStatus extends Infer<typeof DaemonSetStatus> {}

export const DaemonSet = kind("io.k8s.api.apps.v1.DaemonSet", {
  metadata,
  spec: req(2, DaemonSetSpec, { required: false }),
  status: opt(3, DaemonSetStatus),
});
export interface DaemonSet extends Infer<typeof DaemonSet> {}

export const daemonSets = defineResource<DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  shortNames: ["ds"],
  categories: ["all"],
  scope: "Namespaced",
  schema: DaemonSet,
  strategy: daemonSetStrategy,
  internalAnnotations: ["deprecated.daemonset.template.generation"],
  columns: [
    nameColumn,
    countColumn("Desired", ({ status }) => status?.desiredNumberScheduled, "Nodes to run on."),
    countColumn("Current", ({ status }) => status?.currentNumberScheduled, "Nodes with a Pod."),
    countColumn("Ready", ({ status }) => status?.numberReady, "Nodes with a ready Pod."),
    countColumn("Up-to-date", ({ status }) => status?.updatedNumberScheduled, "Of the template."),
    countColumn("Available", ({ status }) => status?.numberAvailable, "Ready for long enough."),
    column("Node Selector", ({ spec }) => labelsText(spec.template.spec.nodeSelector), {
      description: "Labels that nodes must have.",
    }),
    ageColumn,
    ...templateColumns,
    selectorColumn,
  ],
  subresources: {
    status: statusSubresource({
      validate: (set, { old }) => [...validateDaemonSetStatus(set, old)],
    }),
  },
});
