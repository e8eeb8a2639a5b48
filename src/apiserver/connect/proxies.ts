import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Service } from "#api/core/v1/service.ts";
import type { EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import type { HttpClient } from "#base/http.ts";
import type { Random } from "#base/random.ts";
import { badRequest, notFound, serviceUnavailable } from "#apimachinery/status.ts";
import { proxyHttp } from "#wire/http-proxy.ts";
import { proxyUpgrade } from "#wire/upgrade-proxy.ts";
import type { ConnectHandler, ConnectRequest } from "../http/frontend.ts";
import { get } from "../rest/list.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { pickReady, slicesOf } from "../webhooks/service-endpoint.ts";
import type { KubeletClients } from "./kubelet-client.ts";

export interface ProxyTargets {
  readonly kubelets: KubeletClients;
  readonly slices: LiveSet<EndpointSlice>;
  readonly random: Random;
  /** A client of a pod's or Service's own port; `https` without verification, as upstream. */
  readonly open: (target: { readonly scheme: "http" | "https"; readonly host: string; readonly port: number }) => HttpClient;
}

/** `[scheme:]name[:port]`, as in the URL of a proxied object. */
interface Addressed {
  readonly scheme: "http" | "https";
  readonly name: string;
  readonly port: string;
}

export function parseAddressed(text: string): Addressed | undefined {
  const parts = text.split(":");
  const scheme = parts.length === 3 ? parts[0] : "";
  if (parts.length > 3 || (scheme !== "" && scheme !== "http" && scheme !== "https")) return undefined;
  const [name = "", port = ""] = parts.length === 3 ? parts.slice(1) : parts;
  return { scheme: scheme === "https" ? "https" : "http", name, port };
}

function addressed({ call }: ConnectRequest): Addressed {
  const found = parseAddressed(call.name);
  if (found === undefined) throw badRequest(`invalid ${call.definition.singular} request ${JSON.stringify(call.name)}`);
  return found;
}

/** Passes a request on, below `.../proxy`, whichever protocol it speaks. */
async function pass(request: ConnectRequest, client: HttpClient): Promise<void> {
  const { exchange, info } = request;
  const question = exchange.url.indexOf("?");
  const query = question < 0 ? "" : exchange.url.slice(question);
  const marker = "/proxy";
  const path = question < 0 ? exchange.url : exchange.url.slice(0, question);
  const at = positionOfProxy(path, info.name, marker);
  const prefix = path.slice(0, at + marker.length);
  const rest = path.slice(at + marker.length);
  try {
    if (exchange.upgrade !== undefined) {
      await proxyUpgrade(exchange, { client, path: `${rest || "/"}${query}` });
      return;
    }
    await proxyHttp(exchange, { client, path: `${rest}${query}`, pathPrepend: prefix });
  } catch (error) {
    if (exchange.answered) return;
    throw serviceUnavailable(`error trying to reach service: ${(error as Error).message}`);
  }
}

/** The first `/proxy` behind the object's name. */
function positionOfProxy(path: string, name: string, marker: string): number {
  const encoded = [name, encodeURIComponent(name)].map((text) => path.indexOf(`/${text}${marker}`)).find((at) => at >= 0);
  return path.indexOf(marker, (encoded ?? 0) + 1);
}

export function nodeProxy({ kubelets }: ProxyTargets): ConnectHandler {
  return async (request) => {
    const { name } = addressed(request);
    const node = (await get(request.endpoint, { ...request.call, name })).object as Node;
    await pass(request, kubelets.of(node.metadata?.name ?? name));
  };
}

export function podProxy({ open }: ProxyTargets): ConnectHandler {
  return async (request) => {
    const { scheme, name, port } = addressed(request);
    const pod = (await get(request.endpoint, { ...request.call, name })).object as Pod;
    const host = pod.status?.podIP ?? "";
    if (host === "") throw badRequest("address not allowed");
    refuseForbiddenAddress(host);
    await pass(request, open({ scheme, host, port: podPort(pod, port) }));
  };
}

/** A number, the name of a container's port, or the first port that there is. */
function podPort(pod: Pod, asked: string): number {
  if (/^\d+$/.test(asked)) return Number(asked);
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  const found = asked === "" ? ports[0] : ports.find(({ name }) => name === asked);
  if (found !== undefined) return found.containerPort;
  if (asked === "") return 80;
  throw badRequest(`no port named ${JSON.stringify(asked)}`);
}

/** Loopback and link-local addresses would lead into the server's own machine (CVE-2020-8562). */
function refuseForbiddenAddress(address: string): void {
  if (/^(?:127\.|169\.254\.|0\.)/.test(address)) throw badRequest("address not allowed");
}

export function serviceProxy(targets: ProxyTargets): ConnectHandler {
  return async (request) => {
    const { scheme, name, port } = addressed(request);
    const { endpoint, call } = request;
    const service = (await get(endpoint, { ...call, name })).object as Service;
    const slices = slicesOf(targets.slices, { namespace: call.namespace, name });
    if (slices.length === 0) throw notFound({ group: "", resource: "services" }, name);
    const target = pickEndpoint(slices, { service, port, random: targets.random });
    if (target === undefined) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
    refuseForbiddenAddress(target.host);
    await pass(request, targets.open({ scheme, ...target }));
  };
}

interface Pick {
  readonly service: Service;
  readonly port: string;
  readonly random: Random;
}

/** A ready endpoint of the Service's port, at random. */
function pickEndpoint(
  slices: readonly EndpointSlice[],
  { service, port, random }: Pick,
): { host: string; port: number } | undefined {
  const ports = service.spec?.ports ?? [];
  const wanted = port === "" && ports.length === 1
    ? ports[0]
    : ports.find((one) => one.name === port || String(one.port) === port);
  if (wanted === undefined && port === "") return undefined;
  const portName = wanted?.name ?? (/^\d+$/.test(port) ? undefined : port);
  return pickReady(slices, portName, random);
}
