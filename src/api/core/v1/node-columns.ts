import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import type { Column } from "#apimachinery/resource.ts";
import type { Node } from "./node.ts";

export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  column("Status", statusText, { description: "Ready or not, and whether Pods may be placed." }),
  column("Roles", ({ metadata }) => nodeRoles(metadata.labels).join(",") || "<none>", { description: "From the node-role labels." }),
  ageColumn,
  column("Version", ({ status }) => status?.nodeInfo?.kubeletVersion ?? "", {
    description: "Version of the kubelet.",
  }),
  column("Internal-IP", (node) => addressOf(node, "InternalIP"), { description: "Address inside the cluster.", wide: true }),
  column("External-IP", (node) => addressOf(node, "ExternalIP"), { description: "Address from outside.", wide: true }),
  column("OS-Image", ({ status }) => status?.nodeInfo?.osImage || "<unknown>", { description: "Operating system.", wide: true }),
  column("Kernel-Version", ({ status }) => status?.nodeInfo?.kernelVersion || "<unknown>", {
    description: "Version of its kernel.",
    wide: true,
  }),
  column("Container-Runtime", ({ status }) => status?.nodeInfo?.containerRuntimeVersion || "<unknown>", {
    description: "Runtime and its version.",
    wide: true,
  }),
];

function statusText({ spec, status }: Node): string {
  const ready = (status?.conditions ?? []).find(({ type }) => type === "Ready");
  const states = [ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady"];
  if (spec.unschedulable === true) states.push("SchedulingDisabled");
  return states.join(",");
}

const rolePrefix = "node-role.kubernetes.io/";
const roleLabel = "kubernetes.io/role";

/** Roles by label, sorted. */
export function nodeRoles(labels: Readonly<Record<string, string>> | undefined): string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length)
      roles.add(key.slice(rolePrefix.length));
    else if (key === roleLabel && value !== "") roles.add(value);
  }
  return [...roles].sort();
}

function addressOf({ status }: Node, wanted: string): string {
  const found = (status?.addresses ?? []).find(({ type }) => type === wanted);
  return found?.address ?? "<none>";
}
