import type { KubeObject, ObjectMeta } from "#apimachinery/object.ts";
import type { Conversion } from "#apimachinery/resource.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import {
  type HorizontalPodAutoscaler as Stored,
  HorizontalPodAutoscalerBehavior,
} from "../v2/horizontal-pod-autoscaler.ts";
import { cpuMetric, defaultAutoscaler } from "../v2/horizontal-pod-autoscaler-defaults.ts";
import type { MetricSpec, MetricStatus } from "../v2/metric.ts";
import type { HorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import {
  metricFromV1,
  metricToV1,
  statusFromV1,
  statusToV1,
  type V1Metric,
} from "./metric-conversion.ts";

/** Annotations in which v1 keeps what it has no fields for. Source: pkg/apis/autoscaling. */
const prefix = "autoscaling.alpha.kubernetes.io/";
const metricsAnnotation = `${prefix}metrics`;
const currentMetricsAnnotation = `${prefix}current-metrics`;
const conditionsAnnotation = `${prefix}conditions`;
const behaviorAnnotation = `${prefix}behavior`;
const annotations = [
  metricsAnnotation,
  currentMetricsAnnotation,
  conditionsAnnotation,
  behaviorAnnotation,
];

/** Broken annotations are as none. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

function withoutAnnotations(meta: ObjectMeta): ObjectMeta {
  if (meta.annotations === undefined) return meta;
  const kept = Object.entries(meta.annotations).filter(([key]) => !annotations.includes(key));
  const { annotations: _, ...rest } = meta;
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}

/** `StabilizationWindowSeconds` -> `stabilizationWindowSeconds`, at all depths; nulls go. */
function lowerNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerNames);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(
    members.map(([name, member]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      lowerNames(member),
    ]),
  );
}

function metricList<T>(
  text: string | undefined,
  convert: (metric: V1Metric) => T,
): T[] | undefined {
  const metrics = parsed<V1Metric[]>(text);
  return Array.isArray(metrics) ? metrics.map(convert) : undefined;
}

export function toStored({
  metadata: meta,
  spec,
  status,
  ...type
}: HorizontalPodAutoscaler): Stored {
  const { targetCPUUtilizationPercentage: cpu, ...fields } = spec;
  const noted = meta.annotations ?? {};
  const metrics: MetricSpec[] = [
    ...(metricList(noted[metricsAnnotation], metricFromV1) ?? []),
    ...(cpu === undefined ? [] : [cpuMetric(cpu)]),
  ];
  const behavior = lowerNames(parsed(noted[behaviorAnnotation])) as Stored["spec"]["behavior"];
  const stored: Stored = {
    ...type,
    metadata: withoutAnnotations(meta),
    spec: {
      ...fields,
      metrics: metrics.length === 0 ? [cpuMetric()] : metrics,
      ...(behavior !== undefined && { behavior }),
    },
  };
  if (status !== undefined) stored.status = storedStatus(status, noted);
  defaultAutoscaler(stored);
  return stored;
}

function storedStatus(
  status: NonNullable<HorizontalPodAutoscaler["status"]>,
  noted: Readonly<Record<string, string>>,
): NonNullable<Stored["status"]> {
  const { currentCPUUtilizationPercentage: cpu, ...fields } = status;
  const own: MetricStatus[] =
    cpu === undefined
      ? []
      : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: cpu } } }];
  const conditions = parsed<NonNullable<Stored["status"]>["conditions"]>(
    noted[conditionsAnnotation],
  );
  return {
    ...fields,
    currentMetrics: metricList(noted[currentMetricsAnnotation], statusFromV1) ?? own,
    ...(conditions !== undefined && { conditions }),
  };
}

function isCpuUsage({ type, resource }: MetricSpec): boolean {
  return (
    type === "Resource" &&
    resource?.name === "cpu" &&
    resource.target.averageUtilization !== undefined
  );
}

export function fromStored({
  metadata: meta,
  spec,
  status,
  ...type
}: Stored): HorizontalPodAutoscaler {
  const { metrics = [], behavior, ...fields } = spec;
  const cpu = metrics.find(isCpuUsage)?.resource?.target.averageUtilization;
  const others = metrics.filter((metric) => !isCpuUsage(metric));
  const noted: Record<string, string> = {};
  if (others.length > 0) noted[metricsAnnotation] = JSON.stringify(others.map(metricToV1));
  if (behavior !== undefined) {
    noted[behaviorAnnotation] = JSON.stringify(
      internalValue(HorizontalPodAutoscalerBehavior, behavior),
    );
  }
  const { currentMetrics = [], conditions = [], ...counts } = status ?? { desiredReplicas: 0 };
  if (currentMetrics.length > 0) {
    noted[currentMetricsAnnotation] = JSON.stringify(currentMetrics.map(statusToV1));
  }
  if (conditions.length > 0) {
    const shown = conditions.map(
      ({ type: name, status: value, lastTransitionTime = null, ...rest }) => ({
        type: name,
        status: value,
        lastTransitionTime,
        ...rest,
      }),
    );
    noted[conditionsAnnotation] = JSON.stringify(shown);
  }
  const usage = currentMetrics.find(
    ({ type: name, resource }) => name === "Resource" && resource?.name === "cpu",
  );
  const used = usage?.resource?.current.averageUtilization;
  const hasNotes = Object.keys(noted).length > 0;
  return {
    ...type,
    metadata: hasNotes ? { ...meta, annotations: { ...meta.annotations, ...noted } } : meta,
    spec: { ...fields, ...(cpu !== undefined && { targetCPUUtilizationPercentage: cpu }) },
    status: {
      ...counts,
      currentReplicas: status?.currentReplicas ?? 0,
      ...(used !== undefined && { currentCPUUtilizationPercentage: used }),
    },
  };
}

/** What a trip through the stored version makes of it, as upstream's decoder does. */
export function normalizeAutoscaler(autoscaler: HorizontalPodAutoscaler): void {
  const { status, ...normal } = fromStored(toStored(autoscaler));
  Object.assign(autoscaler, normal, autoscaler.status !== undefined && { status });
}

export const autoscalerConversion: Conversion = {
  toStorage: (object) => toStored(object as HorizontalPodAutoscaler) as KubeObject,
  fromStorage: (object) => fromStored(object as Stored) as KubeObject,
};
