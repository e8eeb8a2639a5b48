import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import {
  type Infer,
  int32,
  named,
  opt,
  ptr,
  quantity,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const CrossVersionObjectReference = struct(
  "io.k8s.api.autoscaling.v2.CrossVersionObjectReference",
  {
    kind: req(1, string),
    name: req(2, string),
    apiVersion: opt(3, string),
  },
);
export interface CrossVersionObjectReference extends Infer<typeof CrossVersionObjectReference> {}

export const MetricTarget = struct("io.k8s.api.autoscaling.v2.MetricTarget", {
  type: req(1, named("v2.MetricTargetType", string)),
  value: ptr(2, quantity),
  averageValue: ptr(3, quantity),
  averageUtilization: ptr(4, int32),
});
export interface MetricTarget extends Infer<typeof MetricTarget> {}

export const MetricIdentifier = struct("io.k8s.api.autoscaling.v2.MetricIdentifier", {
  name: req(1, string),
  selector: ptr(2, LabelSelector),
});
export interface MetricIdentifier extends Infer<typeof MetricIdentifier> {}

export const ObjectMetricSource = struct("io.k8s.api.autoscaling.v2.ObjectMetricSource", {
  describedObject: req(1, CrossVersionObjectReference),
  target: req(2, MetricTarget),
  metric: req(3, MetricIdentifier),
});
export interface ObjectMetricSource extends Infer<typeof ObjectMetricSource> {}

export const PodsMetricSource = struct("io.k8s.api.autoscaling.v2.PodsMetricSource", {
  metric: req(1, MetricIdentifier),
  target: req(2, MetricTarget),
});
export interface PodsMetricSource extends Infer<typeof PodsMetricSource> {}

export const ResourceMetricSource = struct("io.k8s.api.autoscaling.v2.ResourceMetricSource", {
  name: req(1, named("v1.ResourceName", string)),
  target: req(2, MetricTarget),
});
export interface ResourceMetricSource extends Infer<typeof ResourceMetricSource> {}

export const ContainerResourceMetricSource = struct(
  "io.k8s.api.autoscaling.v2.ContainerResourceMetricSource",
  {
    name: req(1, named("v1.ResourceName", string)),
    target: req(2, MetricTarget),
    container: req(3, string),
  },
);
export interface ContainerResourceMetricSource extends Infer<
  typeof ContainerResourceMetricSource
> {}

export const ExternalMetricSource = struct("io.k8s.api.autoscaling.v2.ExternalMetricSource", {
  metric: req(1, MetricIdentifier),
  target: req(2, MetricTarget),
});
export interface ExternalMetricSource extends Infer<typeof ExternalMetricSource> {}

export const MetricSpec = struct("io.k8s.api.autoscaling.v2.MetricSpec", {
  type: req(1, named("v2.MetricSourceType", string)),
  object: ptr(2, ObjectMetricSource),
  pods: ptr(3, PodsMetricSource),
  resource: ptr(4, ResourceMetricSource),
  containerResource: ptr(7, ContainerResourceMetricSource),
  external: ptr(5, ExternalMetricSource),
});
export interface MetricSpec extends Infer<typeof MetricSpec> {}

export const MetricValueStatus = struct("io.k8s.api.autoscaling.v2.MetricValueStatus", {
  value: ptr(1, quantity),
  averageValue: ptr(2, quantity),
  averageUtilization: ptr(3, int32),
});
export interface MetricValueStatus extends Infer<typeof MetricValueStatus> {}

export const ObjectMetricStatus = struct("io.k8s.api.autoscaling.v2.ObjectMetricStatus", {
  metric: req(1, MetricIdentifier),
  current: req(2, MetricValueStatus),
  describedObject: req(3, CrossVersionObjectReference),
});
export interface ObjectMetricStatus extends Infer<typeof ObjectMetricStatus> {}

export const PodsMetricStatus = struct("io.k8s.api.autoscaling.v2.PodsMetricStatus", {
  metric: req(1, MetricIdentifier),
  current: req(2, MetricValueStatus),
});
export interface PodsMetricStatus extends Infer<typeof PodsMetricStatus> {}

export const ResourceMetricStatus = struct("io.k8s.api.autoscaling.v2.ResourceMetricStatus", {
  name: req(1, named("v1.ResourceName", string)),
  current: req(2, MetricValueStatus),
});
export interface ResourceMetricStatus extends Infer<typeof ResourceMetricStatus> {}

export const ContainerResourceMetricStatus = struct(
  "io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus",
  {
    name: req(1, named("v1.ResourceName", string)),
    current: req(2, MetricValueStatus),
    container: req(3, string),
  },
);
export interface ContainerResourceMetricStatus extends Infer<
  typeof ContainerResourceMetricStatus
> {}

export const ExternalMetricStatus = struct("io.k8s.api.autoscaling.v2.ExternalMetricStatus", {
  metric: req(1, MetricIdentifier),
  current: req(2, MetricValueStatus),
});
export interface ExternalMetricStatus extends Infer<typeof ExternalMetricStatus> {}

export const MetricStatus = struct("io.k8s.api.autoscaling.v2.MetricStatus", {
  type: req(1, named("v2.MetricSourceType", string)),
  object: ptr(2, ObjectMetricStatus),
  pods: ptr(3, PodsMetricStatus),
  resource: ptr(4, ResourceMetricStatus),
  containerResource: ptr(7, ContainerResourceMetricStatus),
  external: ptr(5, ExternalMetricStatus),
});
export interface MetricStatus extends Infer<typeof MetricStatus> {}
