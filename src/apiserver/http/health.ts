import type { MetricRegistry } from "#base/metrics.ts";
import type { PathHandler } from "./frontend.ts";
import { sendText } from "./send.ts";

/** One named condition of health. Returns why it fails, or undefined. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<string | undefined> | string | undefined;
}

export interface HealthChecks {
  readonly healthz: readonly HealthCheck[];
  readonly livez: readonly HealthCheck[];
  readonly readyz: readonly HealthCheck[];
}

type Observe = (name: string, type: string, problem: string | undefined) => void;

/** Source: component-base/metrics/prometheus/slis. */
function healthMeter(registry: MetricRegistry): Observe {
  const stability = "STABLE";
  const last = registry.gauge({
    name: "kubernetes_healthcheck",
    help: "1 for checks of health that were fine when last asked, else 0.",
    labels: ["name", "type"],
    stability,
  });
  const total = registry.counter({
    name: "kubernetes_healthchecks_total",
    help: "Checks of health by name, type and result.",
    labels: ["name", "type", "status"],
    stability,
  });
  return (name, type, problem) => {
    last.with(name, type).set(problem === undefined ? 1 : 0);
    total.with(name, type, problem === undefined ? "success" : "error").inc();
  };
}

/** `/healthz`, `/livez`, `/readyz`, each check by its own path, `?verbose`, `?exclude=NAME`. */
export function healthPaths(checks: HealthChecks, registry: MetricRegistry): PathHandler {
  const observe = healthMeter(registry);
  return async ({ exchange, path, query }) => {
    const [, root = "", ...rest] = path.split("/");
    if (root !== "healthz" && root !== "livez" && root !== "readyz") return false;
    const name = rest.join("/");
    if (path.length > root.length + 1) {
      const one = checks[root].find((check) => check.name === name);
      if (one === undefined) return false;
      const problem = await one.check();
      observe(name, root, problem);
      if (problem === undefined) sendText(exchange, 200, "ok");
      else sendText(exchange, 500, `internal server error: ${problem}\n`);
      return true;
    }
    await answerAll(exchange, { root, checks: checks[root], query, observe });
    return true;
  };
}

async function answerAll(
  exchange: Parameters<typeof sendText>[0],
  spec: { root: string; checks: readonly HealthCheck[]; query: URLSearchParams; observe: Observe },
): Promise<void> {
  const excluded = new Set(spec.query.getAll("exclude"));
  let text = "";
  let failed = false;
  for (const check of spec.checks) {
    if (excluded.delete(check.name)) {
      text += `[+]${check.name} excluded: ok\n`;
      continue;
    }
    const problem = await check.check();
    spec.observe(check.name, spec.root, problem);
    failed ||= problem !== undefined;
    text += problem === undefined ? `[+]${check.name} ok\n` : `[-]${check.name} failed: reason withheld\n`;
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(",");
    text += `warn: some health checks cannot be excluded: no matches for ${names}\n`;
  }
  if (failed) sendText(exchange, 500, `${text}${spec.root} check failed\n`);
  else if (spec.query.has("verbose")) sendText(exchange, 200, `${text}${spec.root} check passed\n`);
  else sendText(exchange, 200, "ok");
}
