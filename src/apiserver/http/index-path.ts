import type { ApiTable } from "../api-table.ts";
import type { PathHandler } from "./frontend.ts";
import type { HealthChecks } from "./health.ts";
import { sendJson } from "./send.ts";

const ownPaths = [
  "/.well-known/openid-configuration",
  "/api",
  "/api/v1",
  "/apis",
  "/apis/",
  "/metrics",
  "/openapi/v2",
  "/openapi/v3",
  "/openapi/v3/",
  "/openid/v1/jwks",
  "/version",
];

/** `/`: every path that the server answers, sorted. */
export function indexPath(table: ApiTable, checks: HealthChecks): PathHandler {
  return ({ exchange, path }) => {
    if (path !== "/" && path !== "/index.html") return Promise.resolve(false);
    sendJson(exchange, { paths: pathsOf(table, checks) });
    return Promise.resolve(true);
  };
}

function pathsOf(table: ApiTable, checks: HealthChecks): string[] {
  const paths = new Set(ownPaths);
  for (const { definition } of table.endpoints()) {
    if (definition.group === "") continue;
    paths.add(`/apis/${definition.group}`);
    paths.add(`/apis/${definition.group}/${definition.version}`);
  }
  for (const root of ["healthz", "livez", "readyz"] as const) {
    paths.add(`/${root}`);
    for (const { name } of checks[root]) paths.add(`/${root}/${name}`);
  }
  return [...paths].toSorted();
}
