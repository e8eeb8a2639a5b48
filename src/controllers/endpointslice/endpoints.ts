import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Service } from "#api/core/v1/service.ts";
import type { ServicePort } from "#api/core/v1/service-port.ts";
import type { Endpoint, EndpointPort } from "#api/discovery/v1/endpoint-slice.ts";
import { isReady, isTerminal } from "../framework/pods.ts";
import { type EndpointGroup, portsKey } from "./slices.ts";

export type AddressType = "IPv4" | "IPv6";

/** The families a Service has; its address tells when the server did not say. */
export function addressTypesOf({ spec }: Service): AddressType[] {
  const families = (spec.ipFamilies ?? []).filter(
    (family): family is AddressType => family === "IPv4" || family === "IPv6",
  );
  if (families.length > 0) return families;
  if (spec.clusterIP !== undefined && spec.clusterIP !== "" && spec.clusterIP !== "None")
    return [familyOf(spec.clusterIP)];
  return ["IPv4", "IPv6"];
}

export function familyOf(ip: string): AddressType {
  return ip.includes(":") ? "IPv6" : "IPv4";
}

/** Has an address and may serve, now or until it has ended. */
export function mayServe(pod: Pod): boolean {
  return !isTerminal(pod) && (pod.status?.podIP ?? "") !== "";
}

/** The endpoints of one family, grouped by the ports that the Pods have for the Service's. */
export function endpointGroups(
  service: Service,
  pods: readonly Pod[],
  around: {
    readonly addressType: AddressType;
    readonly nodeOf: (name: string) => Node | undefined;
  },
): EndpointGroup[] {
  const groups = new Map<string, { ports: EndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    const ips = (pod.status?.podIPs ?? [])
      .map(({ ip }) => ip)
      .filter((ip) => familyOf(ip) === around.addressType);
    const [address] =
      ips.length > 0
        ? ips
        : [pod.status?.podIP ?? ""].filter((ip) => familyOf(ip) === around.addressType);
    if (!mayServe(pod) || address === undefined || address === "") continue;
    const ports = portsFor(service, pod);
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(
      endpointOf(service, pod, { address, node: around.nodeOf(pod.spec.nodeName ?? "") }),
    );
    groups.set(key, group);
  }
  return [...groups.values()];
}

function endpointOf(
  service: Service,
  pod: Pod,
  at: { address: string; node: Node | undefined },
): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = at.node?.metadata.labels?.["topology.kubernetes.io/zone"];
  const { nodeName, hostname = "", subdomain } = pod.spec;
  const named = hostname !== "" && subdomain === service.metadata.name;
  const { namespace, name, uid } = pod.metadata;
  return {
    addresses: [at.address],
    conditions: { ready, serving, terminating },
    ...(named && { hostname }),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(nodeName !== undefined && { nodeName }),
    ...(zone !== undefined && { zone }),
    ...hintsOf(service, { zone, nodeName, ready }),
  };
}

function hintsOf(
  { spec }: Service,
  endpoint: {
    readonly zone: string | undefined;
    readonly nodeName: string | undefined;
    readonly ready: boolean;
  },
): Pick<Endpoint, "hints"> {
  const { trafficDistribution: wish = "" } = spec;
  const near = ["PreferClose", "PreferSameZone", "PreferSameNode"].includes(wish) && endpoint.ready;
  if (!near) return {};
  const forZones = endpoint.zone === undefined ? undefined : [{ name: endpoint.zone }];
  const forNodes =
    wish === "PreferSameNode" && endpoint.nodeName !== undefined
      ? [{ name: endpoint.nodeName }]
      : undefined;
  if (forZones === undefined && forNodes === undefined) return {};
  return { hints: { ...(forZones && { forZones }), ...(forNodes && { forNodes }) } };
}

/** The Service's ports as this Pod has them; those it does not name are left out. */
export function portsFor(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPortOf(pod, port);
    if (number === undefined) return [];
    const { name = "", protocol = "TCP", appProtocol } = port;
    return [{ name, protocol, port: number, ...(appProtocol !== undefined && { appProtocol }) }];
  });
}

/** The number of a target port; a named one is looked up in the containers, sidecars too. */
export function targetPortOf(
  { spec }: Pod,
  { targetPort, port, protocol = "TCP" }: ServicePort,
): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === "") return port;
  if (typeof targetPort === "number") return targetPort;
  const sidecars = (spec.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === "Always",
  );
  for (const container of [...spec.containers, ...sidecars]) {
    const found = container.ports?.find(
      (each) => each.name === targetPort && (each.protocol ?? "TCP") === protocol,
    );
    if (found) return found.containerPort;
  }
  return undefined;
}
