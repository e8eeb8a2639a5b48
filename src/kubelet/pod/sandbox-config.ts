import type { Pod } from "#api/core/v1/pod.ts";
import type { PodSandboxConfig } from "../cri/messages.ts";
import { protocolNumber } from "../cri/messages.ts";
import { isHostNetwork, isSidecar, uidOf } from "./container-list.ts";
import type { ResolvConf } from "./dns.ts";
import { podLabels } from "./runtime-labels.ts";
import { sandboxSecurity } from "./security.ts";

export interface SandboxInput {
  readonly pod: Pod;
  readonly attempt: number;
  /** "" on the node's network: the runtime refuses to name what it shares. */
  readonly hostname: string;
  readonly dns: ResolvConf;
  readonly logDirectory: string;
  readonly cgroupParent: string;
}

/** Source: kuberuntime_sandbox.go generatePodSandboxConfig. */
export function sandboxConfig(input: SandboxInput): PodSandboxConfig {
  const { pod, dns } = input;
  const { name = "", namespace = "", labels = {}, annotations = {} } = pod.metadata ?? {};
  const sysctls = pod.spec.securityContext?.sysctls ?? [];
  return {
    metadata: { name, namespace, uid: uidOf(pod), attempt: input.attempt },
    hostname: isHostNetwork(pod) ? "" : input.hostname,
    logDirectory: input.logDirectory,
    dnsConfig: dns,
    portMappings: isHostNetwork(pod) ? [] : portMappings(pod),
    labels: { ...labels, ...podLabels(pod) },
    annotations,
    linux: {
      cgroupParent: input.cgroupParent,
      securityContext: sandboxSecurity(pod),
      sysctls: Object.fromEntries(
        sysctls.map((each) => [each.name.replaceAll("/", "."), each.value]),
      ),
    },
  };
}

function portMappings(pod: Pod): NonNullable<PodSandboxConfig["portMappings"]> {
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  const ports = [...sidecars, ...pod.spec.containers].flatMap((container) => container.ports ?? []);
  return ports
    .filter(({ hostPort = 0 }) => hostPort > 0)
    .map(({ protocol, containerPort, hostPort = 0, hostIP = "" }) => ({
      protocol: protocolNumber[protocol as keyof typeof protocolNumber] ?? protocolNumber.TCP,
      containerPort,
      hostPort,
      hostIp: hostIP,
    }));
}
