/** The kubelet's HTTP API. Source: kubelet/server/server.go. */
import type { HttpClient, HttpExchange, HttpHandler } from "#base/http.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import { metricsText } from "#base/metrics-text.ts";
import type { Kubelet } from "../kubelet.ts";
import type { KubeletConfig } from "../config.ts";
import { type KubeletAuth, nodeAttributes } from "./authorization.ts";
import { serveContainerLog } from "./log-route.ts";
import { runningPods } from "./running-pods.ts";
import { readNodeLog } from "./node-logs.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import { serveAttach, serveExec, servePortForward, serveRun } from "./stream-routes.ts";
import { statsSummary } from "./stats-summary.ts";
import { createUsageRates, type UsageRates } from "./usage-rates.ts";

export interface KubeletServerOptions {
  readonly kubelet: Kubelet;
  readonly config: KubeletConfig;
  /** Undefined lets everybody in: for a server that only its own process reaches. */
  readonly auth: KubeletAuth | undefined;
  readonly metrics: MetricRegistry;
  /** Towards the runtime's streaming server. */
  readonly openHttpClient: (baseUrl: string) => HttpClient;
}

export interface Routed {
  readonly exchange: HttpExchange;
  /** Decoded parts of the path after the route's name. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  readonly options: KubeletServerOptions;
  readonly rates: UsageRates;
}

type Route = (routed: Routed) => void | Promise<void>;

/** By the first part of the path. */
const routes: Readonly<Record<string, Route>> = {
  healthz: ({ exchange }) => exchange.respond(200, plain, "ok"),
  pods: servePods,
  runningpods: serveRunningPods,
  containerLogs: serveContainerLog,
  exec: serveExec,
  attach: serveAttach,
  portForward: servePortForward,
  run: serveRun,
  configz: ({ exchange, options }) => json(exchange, { kubeletconfig: kubeletConfiguration(options.config) }),
  stats: serveStats,
  metrics: serveMetrics,
  logs: serveNodeLogs,
};

const plain = { "content-type": "text/plain; charset=utf-8" };

export function kubeletHandler(options: KubeletServerOptions): HttpHandler {
  const rates = createUsageRates();
  return async (exchange) => {
    if (!(await admit(exchange, options.auth))) return;
    const url = new URL(exchange.url, "https://node");
    const [name = "", ...parts] = url.pathname.slice(1).split("/").map(decodeURIComponent);
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (route === undefined) return exchange.respond(404, plain, "404 page not found\n");
    await route({ exchange, parts, query: url.searchParams, options, rates });
  };
}

async function admit(exchange: HttpExchange, auth: KubeletAuth | undefined): Promise<boolean> {
  if (auth === undefined) return true;
  const user = await auth.authenticate(exchange);
  if (user === undefined) {
    exchange.respond(401, plain, "Unauthorized");
    return false;
  }
  const attributes = nodeAttributes(exchange);
  if (await auth.authorize(user, attributes)) return true;
  const { verb, subresources } = attributes;
  exchange.respond(
    403,
    plain,
    `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}])`,
  );
  return false;
}

export function json(exchange: HttpExchange, value: object): void {
  exchange.respond(200, { "content-type": "application/json" }, JSON.stringify(value));
}

export function refuse(exchange: HttpExchange, status: number, message: string): void {
  exchange.respond(status, plain, message);
}

function servePods({ exchange, options }: Routed): void {
  podList(
    exchange,
    options.kubelet.pods.list().map(({ pod }) => pod),
  );
}

function serveRunningPods({ exchange, options }: Routed): void {
  podList(exchange, runningPods(options.kubelet));
}

function podList(exchange: HttpExchange, items: readonly object[]): void {
  json(exchange, { kind: "PodList", apiVersion: "v1", metadata: {}, items });
}

async function serveNodeLogs({ exchange, parts, options }: Routed): Promise<void> {
  const log = await readNodeLog(options.kubelet, parts);
  if (log === undefined) return refuse(exchange, 404, "404 page not found\n");
  exchange.respond(200, { "content-type": log.contentType }, log.content);
}

async function serveStats({ exchange, parts, options, rates }: Routed): Promise<void> {
  if (parts[0] !== "summary") return refuse(exchange, 404, "404 page not found\n");
  json(exchange, await statsSummary(options.kubelet, rates));
}

async function serveMetrics({ exchange, parts, options }: Routed): Promise<void> {
  const type = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };
  const [kind = ""] = parts;
  if (kind === "") {
    const { contentType, body } = metricsText(options.metrics, exchange.headers["accept"]);
    return exchange.respond(200, { "content-type": contentType }, body);
  }
  if (kind === "resource" || kind === "cadvisor") {
    return exchange.respond(200, type, await resourceMetrics(options.kubelet));
  }
  if (kind === "probes") return exchange.respond(200, type, "");
  refuse(exchange, 404, "404 page not found\n");
}

/** The part of a KubeletConfiguration that we have. */
function kubeletConfiguration(config: KubeletConfig): object {
  return {
    kind: "KubeletConfiguration",
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    port: config.port,
    clusterDomain: config.clusterDns.domain,
    clusterDNS: config.clusterDns.servers,
    maxPods: config.maxPods,
    podPidsLimit: config.podPidsMax,
    resolvConf: config.resolvConfPath,
    allowedUnsafeSysctls: config.allowedUnsafeSysctls,
    containerLogMaxFiles: config.containerLogFilesMax,
    containerLogMaxSize: `${config.containerLogSizeMaxBytes >> 20}Mi`,
    cgroupRoot: `/${config.cgroupRoot}`,
  };
}
