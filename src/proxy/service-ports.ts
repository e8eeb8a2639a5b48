import type { Service } from "#api/core/v1/service.ts";
import type { Endpoint, EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import { isIpv4 } from "#apimachinery/validation/ip.ts";

/** Where traffic of one Service port goes. Plain values: what the ruleset is compiled from. */
export interface ServicePortView {
  /** `namespace/name/protocol/port-name`: stable over changes of the Service. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly port: number;
  readonly clusterAddresses: readonly string[];
  readonly externalAddresses: readonly string[];
  readonly loadBalancerAddresses: readonly string[];
  readonly sourceRanges: readonly string[];
  /** 0 for none. */
  readonly nodePort: number;
  /** Seconds; 0 for none. */
  readonly affinitySeconds: number;
  readonly externalLocal: boolean;
  /** For traffic inside the cluster. */
  readonly endpoints: readonly EndpointView[];
  /** For traffic from outside, when it must stay on this node. */
  readonly localEndpoints: readonly EndpointView[];
}

export interface EndpointView {
  readonly address: string;
  readonly port: number;
  readonly local: boolean;
}

export interface ProxyView {
  readonly nodeName: string;
  /** Topology zone of the node, "" when it has none. */
  readonly zone: string;
}

const affinitySecondsDefault = 10_800;

/** The ports of a Service with their endpoints, as this node sees them. */
export function servicePortViews(
  service: Service,
  slices: readonly EndpointSlice[],
  node: ProxyView,
): ServicePortView[] {
  const { spec, metadata, status } = service;
  const clusterAddresses = (spec?.clusterIPs ?? []).filter(isIpv4);
  if (!spec || spec.type === "ExternalName" || clusterAddresses.length === 0) return [];
  const ingress = status?.loadBalancer?.ingress ?? [];
  const { namespace = "", name = "" } = metadata ?? {};
  return (spec.ports ?? []).map((port) => {
    const protocol = protocolOf(port.protocol);
    const candidates = endpointsOf(slices, { portName: port.name ?? "", protocol, node });
    const all = usable(candidates);
    const local = usable(candidates.filter((endpoint) => endpoint.local));
    const internalLocal = spec.internalTrafficPolicy === "Local";
    return {
      id: `${namespace}/${name}/${protocol}/${port.name ?? ""}`,
      namespace,
      name,
      protocol,
      port: port.port,
      clusterAddresses,
      externalAddresses: (spec.externalIPs ?? []).filter(isIpv4),
      loadBalancerAddresses: ingress
        .filter(({ ipMode }) => ipMode !== "Proxy")
        .map(({ ip }) => ip ?? "")
        .filter(isIpv4),
      sourceRanges: spec.loadBalancerSourceRanges ?? [],
      nodePort: port.nodePort ?? 0,
      affinitySeconds: affinityOf(spec),
      externalLocal: spec.externalTrafficPolicy === "Local",
      endpoints: internalLocal ? local : withHints(all, candidates, node),
      localEndpoints: local,
    };
  });
}

function affinityOf(spec: NonNullable<Service["spec"]>): number {
  if (spec.sessionAffinity !== "ClientIP") return 0;
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? affinitySecondsDefault;
}

function protocolOf(protocol: string | undefined): "tcp" | "udp" | "sctp" {
  if (protocol === "UDP") return "udp";
  return protocol === "SCTP" ? "sctp" : "tcp";
}

interface Candidate extends EndpointView {
  readonly ready: boolean;
  /** Still serving while it is going. */
  readonly lastResort: boolean;
  readonly zones: readonly string[];
  readonly nodes: readonly string[];
}

interface Wanted {
  readonly portName: string;
  readonly protocol: string;
  readonly node: ProxyView;
}

/** Every endpoint of the port, each address once, sorted. */
function endpointsOf(slices: readonly EndpointSlice[], wanted: Wanted): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== "IPv4") continue;
    const port = slice.ports?.find(
      (candidate) =>
        (candidate.name ?? "") === wanted.portName && protocolOf(candidate.protocol) === wanted.protocol,
    )?.port;
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const candidate = candidateOf(endpoint, port, wanted.node);
      const key = `${candidate.address}:${port}`;
      if (found.get(key)?.ready !== true) found.set(key, candidate);
    }
  }
  return [...found.values()].toSorted((a, b) => compareBytes(a.address, b.address) || a.port - b.port);
}

function candidateOf(endpoint: Endpoint, port: number, node: ProxyView): Candidate {
  // What is going may be ready all the same: a Service may publish addresses that are not ready.
  const { ready = true, serving = true, terminating = false } = endpoint.conditions ?? {};
  return {
    address: endpoint.addresses?.[0] ?? "",
    port,
    local: endpoint.nodeName === node.nodeName,
    ready,
    lastResort: serving && terminating,
    zones: (endpoint.hints?.forZones ?? []).map(({ name }) => name),
    nodes: (endpoint.hints?.forNodes ?? []).map(({ name }) => name),
  };
}

/** The ready ones; when there are none, those that still serve while they are going. Source: proxy/topology.go. */
function usable(candidates: readonly Candidate[]): readonly Candidate[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  return ready.length > 0 ? ready : candidates.filter((candidate) => candidate.lastResort);
}

/** Topology hints count only when every ready endpoint has them and some are for this place. */
function withHints(
  endpoints: readonly EndpointView[],
  candidates: readonly Candidate[],
  node: ProxyView,
): readonly EndpointView[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  const narrowed = (pick: (candidate: Candidate) => readonly string[], here: string): Candidate[] =>
    here !== "" && ready.every((candidate) => pick(candidate).length > 0)
      ? ready.filter((candidate) => pick(candidate).includes(here))
      : [];
  const byNode = narrowed((candidate) => candidate.nodes, node.nodeName);
  if (byNode.length > 0) return byNode;
  const byZone = narrowed((candidate) => candidate.zones, node.zone);
  return byZone.length > 0 ? byZone : endpoints;
}
