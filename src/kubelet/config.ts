import { kubetsVersion } from "#apimachinery/release.ts";
import type { Taint } from "#api/core/v1/node.ts";
import { pauseImageName } from "./node/base-images.ts";
import type { ClusterDns } from "./pod/dns.ts";
import type { NodeDirectories } from "./pod/pod-paths.ts";

/** What a kubelet is told. `defaultKubeletConfig` has upstream's values where there are any. */
export interface KubeletConfig {
  readonly nodeName: string;
  /** The node's addresses, the primary one first. */
  readonly nodeIps: readonly string[];
  readonly directories: NodeDirectories;
  readonly clusterDns: ClusterDns;
  /** Cgroup below which Pods live, relative to the hierarchy; no two nodes may share it. */
  readonly cgroupRoot: string;
  readonly maxPods: number;
  /** Most processes of a Pod; -1 for no limit. */
  readonly podPidsMax: number;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeTaints: readonly Taint[];
  readonly resolvConfPath: string;
  /** Manifests of Pods that run without an API server. */
  readonly staticPodDirectory?: string;
  /** Reported as the kubelet's version. */
  readonly version: string;
  /** Port of the kubelet's own server, as the node publishes it. */
  readonly port: number;
  /** Put before a path to see what the node's mount namespace sees there. */
  readonly rootPrefix: string;
  /** Words that put a command into the node's mount namespace. */
  readonly enterMounts: readonly string[];
  /** Kept back from Pods: what allocatable lacks of capacity. */
  readonly reserved: Readonly<Record<string, string>>;
  /** Of the node's containerd, for images as volumes. */
  readonly containerdSocketPath: string;
  /** Kept when images are removed. */
  readonly sandboxImage: string;
  /** Source: kubelet config containerLogMaxSize, containerLogMaxFiles. */
  readonly containerLogSizeMaxBytes: number;
  readonly containerLogFilesMax: number;
}

export type KubeletDefaults = Omit<KubeletConfig, "nodeName" | "nodeIps" | "directories">;

export const defaultKubeletConfig: KubeletDefaults = {
  clusterDns: { servers: [], domain: "cluster.local" },
  cgroupRoot: "kubepods",
  maxPods: 110,
  podPidsMax: -1,
  allowedUnsafeSysctls: [],
  nodeLabels: {},
  nodeTaints: [],
  resolvConfPath: "/etc/resolv.conf",
  version: kubetsVersion,
  port: 10250,
  rootPrefix: "",
  enterMounts: [],
  reserved: {},
  containerdSocketPath: "/run/containerd/containerd.sock",
  sandboxImage: pauseImageName,
  containerLogSizeMaxBytes: 10 << 20,
  containerLogFilesMax: 5,
};
