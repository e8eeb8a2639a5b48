import { pods } from "#api/core/v1/pod.ts";
import type { PathHandler } from "#apiserver/http/frontend.ts";
import { createMetricRegistry } from "#base/metrics.ts";
import { metricsText } from "#base/metrics-text.ts";
import type { Client } from "#client/client.ts";

/** `/metrics/resources` of a scheduler in this process. `client`: undefined where none runs. */
export function resourcesPath(client: () => Client | undefined): PathHandler {
  return async ({ exchange, path }) => {
    const api = path === "/metrics/resources" ? client() : undefined;
    if (api === undefined) return false;
    const { resourceMetrics } = await import("#scheduler/resource-metrics.ts");
    const { items } = await api.resource(pods).list({ resourceVersion: "0" });
    const registry = createMetricRegistry();
    resourceMetrics(registry, items);
    const { contentType, body } = metricsText(registry, exchange.headers["accept"]);
    exchange.respond(200, { "content-type": contentType }, body);
    return true;
  };
}
