/**
 * The network that a node lives in.
 *
 * `namespace`: one network namespace for each node, on one bridge in the machine's own namespace:
 *
 *     machine:  bridge (10.200.0.1/24) -- veth -- eth0 (10.200.0.11/24)  :node 1
 *                                      -- veth -- eth0 (10.200.0.12/24)  :node 2
 *
 * Invariants: 1. The machine gets the bridge and the route to its subnet, nothing else: pod and
 * service ranges exist only inside, so no packet for them can leave by the machine's uplink.
 * 2. Inside, an unknown pod address is a dead end. 3. Service addresses have a route (to `lo`),
 * because a locally made packet is routed before the proxy's rules can translate it.
 * 4. Opening is idempotent: what is there already is taken over.
 *
 * `host`: the machine's own network; nothing is changed.
 */
import { assert } from "#base/assert.ts";
import { IoError } from "#base/files.ts";
import type { Processes } from "#base/processes.ts";

export interface NodeNetworkOptions {
  readonly name: string;
  /** From 0; decides the node's address in the link subnet. */
  readonly index: number;
  readonly mode: "namespace" | "host";
  /** The range of all pods of the cluster. */
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  readonly processes: Processes;
  /** @default "kubets0" */
  readonly bridge?: string;
  /** A /24. @default "10.200.0.0/24" */
  readonly linkCidr?: string;
  /** In mode `host`: the address to publish. */
  readonly hostAddress?: string;
}

export interface NodeNetwork {
  readonly mode: "namespace" | "host";
  /** `/run/netns/...`; undefined in mode `host`. */
  readonly namespacePath: string | undefined;
  /** The node's InternalIP. */
  readonly address: string;
  /** Where processes of the node reach those of the machine. */
  readonly machineAddress: string;
  /** Words to put before a command so that it runs in the node's network. */
  readonly enter: readonly string[];
  /** Routes to the pods of other nodes; replaces what was set before. */
  setPodRoutes(routes: readonly PodRoute[]): Promise<void>;
  /** Removes namespace and link, and the bridge with the last of them. */
  close(): Promise<void>;
}

export interface PodRoute {
  readonly podCidr: string;
  readonly nodeAddress: string;
}

/** Longest name of a network interface. Source: linux/if.h IFNAMSIZ. */
const interfaceNameMax = 15;
/** Marks routes as ours. */
const routeProtocol = "201";
const nodesMax = 240;

export async function openNodeNetwork(options: NodeNetworkOptions): Promise<NodeNetwork> {
  if (options.mode === "host") return hostNetwork(options.hostAddress ?? "127.0.0.1");
  assert(options.index >= 0 && options.index < nodesMax, "node index out of the link subnet");
  const bridge = options.bridge ?? "kubets0";
  const [prefix] = /^\d+\.\d+\.\d+\./.exec(options.linkCidr ?? "10.200.0.0/24") ?? [];
  assert(prefix !== undefined, "link subnet is not an IPv4 /24");
  const link: Link = {
    bridge,
    namespace: `kubets-${bridge}-${options.name}`,
    veth: `${bridge.slice(0, interfaceNameMax - 4)}n${options.index}`,
    address: `${prefix}${options.index + 11}`,
    machineAddress: `${prefix}1`,
  };
  const { processes } = options;
  await shell(processes, openScript(link, options));
  return {
    mode: "namespace",
    namespacePath: `/run/netns/${link.namespace}`,
    address: link.address,
    machineAddress: link.machineAddress,
    enter: ["nsenter", `--net=/run/netns/${link.namespace}`],
    setPodRoutes: (routes) => shell(processes, routesScript(link.namespace, routes)),
    close: () => shell(processes, closeScript(link)),
  };
}

/** The network of a node as a process sees it that runs inside already. */
export function joinNodeNetwork(
  joined: { readonly namespace: string; readonly address: string; readonly machineAddress: string },
  processes: Processes,
): NodeNetwork {
  return {
    mode: "namespace",
    namespacePath: `/run/netns/${joined.namespace}`,
    address: joined.address,
    machineAddress: joined.machineAddress,
    enter: [],
    setPodRoutes: (routes) => shell(processes, routesScript(joined.namespace, routes)),
    close: () => Promise.resolve(),
  };
}

interface Link {
  readonly bridge: string;
  readonly namespace: string;
  readonly veth: string;
  readonly address: string;
  readonly machineAddress: string;
}

function hostNetwork(address: string): NodeNetwork {
  return {
    mode: "host",
    namespacePath: undefined,
    address,
    machineAddress: address,
    enter: [],
    setPodRoutes: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** How long connections to Services are remembered that say nothing, or that one side has closed. Source: proxy/apis/config/v1alpha1/defaults.go. */
const establishedSeconds = 86_400;
const closeWaitSeconds = 3600;

function openScript(link: Link, ranges: { clusterCidr: string; serviceCidr: string }): string {
  const { bridge, namespace, veth, address, machineAddress } = link;
  return `
[ -e /run/netns/${namespace} ] || ip netns add ${namespace}
if ! ip link show ${bridge} >/dev/null 2>&1; then
  ip link add ${bridge} address ${bridgeMac(machineAddress)} type bridge
  ip addr add ${machineAddress}/24 dev ${bridge}
  ip link set ${bridge} up
fi
if ! ip -n ${namespace} link show eth0 >/dev/null 2>&1; then
  ip link del ${veth} 2>/dev/null || true
  ip link add ${veth} type veth peer name eth0 netns ${namespace}
  ip link set ${veth} master ${bridge} up
  ip -n ${namespace} addr add ${address}/24 dev eth0
  ip -n ${namespace} link set lo up
  ip -n ${namespace} link set eth0 up
fi
ip -n ${namespace} route replace default via ${machineAddress}
ip -n ${namespace} route replace blackhole ${ranges.clusterCidr}
ip -n ${namespace} route replace ${ranges.serviceCidr} dev lo src ${address}
nsenter --net=/run/netns/${namespace} sh -c '
  echo 1 >/proc/sys/net/ipv4/ip_forward
  echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
  cd /proc/sys/net/netfilter 2>/dev/null || exit 0
  echo ${establishedSeconds} >nf_conntrack_tcp_timeout_established
  echo ${closeWaitSeconds} >nf_conntrack_tcp_timeout_close_wait'
`;
}

function routesScript(namespace: string, routes: readonly PodRoute[]): string {
  const flush = `ip -n ${namespace} route flush proto ${routeProtocol} 2>/dev/null || true`;
  const adds = routes.map(
    ({ podCidr, nodeAddress }) =>
      `ip -n ${namespace} route replace ${podCidr} via ${nodeAddress} proto ${routeProtocol}`,
  );
  return [flush, ...adds].join("\n");
}

function closeScript({ bridge, namespace, veth }: Link): string {
  return `
ip netns del ${namespace} 2>/dev/null || true
ip link del ${veth} 2>/dev/null || true
if ip link show ${bridge} >/dev/null 2>&1; then
  [ -n "$(ip -o link show master ${bridge})" ] || ip link del ${bridge}
fi
`;
}

/** Fixed, locally administered: an unpinned bridge changes its address with its ports. */
function bridgeMac(address: string): string {
  const bytes = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return `02:00:${bytes.join(":")}`;
}

async function shell(processes: Processes, script: string): Promise<void> {
  const { code, stderr } = await processes.run("sh", ["-e"], { input: script });
  if (code === 0) return;
  throw new IoError("ip", "EFAILED", { detail: `set up node network: ${stderr.trim()}` });
}
