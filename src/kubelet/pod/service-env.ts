import type { Service } from "#api/core/v1/service.ts";
import { compareBytes } from "#apimachinery/maps.ts";

/**
 * The variables that tell a container where Services are, of Services of its namespace (when it
 * wants them) and of `default/kubernetes`. Source: kubelet/envvars, kubelet_pods.go.
 */
export function serviceEnvironment(
  services: readonly Service[],
  of: { readonly namespace: string; readonly enableServiceLinks: boolean },
): Map<string, string> {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const { name = "", namespace = "" } = service.metadata ?? {};
    if (!hasClusterIp(service)) continue;
    const master = namespace === "default" && name === "kubernetes";
    if (namespace === of.namespace && (of.enableServiceLinks || master)) chosen.set(name, service);
    else if (master && !chosen.has(name)) chosen.set(name, service);
  }
  const env = new Map<string, string>();
  const names = [...chosen.keys()].toSorted(compareBytes);
  for (const name of names) addService(env, name, chosen.get(name));
  return env;
}

function hasClusterIp({ spec }: Service): boolean {
  const ip = spec?.clusterIP ?? "";
  return spec?.type !== "ExternalName" && ip !== "" && ip !== "None";
}

function addService(env: Map<string, string>, name: string, service: Service | undefined): void {
  const prefix = envName(name);
  const ip = service?.spec?.clusterIP ?? "";
  const host = ip.includes(":") ? `[${ip}]` : ip;
  const ports = service?.spec?.ports ?? [];
  const [first] = ports;
  env.set(`${prefix}_SERVICE_HOST`, ip);
  env.set(`${prefix}_SERVICE_PORT`, String(first?.port ?? 0));
  for (const { name: portName = "", port } of ports) {
    if (portName !== "") env.set(`${prefix}_SERVICE_PORT_${envName(portName)}`, String(port));
  }
  for (const [i, { port, protocol = "TCP" }] of ports.entries()) {
    const url = `${protocol.toLowerCase()}://${host}:${port}`;
    const portPrefix = `${prefix}_PORT_${port}_${protocol}`;
    if (i === 0) env.set(`${prefix}_PORT`, url);
    env.set(portPrefix, url);
    env.set(`${portPrefix}_PROTO`, protocol.toLowerCase());
    env.set(`${portPrefix}_PORT`, String(port));
    env.set(`${portPrefix}_ADDR`, ip);
  }
}

function envName(name: string): string {
  return name.replaceAll("-", "_").toUpperCase();
}
