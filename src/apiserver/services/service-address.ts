import type { Service } from "#api/core/v1/service.ts";
import type { IPAddress } from "#api/networking/v1/ip-address.ts";

const familyLabel = "ipaddress.kubernetes.io/ip-family";
const managerLabel = "ipaddress.kubernetes.io/managed-by";
const manager = "ipallocator.k8s.io";

/** The object that books an address for a Service. */
export function addressFor(service: Service, address: string): IPAddress {
  const { name = "", namespace = "" } = service.metadata ?? {};
  return {
    metadata: { name: address, labels: { [familyLabel]: "IPv4", [managerLabel]: manager } },
    spec: { parentRef: { resource: "services", namespace, name } },
  };
}

/** Whether the address was booked by an API server. */
export function isOurs({ metadata }: IPAddress): boolean {
  return metadata?.labels?.[managerLabel] === manager;
}

/** The addresses that a Service has of the cluster's range. */
export function clusterAddresses({ spec }: Service): readonly string[] {
  if (spec?.type === "ExternalName") return [];
  return (spec?.clusterIPs ?? []).filter((address) => address !== "None" && address !== "");
}
