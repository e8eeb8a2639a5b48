import { ageColumn, column, labelsText, nameColumn } from "#apimachinery/columns.ts";
import type { Column } from "#apimachinery/resource.ts";
import type { Service } from "./service.ts";

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  column("Type", ({ spec }) => spec.type ?? "", { description: "ClusterIP, NodePort, LoadBalancer or ExternalName." }),
  column("Cluster-IP", ({ spec }) => spec.clusterIPs?.[0] || "<none>", { description: "Address inside the cluster." }),
  column("External-IP", externalIpText, { description: "Where it is reached from outside." }),
  column("Port(s)", portsText, { description: "Ports and protocols served." }),
  ageColumn,
  column("Selector", ({ spec }) => labelsText(spec.selector), { description: "Labels of the Pods that belong to it.", wide: true }),
];

function externalIpText({ spec, status }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case "ClusterIP":
    case "NodePort":
      return external.length > 0 ? external.join(",") : "<none>";
    case "LoadBalancer": {
      const balanced = (status?.loadBalancer?.ingress ?? []).map(
        ({ ip, hostname }) => ip || hostname || "",
      );
      const all = [...new Set(balanced.filter(Boolean))].sort();
      return [...all, ...external].join(",") || "<pending>";
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

function portsText({ spec: { ports = [] } }: Service): string {
  if (ports.length === 0) return "<none>";
  return ports
    .map(({ port, nodePort, protocol = "" }) =>
      nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
    )
    .join(",");
}
