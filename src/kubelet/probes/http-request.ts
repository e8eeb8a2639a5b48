import type { Container } from "#api/core/v1/container.ts";
import type { HTTPGetAction } from "#api/core/v1/probe.ts";
import type { HttpProbeRequest } from "./probe-network.ts";

/** Source: pkg/probe/http/request.go. Throws on a port that cannot be. */
export function httpRequestOf(
  action: HTTPGetAction,
  target: { readonly container: Container; readonly podIp: string; readonly timeoutMs: number },
): HttpProbeRequest {
  const headers: Record<string, string[]> = {};
  for (const { name, value } of action.httpHeaders ?? []) {
    (headers[name.toLowerCase()] ??= []).push(value);
  }
  headers["user-agent"] ??= ["kube-probe/1.36"];
  headers["accept"] ??= ["*/*"];
  const path = action.path ?? "";
  return {
    scheme: (action.scheme ?? "HTTP").toLowerCase() === "https" ? "https" : "http",
    host: action.host !== undefined && action.host !== "" ? action.host : target.podIp,
    port: portOf(action.port, target.container),
    path: path.startsWith("/") ? path : `/${path}`,
    headers,
    timeoutMs: target.timeoutMs,
  };
}

/** A number, digits, or the name of one of the container's ports. Source: pkg/probe ResolveContainerPort. */
export function portOf(port: number | string, container: Container): number {
  const named = (container.ports ?? []).find(({ name }) => name === port)?.containerPort;
  const number = typeof port === "number" ? port : (named ?? Number(port));
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new Error(
    Number.isInteger(number)
      ? `invalid port number: ${number}`
      : `unable to parse port: ${String(port)}`,
  );
}

export function urlText({ scheme, host, port, path }: HttpProbeRequest): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
}
