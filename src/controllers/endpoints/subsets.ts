import type { EndpointAddress, EndpointPort, EndpointSubset } from "#api/core/v1/endpoints.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Service } from "#api/core/v1/service.ts";
import { familyOf, mayServe, targetPortOf } from "../endpointslice/endpoints.ts";
import { canonicalJson } from "../framework/hash.ts";
import { isReady } from "../framework/pods.ts";

/** Most addresses in one Endpoints object. Source: endpoints_controller.go maxCapacity. */
export const addressesMax = 1000;

/** The addresses of the selected Pods, grouped by ports, in a stable order. */
export function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const groups = new Map<
    string,
    { ports: EndpointPort[]; ready: EndpointAddress[]; unready: EndpointAddress[] }
  >();
  const tolerant = service.spec.publishNotReadyAddresses === true;
  for (const pod of pods) {
    const ip = ipOf(service, pod);
    const leaving = pod.metadata.deletionTimestamp !== undefined;
    if (!mayServe(pod) || ip === undefined || (leaving && !tolerant)) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && service.spec.ports?.length) continue;
    const key = ports.map(canonicalJson).join("|");
    const group = groups.get(key) ?? { ports, ready: [], unready: [] };
    groups.set(key, group);
    (tolerant || isReady(pod) ? group.ready : group.unready).push(addressOf(service, pod, ip));
  }
  return [...groups.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, unready }]) => ({
      ...(ready.length > 0 && { addresses: ready.toSorted(byAddress) }),
      ...(unready.length > 0 && { notReadyAddresses: unready.toSorted(byAddress) }),
      ...(ports.length > 0 && { ports }),
    }));
}

function ipOf({ spec }: Service, { status }: Pod): string | undefined {
  const wanted =
    spec.ipFamilies?.[0] ??
    (spec.clusterIP && spec.clusterIP !== "None" ? familyOf(spec.clusterIP) : undefined);
  const ips = (status?.podIPs ?? []).map(({ ip }) => ip);
  if (ips.length === 0 && status?.podIP) ips.push(status.podIP);
  return wanted === undefined ? ips[0] : ips.find((ip) => familyOf(ip) === wanted);
}

function portsOf(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPortOf(pod, port);
    if (number === undefined) return [];
    const { name, protocol = "TCP", appProtocol } = port;
    return [
      {
        ...(name && { name }),
        port: number,
        protocol,
        ...(appProtocol !== undefined && { appProtocol }),
      },
    ];
  });
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { nodeName, hostname, subdomain } = pod.spec;
  const { namespace, name, uid } = pod.metadata;
  return {
    ip,
    ...(hostname && subdomain === service.metadata.name && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    targetRef: { kind: "Pod", namespace, name, uid },
  };
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  const [x, y] = [`${a.ip} ${a.targetRef?.uid}`, `${b.ip} ${b.targetRef?.uid}`];
  return x < y ? -1 : x > y ? 1 : 0;
}

export interface Truncated {
  readonly subsets: EndpointSubset[];
  readonly overCapacity: boolean;
}

/** At most `addressesMax` addresses, ready ones first. */
export function truncate(subsets: EndpointSubset[]): Truncated {
  const count = (pick: "addresses" | "notReadyAddresses"): number =>
    subsets.reduce((sum, subset) => sum + (subset[pick]?.length ?? 0), 0);
  const [ready, unready] = [count("addresses"), count("notReadyAddresses")];
  if (ready + unready <= addressesMax) return { subsets, overCapacity: false };
  let readyLeft = Math.min(ready, addressesMax);
  let unreadyLeft = Math.min(unready, addressesMax - readyLeft);
  const cut = subsets.map((subset) => {
    const addresses = (subset.addresses ?? []).slice(0, readyLeft);
    readyLeft -= addresses.length;
    const notReadyAddresses = (subset.notReadyAddresses ?? []).slice(0, unreadyLeft);
    unreadyLeft -= notReadyAddresses.length;
    const { ports } = subset;
    return {
      ...(addresses.length > 0 && { addresses }),
      ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
      ...(ports && { ports }),
    };
  });
  return {
    subsets: cut.filter(({ addresses, notReadyAddresses }) => addresses ?? notReadyAddresses),
    overCapacity: true,
  };
}
