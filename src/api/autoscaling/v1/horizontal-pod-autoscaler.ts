import { autoscalerColumns } from "../v2/horizontal-pod-autoscaler-columns.ts";
import {
  autoscalerConversion,
  normalizeAutoscaler,
  toStored,
} from "./horizontal-pod-autoscaler-conversion.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  int64,
  kind,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";

export const CrossVersionObjectReference = struct(
  "io.k8s.api.autoscaling.v1.CrossVersionObjectReference",
  {
    kind: req(1, string),
    name: req(2, string),
    apiVersion: opt(3, string),
  },
  { atomic: true },
);
export interface CrossVersionObjectReference extends Infer<typeof CrossVersionObjectReference> {}

export const HorizontalPodAutoscalerSpec = struct(
  "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec",
  {
    scaleTargetRef: req(1, CrossVersionObjectReference),
    minReplicas: ptr(2, int32),
    maxReplicas: req(3, int32),
    targetCPUUtilizationPercentage: ptr(4, int32),
  },
);
export interface HorizontalPodAutoscalerSpec extends Infer<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerStatus = struct(
  "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus",
  {
    observedGeneration: ptr(1, int64),
    lastScaleTime: ptr(2, time),
    currentReplicas: req(3, int32),
    desiredReplicas: req(4, int32),
    currentCPUUtilizationPercentage: ptr(5, int32),
  },
);
export interface HorizontalPodAutoscalerStatus extends Infer<
  typeof HorizontalPodAutoscalerStatus
> {}

export const HorizontalPodAutoscaler = kind("io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler", {
  metadata,
  spec: req(2, HorizontalPodAutoscalerSpec),
  status: opt(3, HorizontalPodAutoscalerStatus),
});
export interface HorizontalPodAutoscaler extends Infer<typeof HorizontalPodAutoscaler> {}

export const horizontalPodAutoscalers = defineResource<HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v1",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  scope: "Namespaced",
  schema: HorizontalPodAutoscaler,
  conversion: autoscalerConversion,
  strategy: {
    default: normalizeAutoscaler,
  },
  internalAnnotations: ["metrics", "behavior", "conditions", "current-metrics"].map((name) => `autoscaling.alpha.kubernetes.io/${name}`),
  columns: autoscalerColumns.map((column) => ({
    ...column,
    cell: (autoscaler: HorizontalPodAutoscaler, nowMs: number) =>
      column.cell(toStored(autoscaler), nowMs),
  })),
  storage: { version: "v2" },
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
