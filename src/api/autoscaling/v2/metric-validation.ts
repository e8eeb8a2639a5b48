import { forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import { quantitySign } from "#apimachinery/quantity.ts";
import { type Findings, invalidTexts } from "#apimachinery/validation/checks.ts";
import { checkPathSegment } from "#apimachinery/validation/names.ts";
import { validateTargetReference } from "./horizontal-pod-autoscaler-validation.ts";
import type { MetricIdentifier, MetricSpec, MetricTarget } from "./metric.ts";

/** Source: validateMetrics in pkg/apis/autoscaling/validation. */
const sourceOf = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
} as const;

const metricTypes = Object.keys(sourceOf) as (keyof typeof sourceOf)[];

/** In this order sources are looked at. */
const sources = ["object", "external", "pods", "resource", "containerResource"] as const;

export function* validateMetrics(
  metrics: readonly MetricSpec[],
  minReplicas: number | undefined,
): Findings {
  const reachesZero = metrics.some(({ type }) => type === "Object" || type === "External");
  for (const [i, metric] of metrics.entries()) yield* validateMetric(metric, `spec.metrics[${i}]`);
  if (minReplicas === 0 && !reachesZero) {
    const detail =
      "must specify at least one Object or External metric to support scaling to zero replicas";
    yield forbidden("spec.metrics", detail);
  }
}

function* validateMetric(metric: MetricSpec, path: string): Findings {
  const { type } = metric;
  if (type === "") yield required(`${path}.type`, "must specify a metric source type");
  const known = metricTypes.find((candidate) => candidate === type);
  if (known === undefined) {
    // Upstream finds it twice.
    yield notSupported(`${path}.type`, type, metricTypes);
    yield notSupported(`${path}.type`, type, metricTypes);
    return;
  }
  const name = sourceOf[known];
  for (const source of sources) {
    if (metric[source] === undefined) continue;
    if (source === name) yield* validateSource(metric, `${path}.${source}`);
  }
  if (metric[name] === undefined) {
    yield required(`${path}.${name}`, "must populate information for the given metric source");
    return;
  }
  for (const source of sources) {
    if (source === name || metric[source] === undefined) continue;
    yield forbidden(`${path}.${source}`, "must populate the given metric source only");
  }
}

function* validateSource(metric: MetricSpec, path: string): Findings {
  const { object, external, pods, resource, containerResource } = metric;
  if (metric.type === "Object" && object !== undefined) {
    yield* validateTargetReference(object.describedObject, `${path}.describedObject`);
    yield* validateIdentifier(object.metric, `${path}.metric`);
    yield* validateTarget(object.target, `${path}.target`);
    const { value, averageValue } = object.target;
    if (value === undefined && averageValue === undefined) {
      yield required(
        `${path}.target.averageValue`,
        "must set either a target value or averageValue",
      );
    }
  } else if (metric.type === "External" && external !== undefined) {
    yield* validateIdentifier(external.metric, `${path}.metric`);
    yield* validateTarget(external.target, `${path}.target`);
    const { value, averageValue } = external.target;
    if (value === undefined && averageValue === undefined) {
      const detail = "must set either a target value for metric or a per-pod target";
      yield required(`${path}.target.averageValue`, detail);
    }
    if (value !== undefined && averageValue !== undefined) {
      const detail = "may not set both a target value for metric and a per-pod target";
      yield forbidden(`${path}.target.value`, detail);
    }
  } else if (metric.type === "Pods" && pods !== undefined) {
    yield* validateIdentifier(pods.metric, `${path}.metric`);
    yield* validateTarget(pods.target, `${path}.target`);
    const { averageValue } = pods.target;
    if (averageValue === undefined || quantitySign(averageValue) <= 0) {
      const detail = "must specify a positive target averageValue";
      yield required(`${path}.target.averageValue`, detail);
    }
  } else if (containerResource !== undefined && metric.type === "ContainerResource") {
    if (containerResource.name === "")
      yield required(`${path}.name`, "must specify a resource name");
    const { container } = containerResource;
    if (container === "") yield required(`${path}.container`, "must specify a container");
    else yield* invalidTexts(`${path}.container`, container, checkPathSegment(container));
    yield* validateUsageTarget(containerResource.target, `${path}.target`);
  } else if (resource !== undefined) {
    if (resource.name === "") yield required(`${path}.name`, "must specify a resource name");
    yield* validateUsageTarget(resource.target, `${path}.target`);
  }
}

function* validateUsageTarget(target: MetricTarget, path: string): Findings {
  yield* validateTarget(target, path);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = "must set either a target raw value or a target utilization";
    yield required(`${path}.averageUtilization`, detail);
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const detail = "may not set both a target raw value and a target utilization";
    yield forbidden(`${path}.averageValue`, detail);
  }
}

function* validateTarget(target: MetricTarget, path: string): Findings {
  const { type, value, averageValue, averageUtilization } = target;
  if (type === "") yield required(`${path}.type`, "must specify a metric target type");
  if (!["Utilization", "Value", "AverageValue"].includes(type)) {
    const detail = "must be either Utilization, Value, or AverageValue";
    yield invalid(`${path}.type`, type, detail);
  }
  if (value !== undefined && quantitySign(value) <= 0) {
    yield invalid(`${path}.value`, value, "must be positive");
  }
  if (averageValue !== undefined && quantitySign(averageValue) <= 0) {
    yield invalid(`${path}.averageValue`, averageValue, "must be positive");
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    yield invalid(`${path}.averageUtilization`, averageUtilization, "must be greater than 0");
  }
}

function* validateIdentifier({ name }: MetricIdentifier, path: string): Findings {
  if (name === "") yield required(`${path}.name`, "must specify a metric name");
  else yield* invalidTexts(`${path}.name`, name, checkPathSegment(name));
}
