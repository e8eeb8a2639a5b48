import type { Clock } from "#base/clock.ts";
import type { HttpExchange } from "#base/http.ts";
import type { Counter, Gauge, Histogram, MetricFamily, MetricRegistry } from "#base/metrics.ts";
import { exponentialBuckets } from "#base/metrics.ts";
import type { ApiTable } from "../api-table.ts";
import type { FilteredRequest, RequestFilter } from "../http/frontend.ts";
import { isLongRunning } from "../http/query-options.ts";
import type { RequestInfo } from "../http/request-info.ts";

const scopeLabels = ["group", "version", "resource", "subresource", "scope", "component"];
const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const watchListBuckets = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60];

interface Families {
  readonly requests: MetricFamily<Counter>;
  readonly durations: MetricFamily<Histogram>;
  readonly sizes: MetricFamily<Histogram>;
  readonly longRunning: MetricFamily<Gauge>;
  readonly watchLists: MetricFamily<Histogram>;
  readonly deprecated: MetricFamily<Gauge>;
}

/** Counts and times every request; the outermost filter. Source: endpoints/metrics/metrics.go. */
export function requestMetrics(registry: MetricRegistry, clock: Clock, table: ApiTable): RequestFilter {
  const families = familiesOf(registry);
  const known = new Map<string, Series>();
  const inFlight = { readOnly: new Peak(), mutating: new Peak() };
  registerPeaks(registry, clock, inFlight);
  return async (request, next) => {
    const { exchange, info } = request;
    const startedMs = clock.monotonicMs();
    const series = seriesOf(families, known, request, table);
    const lasts = isLongRunning(info);
    const kind = readVerbs.has(info.verb) ? inFlight.readOnly : inFlight.mutating;
    if (lasts) series.longRunning.inc();
    else kind.add(1, startedMs);
    if (info.verb === "watch" && lasts) noteWatchList(families, request, () => clock.monotonicMs() - startedMs);
    try {
      await next();
    } finally {
      const endedMs = clock.monotonicMs();
      if (lasts) series.longRunning.dec();
      else {
        kind.add(-1, endedMs);
        series.durations.observe((endedMs - startedMs) / 1000);
        if (exchange.method === "GET") series.sizes.observe(exchange.sentBytes);
      }
      countOf(families, series, request).inc();
    }
  };
}

const readVerbs = new Set(["get", "list", "watch"]);

function familiesOf(registry: MetricRegistry): Families {
  const stability = "STABLE";
  return {
    requests: registry.counter({
      name: "apiserver_request_total",
      help: "Requests by verb, dry run, group, version, resource, scope, component, client and code.",
      labels: ["verb", "dry_run", ...scopeLabels, "system_client", "code"],
      stability,
    }),
    durations: registry.histogram({
      name: "apiserver_request_duration_seconds",
      help: "Time to answer by verb, dry run, group, version, resource, subresource, scope and component.",
      labels: ["verb", "dry_run", ...scopeLabels],
      buckets: durationBuckets,
      stability,
    }),
    sizes: registry.histogram({
      name: "apiserver_response_sizes",
      help: "Bytes of the answers to reads, by verb, group, version, resource, subresource, scope and component.",
      labels: ["verb", ...scopeLabels],
      buckets: exponentialBuckets(1000, 10, 7),
      stability,
    }),
    longRunning: registry.gauge({
      name: "apiserver_longrunning_requests",
      help: "Watches and streams that are open now.",
      labels: ["verb", ...scopeLabels],
      stability,
    }),
    watchLists: registry.histogram({
      name: "apiserver_watch_list_duration_seconds",
      help: "Time until the initial events of a watch were out that had asked for them.",
      labels: ["group", "version", "resource", "scope"],
      buckets: watchListBuckets,
      stability: "BETA",
    }),
    deprecated: registry.gauge({
      name: "apiserver_requested_deprecated_apis",
      help: "1 for deprecated APIs that were asked for, with the release that no longer has them.",
      labels: ["group", "version", "resource", "subresource", "removed_release"],
      stability,
    }),
  };
}

/** The cells of one sort of request: looked up once, not at each request. */
interface Series {
  readonly labels: readonly string[];
  readonly durations: Histogram;
  readonly sizes: Histogram;
  readonly longRunning: Gauge;
  readonly counts: Map<string, Counter>;
}

/** Sorts of requests whose cells are kept; beyond this they are looked up anew. */
const seriesMax = 10_000;

