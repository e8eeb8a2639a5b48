import { selectorColumn, templateColumns } from "#api/core/v1/workload-columns.ts";
import { statusSubresource } from "#api/strategies.ts";
import { validateDeploymentStatus } from "./deployment-validation.ts";
import { deploymentStrategy } from "./deployment-strategy.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { Scale } from "#api/autoscaling/v1/scale.ts";
import { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
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

export const RollingUpdateDeployment = struct("io.k8s.api.apps.v1.RollingUpdateDeployment", {
  maxUnavailable: ptr(1, intOrString),
  maxSurge: ptr(2, intOrString),
});
export interface RollingUpdateDeployment extends Infer<typeof RollingUpdateDeployment> {}

export const DeploymentStrategy = struct("io.k8s.api.apps.v1.DeploymentStrategy", {
  type: opt(1, named("v1.DeploymentStrategyType", string)),
  rollingUpdate: ptr(2, RollingUpdateDeployment),
});
export interface DeploymentStrategy extends Infer<typeof DeploymentStrategy> {}

export const DeploymentSpec = struct("io.k8s.api.apps.v1.DeploymentSpec", {
  replicas: ptr(1, int32),
  selector: ptr(2, LabelSelector, { nullable: true, required: true }),
  template: req(3, PodTemplateSpec),
  strategy: opt(4, DeploymentStrategy, { patch: "retainKeys" }),
  minReadySeconds: opt(5, int32),
  revisionHistoryLimit: ptr(6, int32),
  paused: opt(7, bool),
  progressDeadlineSeconds: ptr(9, int32),
});
export interface DeploymentSpec extends Infer<typeof DeploymentSpec> {}

export const DeploymentCondition = struct("io.k8s.api.apps.v1.DeploymentCondition", {
  type: req(1, named("v1.DeploymentConditionType", string)),
  status: req(2, named("v1.ConditionStatus", string)),
  lastUpdateTime: opt(6, time),
  lastTransitionTime: opt(7, time),
  reason: opt(4, string),
  message: opt(5, string),
});
export interface DeploymentCondition extends Infer<typeof DeploymentCondition> {}

export const DeploymentStatus = struct("io.k8s.api.apps.v1.DeploymentStatus", {
  observedGeneration: opt(1, int64),
  replicas: opt(2, int32),
  updatedReplicas: opt(3, int32),
  readyReplicas: opt(7, int32),
  availableReplicas: opt(4, int32),
  unavailableReplicas: opt(5, int32),
  terminatingReplicas: ptr(9, int32),
  conditions: opt(6, listOf(DeploymentCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
  collisionCount: ptr(8, int32),
});
export interface DeploymentStatus extends Infer<typeof DeploymentStatus> {}

export const Deployment = kind("io.k8s.api.apps.v1.Deployment", {
  metadata,
  spec: req(2, DeploymentSpec, { required: false }),
  status: opt(3, DeploymentStatus),
});
export interface Deployment extends Infer<typeof Deployment> {}

export const deployments = defineResource<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  scope: "Namespaced",
  schema: Deployment,
  strategy: deploymentStrategy,
  columns: [
    nameColumn,
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`, {
      description: "Pods that are ready, and those wanted.",
    }),
    column("Up-to-date", ({ status }) => status?.updatedReplicas ?? 0, {
      description: "Pods of the current template.",
    }),
    column("Available", ({ status }) => status?.availableReplicas ?? 0, {
      description: "Pods that have been ready for long enough.",
    }),
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
    status: statusSubresource({
      resetFields: ["metadata.labels"],
      prepare: (deployment, { old }) => void (deployment.metadata.labels = old.metadata.labels),
      validate: (deployment, { old }) => [...validateDeploymentStatus(deployment, old)],
    }),
  },
});
