import { errorMessage } from "#base/error-message.ts";
import type { HorizontalPodAutoscaler } from "#api/autoscaling/v2/horizontal-pod-autoscaler.ts";
import type { CrossVersionObjectReference, MetricIdentifier, MetricSpec, MetricStatus, MetricTarget } from "#api/autoscaling/v2/metric.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { formatQuantity, milliQuantity, quantityMilliValue } from "#apimachinery/quantity.ts";
import { formatSelector, labelSelectorOf } from "#apimachinery/selectors.ts";
import type { Client } from "#client/client.ts";
import { type Proposal, proposeByPods, proposeByShare, proposeByValue, type Target, type Tolerance } from "./calculator.ts";
import { fetchExternal, fetchObject, fetchPods, fetchResource, type MetricName, type PodMetrics } from "./metrics.ts";

export interface MetricContext {
  readonly client: Client;
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly pods: readonly Pod[];
  /** The scale's, as text. */
  readonly selector: string;
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly tolerance: Tolerance;
  readonly nowMs: number;
  /** `plural.group` of the object. */
  readonly resourceOf: (reference: CrossVersionObjectReference) => Promise<string>;
}

export interface MetricResult {
  readonly replicas: number;
  readonly status: MetricStatus;
  /** As in `<name> above target`. */
  readonly name: string;
}

/** A metric that could not be had: `reason` is an event's and a condition's. */
export class MetricError extends Error {
  override readonly name = "MetricError";
  readonly reason: string;
  /** With what was asked for, as among the metrics of one autoscaler. */
  readonly full: string;
  constructor(reason: string, message: string, full: string) {
    super(message);
    this.reason = reason;
    this.full = full;
  }
}

/** Asks one metric how many replicas there should be. Throws `MetricError`. */
export async function proposeByMetric(context: MetricContext, metric: MetricSpec): Promise<MetricResult> {
  const { type, resource, containerResource, pods, object, external } = metric;
  if (resource) return await askResource(context, resource);
  if (containerResource) return await askContainerResource(context, containerResource);
  if (pods) return await askPods(context, pods);
  if (object) return await askObject(context, object);
  if (external) return await askExternal(context, external);
  const message = `unknown metric source type "${type}"`;
  throw new MetricError("InvalidMetricSourceType", message, message);
}

type Source<K extends keyof MetricSpec> = NonNullable<MetricSpec[K]>;

async function askResource(context: MetricContext, source: Source<"resource">): Promise<MetricResult> {
  const { name: of, target } = source;
  const failed = failure("FailedGetResourceMetric", `failed to get ${of} `, `failed to get ${of} resource metric value: `);
  const { proposal, name } = await failed(resourceWhat(target), () => byResource(context, source));
  const status = { type: "Resource", resource: { name: of, current: currentOf(proposal, true) } };
  return { replicas: proposal.replicas, status, name };
}

async function askContainerResource(context: MetricContext, source: Source<"containerResource">): Promise<MetricResult> {
  const { name: of, container, target } = source;
  const full = `failed to get ${of} container metric value: `;
  const failed = failure("FailedGetContainerResourceMetric", `failed to get ${of} `, full);
  const { proposal, name } = await failed(resourceWhat(target), () => byResource(context, source));
  const current = currentOf(proposal, true);
  const status = { type: "ContainerResource", containerResource: { name: of, container, current } };
  return { replicas: proposal.replicas, status, name };
}

async function askPods(context: MetricContext, { metric, target }: Source<"pods">): Promise<MetricResult> {
  const failed = failure("FailedGetPodsMetric", "", "failed to get pods metric value: ");
  const proposal = await failed("", async () => {
    const fetched = await wrapped(`unable to get metric ${metric.name}: `, () =>
      fetchPods(context.client, queryOf(context), nameOf(metric)),
    );
    const averageMilli = quantityMilliValue(target.averageValue ?? "0");
    return proposeByPods(podInput(context, fetched), { averageMilli });
  });
  const status = { type: "Pods", pods: { metric, current: currentOf(proposal, true) } };
  return { replicas: proposal.replicas, status, name: `pods metric ${metric.name}` };
}

async function askObject(context: MetricContext, source: Source<"object">): Promise<MetricResult> {
  const { metric, describedObject, target } = source;
  const prefix = `failed to get ${metric.name} object metric`;
  const failed = failure("FailedGetObjectMetric", prefix, "failed to get object metric value: ");
  const proposal = await failed(": ", async () => byValue(context, target, await objectValue(context, metric, describedObject)));
  const current = currentOf(proposal, target.type === "AverageValue");
  const status = { type: "Object", object: { metric, current, describedObject } };
  return { replicas: proposal.replicas, status, name: `${describedObject.kind} metric ${metric.name}` };
}

