import { statusSubresource } from "#api/strategies.ts";
import {
  validateReplicaCounts,
  validateReplicaSet,
  validateReplicaSetUpdate,
} from "./replica-set-validation.ts";
import { countColumn, selectorColumn, templateColumns } from "#api/core/v1/workload-columns.ts";
import { podNameWarnings, templatePath } from "#api/core/v1/workload.ts";
import { podTemplateWarnings } from "#api/core/v1/pod-warnings.ts";
import { templateRules } from "#api/core/v1/pod-rules.ts";
import { dropDisabledPodFields } from "#api/core/v1/pod-strategy.ts";
import { defaultPodSpec } from "#api/core/v1/pod-defaults.ts";
import { ageColumn, nameColumn } from "#apimachinery/columns.ts";
import { Scale } from "#api/autoscaling/v1/scale.ts";
import { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  int64,
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

export const ReplicaSetSpec = struct("io.k8s.api.apps.v1.ReplicaSetSpec", {
  replicas: ptr(1, int32),
  minReadySeconds: opt(4, int32),
  selector: ptr(2, LabelSelector, { nullable: true, required: true }),
  template: req(3, PodTemplateSpec, { required: false }),
});
export interface ReplicaSetSpec extends Infer<typeof ReplicaSetSpec> {}

export const ReplicaSetCondition = struct("io.k8s.api.apps.v1.ReplicaSetCondition", {
  type: req(1, named("v1.ReplicaSetConditionType", string)),
  status: req(2, named("v1.ConditionStatus", string)),
  lastTransitionTime: opt(3, time),
  reason: opt(4, string),
  message: opt(5, string),
});
export interface ReplicaSetCondition extends Infer<typeof ReplicaSetCondition> {}

export const ReplicaSetStatus = struct("io.k8s.api.apps.v1.ReplicaSetStatus", {
  replicas: req(1, int32),
  fullyLabeledReplicas: opt(2, int32),
  readyReplicas: opt(4, int32),
  availableReplicas: opt(5, int32),
  terminatingReplicas: ptr(7, int32),
  observedGeneration: opt(3, int64),
  conditions: opt(6, listOf(ReplicaSetCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface ReplicaSetStatus extends Infer<typeof ReplicaSetStatus> {}

export const ReplicaSet = kind("io.k8s.api.apps.v1.ReplicaSet", {
  metadata,
  spec: req(2, ReplicaSetSpec, { required: false }),
  status: opt(3, ReplicaSetStatus),
});
export interface ReplicaSet extends Infer<typeof ReplicaSet> {}

export const replicaSets = defineResource<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  scope: "Namespaced",
  schema: ReplicaSet,
  strategy: {
    generation: true,
    default({ spec }) {
      defaultPodSpec(spec.template.spec);
      spec.replicas ??= 1;
    },
    prepareForCreate(set, { features }) {
      set.status = { replicas: 0 };
      dropDisabledPodFields(set.spec.template.spec, undefined, features);
    },
    prepareForUpdate(set, { old, features }) {
      set.status = old.status;
      dropDisabledPodFields(set.spec.template.spec, old.spec.template.spec, features);
    },
    validate: (set, context) => [...validateReplicaSet(set, templateRules(context))],
    validateUpdate: (set, context) => [
      ...validateReplicaSetUpdate(
        set,
        context.old,
        templateRules(context, context.old.spec.template),
      ),
    ],
    warnings({ metadata: meta, spec }, { old }) {
      const changed = old === undefined || meta.generation !== old.metadata.generation;
      return [
        ...(old === undefined ? podNameWarnings(meta.name) : []),
        ...(changed ? podTemplateWarnings(spec.template, templatePath) : []),
      ];
    },
  },
  columns: [
    nameColumn,
    countColumn("Desired", ({ spec }) => spec.replicas, "Pods wanted."),
    countColumn("Current", ({ status }) => status?.replicas, "Pods that exist."),
    countColumn("Ready", ({ status }) => status?.readyReplicas, "Pods that are ready."),
    ageColumn,
    ...templateColumns,
    selectorColumn,
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
    status: statusSubresource({ validate: ({ status }) => [...validateReplicaCounts(status)] }),
  },
});
