import type { Service } from "#api/core/v1/service.ts";
import { type EndpointSlice, serviceNameLabel } from "#api/discovery/v1/endpoint-slice.ts";
import type { Random } from "#base/random.ts";
import { notFound, serviceUnavailable } from "#apimachinery/status.ts";
import type { LiveSet } from "../storage/live-set.ts";

export interface ServiceEndpoints {
  readonly services: LiveSet<Service>;
  readonly slices: LiveSet<EndpointSlice>;
  readonly random: Random;
}

/**
 * A ready endpoint of a Service's port, at random. Errors: NotFound, ServiceUnavailable.
 * Source: apiserver/pkg/util/proxy/proxy.go ResolveEndpoint.
 */
export function resolveEndpoint(
  { services, slices, random }: ServiceEndpoints,
  {
    namespace,
    name,
    port,
  }: { readonly namespace: string; readonly name: string; readonly port: number },
): { host: string; port: number } {
  const service = services.get(namespace, name);
  if (service === undefined) throw notFound({ group: "", resource: "service" }, name);
  const { type, externalName = "", ports = [] } = service.spec ?? {};
  if (type === "ExternalName") return { host: externalName, port };
  const wanted = ports.find((one) => one.port === port);
  if (wanted === undefined)
    throw serviceUnavailable(`no service port ${port} found for service "${name}"`);
  const picked = pickReady(slicesOf(slices, { namespace, name }), wanted.name, random);
  if (picked === undefined)
    throw serviceUnavailable(`no endpoints available for service "${name}"`);
  return picked;
}

/** Slices of a Service, whether it is there or not. */
export function slicesOf(
  slices: LiveSet<EndpointSlice>,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): EndpointSlice[] {
  return slices.inNamespace(namespace).filter(({ metadata }) => metadata?.labels?.[serviceNameLabel] === name);
}

/** A ready endpoint of the named port, at random; undefined when there is none. */
export function pickReady(
  slices: readonly EndpointSlice[],
  portName: string | undefined,
  random: Random,
): { host: string; port: number } | undefined {
  const found = slices.flatMap(({ ports, endpoints }) => {
    const port = ports?.find((one) => (one.name ?? "") === (portName ?? ""))?.port;
    if (port === undefined) return [];
    return (endpoints ?? []).flatMap(({ conditions, addresses }) => {
      const host = addresses?.[0];
      return conditions?.ready !== false && host !== undefined ? [{ host, port }] : [];
    });
  });
  return found[random.below(Math.max(found.length, 1))];
}
