import type { Service } from "#api/core/v1/service.ts";
import type { EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
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
  const found: { host: string; port: number }[] = [];
  for (const slice of slices.inNamespace(namespace)) {
    if (slice.metadata?.labels?.["kubernetes.io/service-name"] !== name) continue;
    const target = slice.ports?.find((one) => (one.name ?? "") === (wanted.name ?? ""))?.port;
    if (target === undefined) continue;
    for (const { conditions, addresses } of slice.endpoints ?? []) {
      const host = addresses?.[0];
      if (conditions?.ready !== false && host !== undefined) found.push({ host, port: target });
    }
  }
  const picked = found[random.below(Math.max(found.length, 1))];
  if (picked === undefined)
    throw serviceUnavailable(`no endpoints available for service "${name}"`);
  return picked;
}