function seriesOf(families: Families, known: Map<string, Series>, request: FilteredRequest, table: ApiTable): Series {
  const { info, exchange } = request;
  const { group, version, resource } = info;
  const scope = scopeOf(info);
  const subresource = info.isResource ? info.subresource : healthOf(info.path);
  const verb = verbOf(exchange, info, scope);
  const dryRun = exchange.url.includes("dryRun") ? dryRunOf(request.query) : "";
  const key = `${verb} ${dryRun} ${group} ${version} ${resource} ${subresource} ${scope}`;
  let series = known.get(key);
  if (series !== undefined) return series;
  const scoped = [group, version, resource, subresource, scope, "apiserver"];
  series = {
    labels: [verb, dryRun, ...scoped],
    durations: families.durations.with(verb, dryRun, ...scoped),
    sizes: families.sizes.with(verb, ...scoped),
    longRunning: families.longRunning.with(verb, ...scoped),
    counts: new Map(),
  };
  if (known.size >= seriesMax) known.clear();
  known.set(key, series);
  const deprecation = info.isResource ? table.find(group, version, resource)?.definition.deprecation : undefined;
  if (deprecation !== undefined) {
    families.deprecated.with(group, version, resource, subresource, removedIn(deprecation)).set(1);
  }
  return series;
}

function countOf({ requests }: Families, { labels, counts }: Series, { exchange, user }: FilteredRequest): Counter {
  const client = user.name.startsWith("system:") ? user.name.slice("system:".length) : "";
  const code = String(exchange.status ?? (exchange.answered ? 101 : 0));
  const key = client === "" ? code : `${code} ${client}`;
  let counter = counts.get(key);
  if (counter === undefined) counts.set(key, (counter = requests.with(...labels, client, code)));
  return counter;
}

/** `1.40` of a text that says `unavailable in v1.40+`. */
function removedIn(deprecation: string): string {
  return /unavailable in v(\d+\.\d+)\+/.exec(deprecation)?.[1] ?? "";
}

const methods = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const connecting = new Set(["log", "exec", "portforward", "attach", "proxy"]);

/** Source: endpoints/metrics/metrics.go CanonicalVerb and CleanVerb. */
function verbOf({ method, headers }: HttpExchange, { verb, isResource, subresource }: RequestInfo, scope: string): string {
  if (isResource && connecting.has(subresource)) return "CONNECT";
  if (verb === "watch") return "WATCH";
  if (method === "GET" || method === "HEAD") return scope === "resource" || scope === "" ? "GET" : "LIST";
  if (method === "PATCH" && headers["content-type"] === "application/apply-patch+yaml") return "APPLY";
  return methods.has(method) ? method : "other";
}

function scopeOf({ isResource, name, verb, namespace }: RequestInfo): string {
  if (name !== "" || verb === "create") return "resource";
  if (namespace !== "") return "namespace";
  return isResource ? "cluster" : "";
}

/** Of paths that are no resources only checks of health are told apart. */
function healthOf(path: string): string {
  return path === "/healthz" || path === "/livez" || path === "/readyz" ? path : "";
}

function dryRunOf(query: URLSearchParams): string {
  const values = new Set(query.getAll("dryRun"));
  return [...values].every((value) => value === "All") ? [...values].join(",") : "invalid";
}

function noteWatchList({ watchLists }: Families, request: FilteredRequest, passedMs: () => number): void {
  const { info, query } = request;
  const asked = query.get("sendInitialEvents");
  if (asked === null || asked === "false" || asked === "0") return;
  const { group, version, resource } = info;
  request.whenInitialized(() => watchLists.with(group, version, resource, scopeOf(info)).observe(passedMs() / 1000));
}

/** The largest of a number that goes up and down, over this second and the last. */
class Peak {
  #now = 0;
  #second = 0;
  #peak = 0;
  #last = 0;

  add(by: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#now += by;
    if (this.#now > this.#peak) this.#peak = this.#now;
  }

  read(nowMs: number): number {
    this.#turn(nowMs);
    return Math.max(this.#peak, this.#last);
  }

  #turn(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) return;
    this.#last = second === this.#second + 1 ? this.#peak : this.#now;
    this.#peak = this.#now;
    this.#second = second;
  }
}

function registerPeaks(registry: MetricRegistry, clock: Clock, { readOnly, mutating }: Record<"readOnly" | "mutating", Peak>): void {
  const gauge = registry.gauge({
    name: "apiserver_current_inflight_requests",
    help: "Most requests that were being answered at once in the last second, by kind.",
    labels: ["request_kind"],
    stability: "STABLE",
  });
  registry.onCollect(() => {
    gauge.with("readOnly").set(readOnly.read(clock.monotonicMs()));
    gauge.with("mutating").set(mutating.read(clock.monotonicMs()));
  });
}
