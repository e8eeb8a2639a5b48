import type { Service } from "#api/core/v1/service.ts";
import { type EndpointSlice, serviceNameLabel } from "#api/discovery/v1/endpoint-slice.ts";
import { isIpv4 } from "#apimachinery/validation/ip.ts";
import type { DnsRecord } from "./message.ts";

/** What is known of a name: answers for a type, or that the name does not exist. */
export interface ZoneAnswer {
  readonly exists: boolean;
  readonly answers: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

/** The cluster's objects as the zone reads them. */
export interface ZoneSource {
  service(namespace: string, name: string): Service | undefined;
  hasNamespace(namespace: string): boolean;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  /** A Service by its cluster address. */
  serviceByAddress(address: string): Service | undefined;
  /** Slices that list an endpoint address. */
  slicesByAddress(address: string): readonly EndpointSlice[];
}

export const recordTtlSeconds = 30;
/** In front of the cluster's DNS servers. */
export const dnsService = { namespace: "kube-system", name: "kube-dns" };
/** Source: dns specification 1.1.0, section 2.2. */
const schemaVersion = "1.1.0";

const missing: ZoneAnswer = { exists: false, answers: [], additionals: [] };

/**
 * Answers for one name of the cluster's zone or of the reverse zones; undefined when the name
 * belongs to neither. Pure: a function of the objects.
 * Source: github.com/kubernetes/dns, docs/specification.md.
 */
export function resolveName(
  source: ZoneSource,
  domain: string,
  question: { name: string; type: string },
): ZoneAnswer | undefined {
  const name = question.name.toLowerCase().replace(/\.$/, "");
  const reverse = reverseAddress(name);
  if (reverse !== undefined) return resolveReverse(source, domain, { address: reverse, name: question.name });
  if (name === domain) return resolveApex(source, domain, question);
  if (!name.endsWith(`.${domain}`)) return undefined;
  const labels = name.slice(0, -domain.length - 1).split(".");
  const asked = { ...question, name: question.name };
  switch (labels.at(-1)) {
    case "svc":
      return resolveService(source, domain, { asked, labels: labels.slice(0, -1) });
    case "pod":
      return resolvePod(source, asked, labels.slice(0, -1));
    case "dns-version":
      return labels.length === 1 ? only(asked, textRecord(asked.name)) : missing;
    case "dns":
      return resolveServer(source, asked, labels.slice(0, -1));
    default:
      return missing;
  }
}

interface Asked {
  readonly name: string;
  readonly type: string;
}

function textRecord(name: string): DnsRecord[] {
  return [{ type: "TXT", name, ttl: recordTtlSeconds, data: schemaVersion }];
}

/** The records of the type that was asked for; a CNAME answers every type. Addresses go with what names hosts. */
function only({ type }: Asked, records: readonly DnsRecord[], additionals: readonly DnsRecord[] = []): ZoneAnswer {
  const answers = records.filter((record) => type === "ANY" || record.type === type || record.type === "CNAME");
  const hosts = type !== "ANY" && answers.some((record) => record.type === "SRV" || record.type === "NS");
  return { exists: true, answers, additionals: hosts ? additionals : [] };
}

/** The zone's own name: who serves it. The start of authority is the server's to tell. */
function resolveApex(source: ZoneSource, domain: string, asked: Asked): ZoneAnswer {
  const server = nameServerOf(domain);
  const record: DnsRecord = { type: "NS", name: asked.name, ttl: recordTtlSeconds, data: server };
  return only(asked, [record], serverAddresses(source, server));
}

/** `ns.dns.DOMAIN`: the Service in front of the cluster's DNS servers. */
function resolveServer(source: ZoneSource, asked: Asked, labels: readonly string[]): ZoneAnswer {
  if (labels.length === 0) return only(asked, []);
  return labels.length === 1 && labels[0] === "ns" ? only(asked, serverAddresses(source, asked.name)) : missing;
}

export function nameServerOf(domain: string): string {
  return `ns.dns.${domain}`;
}

function serverAddresses(source: ZoneSource, name: string): DnsRecord[] {
  const service = source.service(dnsService.namespace, dnsService.name);
  return (service?.spec?.clusterIPs ?? []).map((address) => addressRecord(name, address));
}

function addressRecord(name: string, address: string): DnsRecord {
  return { type: address.includes(":") ? "AAAA" : "A", name, ttl: recordTtlSeconds, data: address };
}

/** `1-2-3-4.NAMESPACE.pod`: the address that the name itself tells. */
function resolvePod(source: ZoneSource, asked: Asked, labels: readonly string[]): ZoneAnswer {
  const [dashed = "", namespace = ""] = labels;
  if (labels.length === 1) return source.hasNamespace(dashed) ? only(asked, []) : missing;
  const address = dashed.replaceAll("-", ".");
  if (labels.length !== 2 || !source.hasNamespace(namespace) || !isIpv4(address)) return missing;
  return only(asked, [addressRecord(asked.name, address)]);
}

interface ServiceQuestion {
  readonly asked: Asked;
  /** What stands before `.svc.DOMAIN`. */
  readonly labels: readonly string[];
}

function resolveService(source: ZoneSource, domain: string, { asked, labels }: ServiceQuestion): ZoneAnswer {
  const namespace = labels.at(-1) ?? "";
  const name = labels.at(-2);
  if (name === undefined) return namespace === "" || source.hasNamespace(namespace) ? only(asked, []) : missing;
  const service = source.service(namespace, name);
  if (service === undefined) return missing;
  const rest = labels.slice(0, -2);
  const full = `${name}.${namespace}.svc.${domain}`;
  const { spec } = service;
  if (spec?.type === "ExternalName") {
    const target = spec.externalName ?? "";
    if (rest.length > 0) return missing;
    return only(asked, [{ type: "CNAME", name: asked.name, ttl: recordTtlSeconds, data: target }]);
  }
  if (spec?.clusterIP === "None") return resolveHeadless(source, { asked, rest, service, full });
  return resolveClusterService({ asked, rest, service, full });
}

interface Resolution {
  readonly asked: Asked;
  readonly rest: readonly string[];
  readonly service: Service;
  readonly full: string;
}

function resolveClusterService({ asked, rest, service, full }: Resolution): ZoneAnswer {
  const addresses = service.spec?.clusterIPs ?? [];
  if (rest.length === 0) {
    const ports = (service.spec?.ports ?? []).map((port) => srv(asked.name, port.port, full));
    return only(
      asked,
      [...addresses.map((address) => addressRecord(asked.name, address)), ...ports],
      addresses.map((address) => addressRecord(full, address)),
    );
  }
  const [portLabel = "", protocolLabel = ""] = rest;
  if (rest.length === 1) return portLabel.startsWith("_") ? only(asked, []) : missing;
  if (rest.length !== 2) return missing;
  const ports = (service.spec?.ports ?? []).filter(
    (port) =>
      `_${port.name ?? ""}`.toLowerCase() === portLabel &&
      `_${(port.protocol ?? "TCP").toLowerCase()}` === protocolLabel,
  );
  if (ports.length === 0) return missing;
  return only(
    asked,
    ports.map((port) => srv(asked.name, port.port, full)),
    addresses.map((address) => addressRecord(full, address)),
  );
}

function srv(name: string, port: number, target: string): DnsRecord {
  return { type: "SRV", name, ttl: recordTtlSeconds, data: { priority: 0, weight: 100, port, target } };
}

interface HeadlessEndpoint {
  readonly address: string;
  /** First label of the endpoint's own name. */
  readonly label: string;
  readonly ports: readonly { name: string; protocol: string; port: number }[];
}

function headlessEndpoints(source: ZoneSource, service: Service): HeadlessEndpoint[] {
  const { namespace = "", name = "" } = service.metadata ?? {};
  const found: HeadlessEndpoint[] = [];
  const seen = new Set<string>();
  for (const slice of source.slices(namespace, name)) {
    const ports = (slice.ports ?? []).map((port) => ({
      name: port.name ?? "",
      protocol: (port.protocol ?? "TCP").toLowerCase(),
      port: port.port ?? 0,
    }));
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready === false && service.spec?.publishNotReadyAddresses !== true) continue;
      for (const address of endpoint.addresses ?? []) {
        const label = endpoint.hostname || address.replaceAll(/[.:]/g, "-");
        if (seen.has(`${label} ${address}`)) continue;
        seen.add(`${label} ${address}`);
        found.push({ address, label, ports });
      }
    }
  }
  return found;
}