async function askExternal(context: MetricContext, { metric, target }: Source<"external">): Promise<MetricResult> {
  const { name } = metric;
  const prefix = `failed to get ${name} external metric`;
  const failed = failure("FailedGetExternalMetric", prefix, `${prefix} value: `);
  const namespace = context.autoscaler.metadata.namespace ?? "";
  const asked = `unable to get external metric ${namespace}/${name}/${selectorText(metric)}: `;
  const proposal = await failed(": ", async () => {
    const value = await wrapped(asked, () => fetchExternal(context.client, namespace, nameOf(metric)));
    return byValue(context, target, value);
  });
  const current = currentOf(proposal, target.type === "AverageValue");
  const status = { type: "External", external: { metric, current } };
  return { replicas: proposal.replicas, status, name: `external metric ${name}(${selectorText(metric)})` };
}

type Guard = <T>(what: string, run: () => Promise<T>) => Promise<T>;

function failure(reason: string, prefix: string, full: string): Guard {
  return async (what, run) => {
    try {
      return await run();
    } catch (error) {
      const message = `${prefix}${what}${errorMessage(error)}`;
      throw new MetricError(reason, message, `${full}${message}`);
    }
  };
}

async function wrapped<T>(prefix: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new Error(`${prefix}${errorMessage(error)}`, { cause: error });
  }
}

function resourceWhat(target: MetricTarget): string {
  return target.averageValue === undefined ? "utilization: " : "usage: ";
}

function queryOf({ autoscaler, selector }: MetricContext): { namespace: string; selector: string } {
  return { namespace: autoscaler.metadata.namespace ?? "", selector };
}

function selectorText({ selector }: MetricIdentifier): string {
  return selector === undefined ? "nil" : `&LabelSelector{${formatSelector(labelSelectorOf(selector))}}`;
}

function nameOf(metric: MetricIdentifier): MetricName {
  return { name: metric.name, selector: metric.selector ? formatSelector(labelSelectorOf(metric.selector)) : "" };
}

function podInput({ pods, specReplicas, tolerance, nowMs }: MetricContext, metrics: PodMetrics) {
  return { pods, metrics, replicas: specReplicas, tolerance, nowMs };
}

async function byResource(
  context: MetricContext,
  source: { readonly name: string; readonly container?: string; readonly target: MetricTarget },
): Promise<{ proposal: Proposal; name: string }> {
  const { name: resource, container, target } = source;
  const of = { resource, ...(container !== undefined && { container }) };
  const metrics = await wrapped(`unable to get metrics for resource ${resource}: `, () =>
    fetchResource(context.client, queryOf(context), of),
  );
  const wanted = targetOf(target);
  const proposal = proposeByPods({ ...podInput(context, metrics), ...of }, wanted);
  const kind = container === undefined ? "resource" : "container resource";
  return { proposal, name: "utilization" in wanted ? `${resource} ${kind} utilization (percentage of request)` : `${resource} ${kind}` };
}

function targetOf({ averageValue, averageUtilization }: MetricTarget): Target {
  if (averageValue !== undefined) return { averageMilli: quantityMilliValue(averageValue) };
  if (averageUtilization !== undefined) return { utilization: averageUtilization };
  throw new Error("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set");
}

async function objectValue(context: MetricContext, metric: MetricIdentifier, object: CrossVersionObjectReference): Promise<number> {
  const namespace = context.autoscaler.metadata.namespace ?? "";
  return await wrapped(`unable to get metric ${metric.name}: ${object.kind} on ${namespace} ${object.name}/`, async () => {
    const resource = await context.resourceOf(object);
    return await fetchObject(context.client, { namespace, resource, name: object.name }, nameOf(metric));
  });
}

function byValue({ pods, specReplicas, statusReplicas, tolerance }: MetricContext, target: MetricTarget, valueMilli: number): Proposal {
  if (target.value !== undefined) {
    return proposeByValue({ valueMilli, replicas: specReplicas, pods, tolerance }, quantityMilliValue(target.value));
  }
  if (target.averageValue === undefined) {
    throw new Error("invalid metric source: neither a value target nor an average value target was set");
  }
  return proposeByShare({ valueMilli, replicas: statusReplicas, pods, tolerance }, quantityMilliValue(target.averageValue));
}

function currentOf({ averageMilli, utilization }: Proposal, isAverage: boolean) {
  const value = formatQuantity(milliQuantity(averageMilli));
  return {
    ...(isAverage ? { averageValue: value } : { value }),
    ...(utilization !== undefined && { averageUtilization: utilization }),
  };
}
