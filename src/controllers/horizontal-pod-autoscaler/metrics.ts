import { errorMessage } from "#base/error-message.ts";
import { quantityMilliValue } from "#apimachinery/quantity.ts";
import type { Client } from "#client/client.ts";

/** What one Pod shows, in thousandths. */
export interface PodMetric {
  readonly value: number;
  readonly timestampMs: number;
  readonly windowMs: number;
}
/** By the Pod's name. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

interface ResourceItem {
  readonly metadata: { readonly name: string };
  readonly timestamp: string;
  readonly window: string;
  readonly containers: readonly { readonly name: string; readonly usage: Readonly<Record<string, string>> }[];
}
interface CustomItem {
  readonly describedObject: { readonly name: string };
  readonly timestamp: string;
  readonly windowSeconds?: number;
  readonly value: string;
}
interface ExternalItem {
  readonly value: string;
}

/** Source: pkg/controller/podautoscaler/metrics/client.go. */
async function listItems<T>(client: Client, path: string, api: string): Promise<readonly T[]> {
  let answer: unknown;
  try {
    answer = await client.raw({ method: "GET", path });
  } catch (error) {
    throw new Error(`unable to fetch metrics from ${api} metrics API: ${errorMessage(error)}`, { cause: error });
  }
  const { items = [] } = answer as { readonly items?: readonly T[] };
  if (items.length === 0) throw new Error(`no metrics returned from ${api} metrics API`);
  return items;
}

/** Go writes the window as a duration; metrics servers give seconds with a fraction at most. */
function windowOf(text: string): number {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(text);
  if (parts === null) return 60_000;
  const [, hours = "0", minutes = "0", seconds = "0"] = parts;
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
}

export interface PodQuery {
  readonly namespace: string;
  /** As text, for the server. */
  readonly selector: string;
}

/** Usage of whole Pods, or of one container in each; a Pod with a silent container is left out. */
export async function fetchResource(client: Client, query: PodQuery, of: { resource: string; container?: string }): Promise<PodMetrics> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${query.namespace}/pods?labelSelector=${encodeURIComponent(query.selector)}`;
  const metrics = new Map<string, PodMetric>();
  for (const item of await listItems<ResourceItem>(client, path, "resource")) {
    const containers = of.container === undefined ? item.containers : item.containers.filter(({ name }) => name === of.container);
    const usages = containers.map(({ usage }) => usage[of.resource]);
    if (usages.length === 0 || usages.includes(undefined)) continue;
    const value = usages.reduce((sum, usage) => sum + quantityMilliValue(usage ?? "0"), 0);
    metrics.set(item.metadata.name, { value, timestampMs: Date.parse(item.timestamp), windowMs: windowOf(item.window) });
  }
  return metrics;
}

export interface MetricName {
  readonly name: string;
  /** As text; empty for all. */
  readonly selector: string;
}

function selectorQuery(metric: MetricName, key: string): string {
  return metric.selector === "" ? "" : `${key}=${encodeURIComponent(metric.selector)}`;
}

export async function fetchPods(client: Client, query: PodQuery, metric: MetricName): Promise<PodMetrics> {
  const more = selectorQuery(metric, "&metricLabelSelector");
  const path =
    `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${query.namespace}/pods/*/${metric.name}` +
    `?labelSelector=${encodeURIComponent(query.selector)}${more}`;
  const items = await listItems<CustomItem>(client, path, "custom");
  return new Map(
    items.map((item) => [
      item.describedObject.name,
      {
        value: quantityMilliValue(item.value),
        timestampMs: Date.parse(item.timestamp),
        windowMs: (item.windowSeconds ?? 60) * 1000,
      },
    ]),
  );
}

/** One value, of one object; `resource` is `plural` or `plural.group`. */
export async function fetchObject(
  client: Client,
  object: { readonly namespace: string; readonly resource: string; readonly name: string },
  metric: MetricName,
): Promise<number> {
  // A namespace describes itself.
  const within = object.resource === "namespaces" ? object.name : object.namespace;
  const of = object.resource === "namespaces" ? "metrics" : `${object.resource}/${object.name}`;
  const more = selectorQuery(metric, "?metricLabelSelector");
  const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${within}/${of}/${metric.name}${more}`;
  const [item] = await listItems<CustomItem>(client, path, "custom");
  return quantityMilliValue(item?.value ?? "0");
}

/** The sum of all values that match. */
export async function fetchExternal(client: Client, namespace: string, metric: MetricName): Promise<number> {
  const more = selectorQuery(metric, "?labelSelector");
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${metric.name}${more}`;
  const items = await listItems<ExternalItem>(client, path, "external");
  return items.reduce((sum, { value }) => sum + quantityMilliValue(value), 0);
}