function resolveHeadless(source: ZoneSource, { asked, rest, service, full }: Resolution): ZoneAnswer {
  const endpoints = headlessEndpoints(source, service);
  const [first = "", second = ""] = rest;
  const named = (endpoint: HeadlessEndpoint): string => `${endpoint.label}.${full}`;
  const targets = (list: readonly HeadlessEndpoint[]): DnsRecord[] =>
    list.map((endpoint) => addressRecord(named(endpoint), endpoint.address));
  if (rest.length === 0) {
    const services = endpoints.flatMap((endpoint) =>
      endpoint.ports.map(({ port }) => srv(asked.name, port, named(endpoint))),
    );
    return only(
      asked,
      [...endpoints.map(({ address }) => addressRecord(asked.name, address)), ...services],
      targets(endpoints),
    );
  }
  if (rest.length === 1) {
    const own = endpoints.filter(({ label }) => label.toLowerCase() === first);
    if (own.length > 0)
      return only(
        asked,
        own.map(({ address }) => addressRecord(asked.name, address)),
      );
    return first.startsWith("_") ? only(asked, []) : missing;
  }
  if (rest.length !== 2) return missing;
  const services = endpoints.flatMap((endpoint) =>
    endpoint.ports
      .filter((port) => `_${port.name}`.toLowerCase() === first && `_${port.protocol}` === second)
      .map(({ port }) => srv(asked.name, port, named(endpoint))),
  );
  return services.length === 0 ? missing : only(asked, services, targets(endpoints));
}

