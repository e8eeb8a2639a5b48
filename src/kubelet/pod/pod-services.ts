import type { Pod } from "#api/core/v1/pod.ts";
import type { Secret } from "#api/core/v1/secret.ts";
import type { Service } from "#api/core/v1/service.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { World } from "#base/world.ts";
import type { CgroupManager } from "../cgroups/cgroup-manager.ts";
import type { ContainerRuntime } from "../cri/runtime.ts";
import type { ImageManager } from "../images/image-manager.ts";
import type { ProbeManager } from "../probes/probe-manager.ts";
import type { ProbeNetwork } from "../probes/probe-network.ts";
import type { VolumeManager } from "../volumes/volume-manager.ts";
import type { CrashBackoff } from "./crash-backoff.ts";
import type { ClusterDns, ResolvConf } from "./dns.ts";
import type { PodObjects } from "./environment.ts";
import type { FieldContext } from "./field-ref.ts";
import type { PodEvents } from "./pod-events.ts";
import type { NodeDirectories } from "./pod-paths.ts";

/** What the workers of a node's Pods share. */
export interface PodServices {
  readonly world: World;
  /** Ends with the kubelet: nothing is started or ended after. */
  readonly lifetime: Lifetime;
  readonly cri: ContainerRuntime;
  readonly runtimeName: string;
  readonly events: PodEvents;
  readonly images: ImageManager;
  readonly volumes: VolumeManager;
  readonly cgroups: CgroupManager;
  readonly probes: ProbeManager;
  readonly network: ProbeNetwork;
  readonly objects: PodObjects;
  readonly crashes: CrashBackoff;
  readonly node: NodeFacts;
  readonly directories: NodeDirectories;
  services(): readonly Service[];
  pullSecrets(pod: Pod): Promise<readonly Secret[]>;
  /** The runtime's name for a RuntimeClass; rejects when there is none of that name. */
  runtimeHandler(pod: Pod): Promise<string>;
}

/** What does not change while the node is up. */
export interface NodeFacts {
  readonly name: string;
  readonly ips: readonly string[];
  readonly memoryCapacityBytes: number;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly dns: ClusterDns;
  /** The node's own. */
  readonly resolvConf: ResolvConf;
  readonly hostsFile: string;
  readonly seccompDirectory: string;
  readonly allowedUnsafeSysctls: readonly string[];
  /** Put before a path to see what the node sees there. */
  readonly rootPrefix: string;
}

export function fieldContext(
  { node }: Pick<PodServices, "node">,
  podIps: readonly string[],
): FieldContext {
  return { podIps, hostIps: node.ips, allocatable: node.allocatable };
}
