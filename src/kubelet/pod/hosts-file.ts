import type { HostAlias } from "#api/core/v1/pod-spec.ts";
import type { PodHostname } from "./hostname.ts";

const entries = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

/** /etc/hosts of a Pod with its own network. Source: kubelet_pods.go managedHostsFileContent. */
export function podHostsFile(
  podIps: readonly string[],
  { hostname, domain }: PodHostname,
  aliases: readonly HostAlias[],
): string {
  const names = domain === "" ? hostname : `${hostname}.${domain}\t${hostname}`;
  const own = podIps.map((ip) => `${ip}\t${names}\n`).join("");
  return `# Kubernetes-managed hosts file.\n${entries}${own}${aliasEntries(aliases)}`;
}

/** Of a Pod on the node's network: the node's file, and the Pod's aliases. */
export function nodeHostsFile(nodeFile: string, aliases: readonly HostAlias[]): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeFile}${aliasEntries(aliases)}`;
}

function aliasEntries(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return "";
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join("")}`;
}
