import type { Clock } from "#base/clock.ts";
import type { HttpExchange } from "#base/http.ts";
import type { Counter, Gauge, Histogram, MetricFamily, MetricRegistry } from "#base/metrics.ts";
import { metricsText } from "#base/metrics-text.ts";
import type { ApiTable } from "../api-table.ts";
import type { PathHandler, RequestFilter } from "../http/frontend.ts";
import { isLongRunning } from "../http/query-options.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { kubernetesVersion } from "../http/version.ts";

export interface ServerMetricsOptions {
  readonly registry: MetricRegistry;
  readonly clock: Clock;
  readonly features: readonly { readonly name: string; readonly stage: string; readonly enabled: boolean }[];
}

const requestLabels = ["verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component"];
const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const withoutDryRun = requestLabels.filter((label) => label !== "dry_run");

interface Meters {
  readonly requests: MetricFamily<Counter>;
  readonly durations: MetricFamily<Histogram>;
  readonly inFlight: MetricFamily<Gauge>;
  readonly longRunning: MetricFamily<Gauge>;
  readonly clock: Clock;
}

/** Counts and times every request; the outermost filter. Names are upstream's stable ones. */
export function requestMetrics({ registry, clock }: ServerMetricsOptions): RequestFilter {
  const stability = "STABLE";
  const meters: Meters = {
    clock,
    requests: registry.counter({
      name: "apiserver_request_total",
      help: "Requests by verb, dry run, group, version, resource, scope, component, client and code.",
      labels: [...requestLabels, "system_client", "code"],
      stability,
    }),
    durations: registry.histogram({
      name: "apiserver_request_duration_seconds",
      help: "Time to answer by verb, dry run, group, version, resource, subresource, scope and component.",
      labels: requestLabels,
      buckets: durationBuckets,
      stability,
    }),
    inFlight: registry.gauge({
      name: "apiserver_current_inflight_requests",
      help: "Requests that are being answered now, by kind.",
      labels: ["request_kind"],
      stability,
    }),
    longRunning: registry.gauge({
      name: "apiserver_longrunning_requests",
      help: "Watches and streams that are open now.",
      labels: withoutDryRun,
      stability,
    }),
  };
  meters.inFlight.with("mutating").set(0);
  meters.inFlight.with("readOnly").set(0);
  return (request, next) => measure(meters, request, next);
}

async function measure(
  { requests, durations, inFlight, longRunning, clock }: Meters,
  { exchange, info, user }: Parameters<RequestFilter>[0],
  next: () => Promise<void>,
): Promise<void> {
  const startedMs = clock.monotonicMs();
  const labels = labelsOf(exchange, info);
  const lasts = isLongRunning(info);
  const kind = readVerbs.has(info.verb) ? "readOnly" : "mutating";
  const open = lasts ? longRunning.with(...labels.filter((_label, i) => i !== 1)) : inFlight.with(kind);
  open.inc();
  try {
    await next();
  } finally {
    open.dec();
    const client = user.name.startsWith("system:") ? user.name.slice("system:".length) : "";
    requests.with(...labels, client, String(exchange.status ?? 0)).inc();
    if (!lasts) durations.with(...labels).observe((clock.monotonicMs() - startedMs) / 1000);
  }
}

const readVerbs = new Set(["get", "list", "watch"]);

function labelsOf(exchange: HttpExchange, info: RequestInfo): string[] {
  const { group, version, resource, subresource } = info;
  const verb = info.isResource ? info.verb.toUpperCase() : exchange.method;
  const dryRun = exchange.url.includes("dryRun=All") ? "All" : "";
  return [verb, dryRun, group, version, resource, subresource, scopeOf(info), "apiserver"];
}

function scopeOf(info: RequestInfo): string {
  if (!info.isResource) return "";
  if (info.name !== "" || info.verb === "create") return "resource";
  return info.namespace === "" ? "cluster" : "namespace";
}

/** `/metrics`: what was counted, with what is true now. */
export function metricsPath(table: ApiTable, options: ServerMetricsOptions): PathHandler {
  const { registry } = options;
  describeBuild(registry);
  const enabled = registry.gauge({
    name: "kubernetes_feature_enabled",
    help: "Whether a feature gate is on.",
    labels: ["name", "stage"],
    stability: "BETA",
  });
  for (const feature of options.features) enabled.with(feature.name, feature.stage).set(feature.enabled ? 1 : 0);
  const objects = registry.gauge({
    name: "apiserver_storage_objects",
    help: "Objects that are stored, by resource.",
    labels: ["resource"],
    stability: "STABLE",
  });
  return async ({ exchange, path }) => {
    if (path !== "/metrics") return false;
    await countObjects(table, objects);
    const { contentType, body } = metricsText(registry, exchange.headers["accept"]);
    exchange.respond(200, { "content-type": contentType }, body);
    return true;
  };
}

const buildLabels = {
  major: "major",
  minor: "minor",
  gitVersion: "git_version",
  gitCommit: "git_commit",
  gitTreeState: "git_tree_state",
  buildDate: "build_date",
  goVersion: "go_version",
  compiler: "compiler",
  platform: "platform",
} as const;

function describeBuild(registry: MetricRegistry): void {
  const fields = Object.keys(buildLabels) as (keyof typeof buildLabels)[];
  const info = registry.gauge({
    name: "kubernetes_build_info",
    help: "Always 1, with the version as labels.",
    labels: fields.map((field) => buildLabels[field]),
    stability: "BETA",
  });
  info.with(...fields.map((field) => kubernetesVersion[field])).set(1);
}

async function countObjects(table: ApiTable, objects: MetricFamily<Gauge>): Promise<void> {
  objects.clear();
  const counted = new Set<string>();
  for (const { definition, storage } of table.endpoints()) {
    if (definition.handler !== undefined || counted.has(storage.prefix)) continue;
    counted.add(storage.prefix);
    const { group, plural } = definition;
    objects.with(group === "" ? plural : `${plural}.${group}`).set(await storage.count());
  }
}
