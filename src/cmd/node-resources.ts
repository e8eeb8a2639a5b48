import { join } from "node:path";
import type { World } from "#base/world.ts";
import { pauseImageName } from "#kubelet/node/base-images.ts";
import { type NodeContainerd, startContainerd } from "#kubelet/node/containerd-process.ts";
import { type NodeNetwork, openNodeNetwork } from "#kubelet/node/node-network.ts";
import type { ClusterFile, PreparedNode } from "./cluster-file.ts";
import { cniBinDirectory } from "./preflight.ts";

/** What decides the names and ranges of a cluster's nodes. */
export type ClusterNames = Pick<ClusterFile, "slot" | "network" | "clusterCidr" | "serviceCidr">;

/** The cgroup that all pods of a cluster live below. */
export function cgroupRootOf({ slot }: ClusterNames): string {
  return slot === 0 ? "kubets" : `kubets-${slot}`;
}

/** Where a node's sockets are: short, and on a tmpfs. */
export function stateDirectoryOf({ slot }: ClusterNames, nodeName: string): string {
  return `/run/kubets/${slot}/${nodeName}`;
}

/** Opens, or takes over, a node's network. */
export function openNetwork(
  world: World,
  cluster: ClusterNames,
  node: { readonly name: string; readonly index: number; readonly address?: string },
): Promise<NodeNetwork> {
  return openNodeNetwork({
    name: node.name,
    index: node.index,
    mode: cluster.network,
    ...(node.address !== undefined && { hostAddress: node.address }),
    clusterCidr: cluster.clusterCidr,
    serviceCidr: cluster.serviceCidr,
    bridge: `kubets${cluster.slot}`,
    linkCidr: `10.200.${cluster.slot}.0/24`,
    processes: world.processes,
  });
}

/** Starts, or takes over, a node's container runtime. */
export async function openContainerd(
  world: World,
  cluster: ClusterNames,
  { node, network }: {
    readonly node: Pick<PreparedNode, "name" | "directory" | "stateDirectory">;
    readonly network: NodeNetwork;
  },
): Promise<NodeContainerd> {
  return startContainerd({
    nodeName: node.name,
    directory: join(node.directory, "containerd"),
    stateDirectory: node.stateDirectory,
    network,
    sandboxImage: pauseImageName,
    cniBinDirectory: await cniBinDirectory(world),
    cniConfDirectory: join(node.directory, "cni"),
    cgroupRoot: cgroupRootOf(cluster),
    world,
  });
}
