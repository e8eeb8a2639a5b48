import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import type { Column } from "#apimachinery/resource.ts";
import type { HorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from "./metric.ts";

/** Source: printHorizontalPodAutoscaler in pkg/printers/internalversion. */
export const autoscalerColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  nameColumn,
  column("Reference", ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`, {
    description: "What is scaled.",
  }),
  column("Targets", targetsText, { description: "Current and wanted values of the metrics." }),
  column("MinPods", ({ spec }) => `${spec.minReplicas ?? "<unset>"}`, {
    description: "The fewest replicas.",
  }),
  column("MaxPods", ({ spec }) => spec.maxReplicas, { description: "The most replicas." }),
  column("Replicas", ({ status }) => status?.currentReplicas ?? 0, {
    description: "Replicas that there were at last.",
  }),
  ageColumn,
];

const metricsShownMax = 2;
const unknown = "<unknown>";

function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const shown = metrics
    .slice(0, metricsShownMax)
    .map((metric, i) => metricText(metric, status?.currentMetrics?.[i]));
  const rest = metrics.length - metricsShownMax;
  return rest > 0 ? `${shown.join(", ")} + ${rest} more...` : shown.join(", ");
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case "Resource":
    case "ContainerResource": {
      const isPlain = spec.type === "Resource";
      const source = isPlain ? spec.resource : spec.containerResource;
      const current = (isPlain ? status?.resource : status?.containerResource)?.current;
      return source === undefined
        ? unknown
        : `${source.name}: ${usageText(source.target, current)}`;
    }
    case "Pods":
      return ratio(status?.pods?.current.averageValue, spec.pods?.target.averageValue);
    case "Object":
      return valueText(spec.object?.target, status?.object?.current);
    case "External":
      return valueText(spec.external?.target, status?.external?.current);
    default:
      return "<unknown type>";
  }
}

function usageText(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) return ratio(current?.averageValue, target.averageValue);
  const wanted =
    target.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`;
  const used = current?.averageUtilization;
  return ratio(used === undefined ? undefined : `${used}%`, wanted);
}

function valueText(
  target: MetricTarget | undefined,
  current: MetricValueStatus | undefined,
): string {
  if (target?.averageValue === undefined) return ratio(current?.value, target?.value);
  return `${ratio(current?.averageValue, target.averageValue)} (avg)`;
}

function ratio(current: string | undefined, wanted: string | undefined): string {
  return `${current ?? unknown}/${wanted ?? unknown}`;
}
