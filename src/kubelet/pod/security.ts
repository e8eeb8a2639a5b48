/** Security settings of sandboxes and containers. Source: kuberuntime/security_context*.go. */
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { SeccompProfile, SecurityContext } from "#api/core/v1/security-context.ts";
import { goQuote } from "#apimachinery/field-error.ts";
import type { LinuxContainerSecurityContext, PodSandboxConfig } from "../cri/messages.ts";
import { groupsPolicy, namespaceMode, profileType } from "../cri/messages.ts";
import { podDescription } from "./container-list.ts";

/** Whom an image says it runs as. */
export interface ImageUser {
  readonly uid: number | undefined;
  readonly username: string;
}

/** The container's settings over the Pod's. */
export function effectiveSecurity(pod: Pod, container: Container): SecurityContext {
  const { runAsUser, runAsGroup, runAsNonRoot, seLinuxOptions, seccompProfile, appArmorProfile } =
    pod.spec.securityContext ?? {};
  const inherited = {
    runAsUser,
    runAsGroup,
    runAsNonRoot,
    seLinuxOptions,
    seccompProfile,
    appArmorProfile,
  };
  const own = Object.entries(container.securityContext ?? {}).filter(
    ([, value]) => value !== undefined,
  );
  const given = Object.entries(inherited).filter(([, value]) => value !== undefined);
  return Object.fromEntries([...given, ...own]) as SecurityContext;
}

/** The text of the error when the container would run as root though it must not. */
export function rootViolation(
  pod: Pod,
  container: Container,
  image: ImageUser,
): string | undefined {
  const { runAsNonRoot, runAsUser } = effectiveSecurity(pod, container);
  if (runAsNonRoot !== true) return undefined;
  const where = `(pod: ${goQuote(podDescription(pod))}, container: ${container.name})`;
  if (runAsUser !== undefined) {
    return runAsUser === 0 ? `container's runAsUser breaks non-root policy ${where}` : undefined;
  }
  if (image.uid === 0) return `container has runAsNonRoot and image will run as root ${where}`;
  if (image.uid === undefined && image.username !== "") {
    return (
      `container has runAsNonRoot and image has non-numeric user (${image.username}), ` +
      `cannot verify user is non-root ${where}`
    );
  }
  return undefined;
}

type NamespaceOptions = NonNullable<LinuxContainerSecurityContext["namespaceOptions"]>;

export function namespaceOptions(pod: Pod, targetId = ""): NamespaceOptions {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec;
  const pid =
    hostPID === true
      ? namespaceMode.node
      : shareProcessNamespace === true
        ? namespaceMode.pod
        : namespaceMode.container;
  return {
    network: hostNetwork === true ? namespaceMode.node : namespaceMode.pod,
    ipc: hostIPC === true ? namespaceMode.node : namespaceMode.pod,
    pid: targetId === "" ? pid : namespaceMode.target,
    targetId,
  };
}

function supplementalGroups(pod: Pod): number[] {
  const { fsGroup, supplementalGroups: groups = [] } = pod.spec.securityContext ?? {};
  return [...(fsGroup === undefined ? [] : [fsGroup]), ...groups];
}

function policyOf(pod: Pod): number {
  return pod.spec.securityContext?.supplementalGroupsPolicy === "Strict"
    ? groupsPolicy.Strict
    : groupsPolicy.Merge;
}

export function sandboxSecurity(
  pod: Pod,
): NonNullable<NonNullable<PodSandboxConfig["linux"]>["securityContext"]> {
  const { runAsUser, runAsGroup } = pod.spec.securityContext ?? {};
  const { containers, initContainers = [] } = pod.spec;
  const privileged = [...containers, ...initContainers].some(
    ({ securityContext }) => securityContext?.privileged === true,
  );
  return {
    privileged,
    namespaceOptions: namespaceOptions(pod),
    seccomp: { profileType: profileType.runtimeDefault },
    supplementalGroups: supplementalGroups(pod),
    supplementalGroupsPolicy: policyOf(pod),
    ...(runAsUser !== undefined && { runAsUser: { value: runAsUser } }),
    ...(runAsUser !== undefined &&
      runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
  };
}

/** Paths that a container does not see. Source: securitycontext/util.go. */
const maskedPaths = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export interface ContainerSecurityInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly image: ImageUser;
  /** Where profiles of type Localhost are. */
  readonly seccompDirectory: string;
  /** Of the container whose processes an ephemeral one shares. */
  readonly targetId?: string;
}

export function containerSecurity(input: ContainerSecurityInput): LinuxContainerSecurityContext {
  const { pod, container, image } = input;
  const security = effectiveSecurity(pod, container);
  const { runAsUser = image.uid, runAsGroup, capabilities } = security;
  const user =
    runAsUser !== undefined
      ? { runAsUser: { value: runAsUser } }
      : image.username !== ""
        ? { runAsUsername: image.username }
        : {};
  const unmasked = security.procMount === "Unmasked" || security.privileged === true;
  return {
    ...user,
    ...(runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
    privileged: security.privileged === true,
    readonlyRootfs: security.readOnlyRootFilesystem === true,
    noNewPrivs: security.allowPrivilegeEscalation === false,
    namespaceOptions: namespaceOptions(pod, input.targetId),
    supplementalGroups: supplementalGroups(pod),
    supplementalGroupsPolicy: policyOf(pod),
    seccomp: seccompProfile(security.seccompProfile, input.seccompDirectory),
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
    ...(capabilities && {
      capabilities: {
        addCapabilities: capabilities.add ?? [],
        dropCapabilities: capabilities.drop ?? [],
      },
    }),
    ...(security.seLinuxOptions && { selinuxOptions: security.seLinuxOptions }),
  };
}

function seccompProfile(profile: SeccompProfile | undefined, directory: string) {
  if (profile?.type === "RuntimeDefault") return { profileType: profileType.runtimeDefault };
  if (profile?.type === "Localhost") {
    return {
      profileType: profileType.localhost,
      localhostRef: `${directory}/${profile.localhostProfile ?? ""}`,
    };
  }
  return { profileType: profileType.unconfined };
}

/** Sysctls that a Pod may set without being asked whether it may. Source: kubelet/sysctl/safe_sysctls.go. */
const safeSysctls = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
]);

/** The text that refuses the Pod; `allowed` are the node's `allowedUnsafeSysctls`, `*` at an end. */
export function forbiddenSysctl(pod: Pod, allowed: readonly string[]): string | undefined {
  for (const { name } of pod.spec.securityContext?.sysctls ?? []) {
    const key = name.replaceAll("/", ".");
    if (safeSysctls.has(key)) continue;
    const permitted = allowed.some((pattern) =>
      pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : key === pattern,
    );
    if (!permitted) return `forbidden sysctl: ${goQuote(name)} not allowlisted`;
  }
  return undefined;
}
