import type { MetricRegistry } from "#base/metrics.ts";
import { metricsText } from "#base/metrics-text.ts";
import type { ApiTable } from "../api-table.ts";
import type { PathHandler } from "../http/frontend.ts";
import { kubernetesVersion } from "../http/version.ts";
import { storedObjects } from "./stored-objects.ts";

export interface ServerMetricsOptions {
  readonly registry: MetricRegistry;
  /** Of the store; undefined where it is not on a disk of this machine. */
  readonly diskBytes: () => number | undefined;
  readonly features: readonly { readonly name: string; readonly stage: string; readonly enabled: boolean }[];
}

/** `/metrics`: what was counted, with what is true now. */
export function metricsPath(table: ApiTable, options: ServerMetricsOptions): PathHandler {
  const { registry } = options;
  describeBuild(registry);
  countFamilies(registry);
  const enabled = registry.gauge({
    name: "kubernetes_feature_enabled",
    help: "Whether a feature gate is on.",
    labels: ["name", "stage"],
    stability: "BETA",
  });
  for (const feature of options.features) enabled.with(feature.name, feature.stage).set(feature.enabled ? 1 : 0);
  const countObjects = storedObjects(table, registry);
  const size = registry.gauge({
    name: "apiserver_storage_size_bytes",
    help: "Bytes that the store takes on disk.",
    labels: ["storage_cluster_id"],
    stability: "STABLE",
  });
  return async ({ exchange, path }) => {
    if (path !== "/metrics") return false;
    await countObjects();
    const diskBytes = options.diskBytes();
    if (diskBytes !== undefined) size.with("storage-cluster-0").set(diskBytes);
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

/** How many metrics there are. Source: component-base/metrics/registry.go. */
function countFamilies(registry: MetricRegistry): void {
  const registered = registry.counter({
    name: "registered_metrics_total",
    help: "Metrics of this process, by stability.",
    labels: ["stability_level", "deprecated_version"],
    stability: "BETA",
  });
  for (const what of ["hidden", "disabled"]) {
    registry.counter({ name: `${what}_metrics_total`, help: `Metrics that are ${what}: none.`, stability: "BETA" }).with();
  }
  registry.onCollect(() => {
    for (const [stability, count] of registry.counts) {
      const cell = registered.with(stability, "");
      cell.inc(count - cell.value);
    }
  });
}