/** The address of a name under in-addr.arpa or ip6.arpa. */
export function reverseAddress(name: string): string | undefined {
  if (name.endsWith(".in-addr.arpa")) {
    const address = name.slice(0, -".in-addr.arpa".length).split(".").reverse().join(".");
    return isIpv4(address) ? address : undefined;
  }
  return undefined;
}

/** Undefined when the address is none of the cluster's: somebody else may know it. */
function resolveReverse(
  source: ZoneSource,
  domain: string,
  { address, name }: { address: string; name: string },
): ZoneAnswer | undefined {
  const pointer = (data: string): DnsRecord => ({ type: "PTR", name, ttl: recordTtlSeconds, data });
  const service = source.serviceByAddress(address);
  if (service !== undefined) {
    const { namespace = "", name: own = "" } = service.metadata ?? {};
    return { exists: true, answers: [pointer(`${own}.${namespace}.svc.${domain}`)], additionals: [] };
  }
  const answers = source.slicesByAddress(address).flatMap((slice) => {
    const own = slice.metadata?.labels?.[serviceNameLabel];
    const namespace = slice.metadata?.namespace ?? "";
    if (own === undefined || source.service(namespace, own)?.spec?.clusterIP !== "None") return [];
    return (slice.endpoints ?? [])
      .filter((endpoint) => endpoint.addresses?.includes(address))
      .map((endpoint) =>
        pointer(`${endpoint.hostname || address.replaceAll(".", "-")}.${own}.${namespace}.svc.${domain}`),
      );
  });
  return answers.length === 0 ? undefined : { exists: true, answers, additionals: [] };
}
