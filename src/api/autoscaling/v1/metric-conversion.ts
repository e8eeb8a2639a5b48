import type { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import type {
  CrossVersionObjectReference,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "../v2/metric.ts";

/**
 * Metrics as v1 knows them, flat and only as JSON in annotations.
 * Source: pkg/apis/autoscaling/v1/conversion.go and staging api autoscaling/v1 types.
 */
interface V1MetricFields {
  readonly name?: string;
  readonly container?: string;
  readonly metricName?: string;
  readonly metricSelector?: LabelSelector;
  readonly selector?: LabelSelector;
  readonly target?: CrossVersionObjectReference;
  readonly targetValue?: string;
  readonly averageValue?: string;
  readonly targetAverageValue?: string;
  readonly targetAverageUtilization?: number;
  readonly currentValue?: string;
  readonly currentAverageValue?: string;
  readonly currentAverageUtilization?: number;
}

export interface V1Metric {
  readonly type: string;
  readonly object?: V1MetricFields;
  readonly pods?: V1MetricFields;
  readonly resource?: V1MetricFields;
  readonly containerResource?: V1MetricFields;
  readonly external?: V1MetricFields;
}

const sources = ["object", "pods", "resource", "containerResource", "external"] as const;

/** Members as Go orders them. */
const memberOrder = [
  "target",
  "name",
  "metricName",
  "metricSelector",
  "targetValue",
  "currentValue",
  "targetAverageUtilization",
  "currentAverageUtilization",
  "targetAverageValue",
  "currentAverageValue",
  "selector",
  "averageValue",
  "container",
];

function inGoOrder(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const set = memberOrder.filter((name) => fields[name] !== undefined);
  return Object.fromEntries(set.map((name) => [name, fields[name]]));
}

/** Leaves out what is undefined. */
function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function identityOf(fields: V1MetricFields, source: string): Record<string, unknown> {
  if (source === "resource") return { name: fields.name ?? "" };
  if (source === "containerResource")
    return { name: fields.name ?? "", container: fields.container ?? "" };
  const selector = fields.metricSelector ?? fields.selector;
  return {
    metric: present({ name: fields.metricName ?? "", selector }),
    ...(source === "object" && { describedObject: fields.target ?? { kind: "", name: "" } }),
  };
}

function targetOf(fields: V1MetricFields): MetricTarget {
  const averageValue = fields.targetAverageValue ?? fields.averageValue;
  const { targetAverageUtilization: averageUtilization } = fields;
  const value = averageValue === undefined ? fields.targetValue : undefined;
  const type =
    averageUtilization !== undefined
      ? "Utilization"
      : averageValue !== undefined
        ? "AverageValue"
        : "Value";
  return present({ type, value, averageValue, averageUtilization }) as unknown as MetricTarget;
}

export function metricFromV1(metric: V1Metric): MetricSpec {
  const converted: Record<string, unknown> = { type: metric.type };
  for (const source of sources) {
    const fields = metric[source];
    if (fields === undefined) continue;
    converted[source] = { ...identityOf(fields, source), target: targetOf(fields) };
  }
  return converted as unknown as MetricSpec;
}

export function statusFromV1(metric: V1Metric): MetricStatus {
  const converted: Record<string, unknown> = { type: metric.type };
  for (const source of sources) {
    const fields = metric[source];
    if (fields === undefined) continue;
    const { currentAverageUtilization: averageUtilization } = fields;
    const average = fields.currentAverageValue ?? fields.averageValue;
    // A usage is written as zero where there is none.
    const averageValue = averageUtilization !== undefined && average === "0" ? undefined : average;
    const current = present({ value: fields.currentValue, averageValue, averageUtilization });
    converted[source] = { ...identityOf(fields, source), current };
  }
  return converted as unknown as MetricStatus;
}

type Source = Readonly<Record<string, unknown>>;

function v1Identity(fields: Source, source: string): Record<string, unknown> {
  const { name, container, metric, describedObject } = fields as {
    name?: string;
    container?: string;
    metric?: { name: string; selector?: LabelSelector };
    describedObject?: CrossVersionObjectReference;
  };
  const selectorName = source === "external" ? "metricSelector" : "selector";
  return present({
    target: describedObject,
    name,
    container,
    metricName: metric?.name,
    [selectorName]: metric?.selector,
  });
}

export function metricToV1(metric: MetricSpec): V1Metric {
  const converted: Record<string, unknown> = { type: metric.type };
  for (const source of sources) {
    const fields = metric[source] as (Source & { target: MetricTarget }) | undefined;
    if (fields === undefined) continue;
    const { value, averageValue, averageUtilization } = fields.target;
    const average = source === "object" ? "averageValue" : "targetAverageValue";
    converted[source] = inGoOrder({
      ...v1Identity(fields, source),
      targetValue: source === "object" ? (value ?? "0") : value,
      [average]: averageValue,
      targetAverageUtilization: averageUtilization,
    });
  }
  return converted as unknown as V1Metric;
}

export function statusToV1(metric: MetricStatus): V1Metric {
  const converted: Record<string, unknown> = { type: metric.type };
  for (const source of sources) {
    const fields = metric[source] as (Source & { current: MetricStatusValue }) | undefined;
    if (fields === undefined) continue;
    const { value, averageValue, averageUtilization } = fields.current;
    const isUsage = source === "resource" || source === "containerResource" || source === "pods";
    const average = source === "object" ? "averageValue" : "currentAverageValue";
    converted[source] = inGoOrder({
      ...v1Identity(fields, source),
      currentValue: isUsage ? undefined : (value ?? "0"),
      currentAverageUtilization: averageUtilization,
      [average]: averageValue ?? (isUsage ? "0" : undefined),
    });
  }
  return converted as unknown as V1Metric;
}

interface MetricStatusValue {
  readonly value?: string;
  readonly averageValue?: string;
  readonly averageUtilization?: number;
}
