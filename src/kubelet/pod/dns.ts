import type { Pod } from "#api/core/v1/pod.ts";
import { isHostNetwork } from "./container-list.ts";

/** The content of a resolv.conf. */
export interface ResolvConf {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface ClusterDns {
  /** Addresses of the cluster's DNS Service; none: Pods use the node's resolvers. */
  readonly servers: readonly string[];
  readonly domain: string;
}

/** Most that goes into a resolv.conf. Source: apis/core/validation MaxDNS*. */
const serversMax = 3;
const searchesMax = 32;
const searchCharactersMax = 2048;

/** Source: kubelet/network/dns GetPodDNS. */
export function podDns(pod: Pod, cluster: ClusterDns, node: ResolvConf): ResolvConf {
  const base = baseOf(pod, cluster, node);
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {};
  const given = options.map(({ name = "", value }) => (value ? `${name}:${value}` : name));
  const overridden = new Set(given.map(nameOfOption));
  return {
    servers: unique([...base.servers, ...nameservers]).slice(0, serversMax),
    searches: fitting(unique([...base.searches, ...searches])),
    options: [...base.options.filter((option) => !overridden.has(nameOfOption(option))), ...given],
  };
}

function baseOf(pod: Pod, cluster: ClusterDns, node: ResolvConf): ResolvConf {
  const policy = pod.spec.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const wantsCluster =
    policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !isHostNetwork(pod));
  if (!wantsCluster || cluster.servers.length === 0) return node;
  const { domain } = cluster;
  const namespace = pod.metadata?.namespace ?? "";
  return {
    servers: cluster.servers,
    searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...node.searches],
    options: ["ndots:5"],
  };
}

function nameOfOption(option: string): string {
  return option.split(":")[0] ?? "";
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function fitting(searches: readonly string[]): string[] {
  const kept: string[] = [];
  let characters = 0;
  for (const search of searches.slice(0, searchesMax)) {
    characters += search.length + (kept.length > 0 ? 1 : 0);
    if (characters > searchCharactersMax) break;
    kept.push(search);
  }
  return kept;
}

/** Source: resolv.conf(5), kubelet/network/dns parseResolvConf. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  for (const line of text.split("\n")) {
    const [word, ...rest] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (word === "nameserver" && rest[0] !== undefined) servers.push(rest[0]);
    else if (word === "search")
      searches = rest.map((name) => (name === "." ? name : name.replace(/\.$/, "")));
    else if (word === "options") options = [...options, ...rest];
  }
  return { servers, searches, options: unique(options) };
}
