import {
  type Check,
  type CheckedContainer,
  containersOf,
  hasUserNamespace,
  named,
  plural,
  type PodView,
  quoted,
  setters,
  unique,
} from "./pod-view.ts";

/**
 * Checks of the baseline level, by the order of upstream's ids. Those that the restricted level
 * replaces are exported. Source: k8s.io/pod-security-admission/policy.
 */
const appArmor: Check = {
  run(pod) {
    const isBad = (type: string | undefined): boolean => type === "Unconfined";
    const podType = pod.spec.securityContext?.appArmorProfile?.type;
    const containers = containersOf(pod).filter((one) =>
      isBad(one.securityContext?.appArmorProfile?.type),
    );
    const annotations = Object.entries(pod.metadata.annotations ?? {}).filter(
      ([key, value]) =>
        key.startsWith("container.apparmor.security.beta.kubernetes.io/") &&
        value !== "" &&
        value !== "runtime/default" &&
        !value.startsWith("localhost/"),
    );
    const explicit = isBad(podType) || containers.length > 0;
    if (!explicit && annotations.length === 0) return undefined;
    const details = [
      ...(explicit
        ? [
            `${setters(isBad(podType), containers)} must not set AppArmor profile type to "Unconfined"`,
          ]
        : []),
      ...annotations.map(([key, value]) => `${key}=${JSON.stringify(value)}`),
    ];
    const count = (explicit ? 1 : 0) + annotations.length;
    return {
      reason: plural(count, "forbidden AppArmor profile", "forbidden AppArmor profiles"),
      detail: details.join(", "),
    };
  },
};

const defaultCapabilities = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

export function addedBeyond(
  pod: PodView,
  allowed: ReadonlySet<string>,
): { containers: CheckedContainer[]; capabilities: string[] } {
  const bad = ({ securityContext }: CheckedContainer): string[] =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !allowed.has(name));
  const containers = containersOf(pod).filter((one) => bad(one).length > 0);
  return { containers, capabilities: unique(containers.flatMap(bad)) };
}

export const capabilities: Check = {
  run(pod) {
    const { containers, capabilities: names } = addedBeyond(pod, defaultCapabilities);
    if (containers.length === 0) return undefined;
    const detail = `${named(containers)} must not include ${quoted(names)} in securityContext.capabilities.add`;
    return { reason: "non-default capabilities", detail };
  },
};

const hostNamespaces: Check = {
  run({ spec }) {
    const used = (["hostNetwork", "hostPID", "hostIPC"] as const).filter(
      (name) => spec[name] === true,
    );
    if (used.length === 0) return undefined;
    return { reason: "host namespaces", detail: used.map((name) => `${name}=true`).join(", ") };
  },
};

export const hostPathVolumes: Check = {
  run({ spec }) {
    const names = (spec.volumes ?? [])
      .filter(({ hostPath }) => hostPath !== undefined)
      .map(({ name }) => name);
    if (names.length === 0) return undefined;
    return {
      reason: "hostPath volumes",
      detail: `${plural(names.length, "volume", "volumes")} ${quoted(names)}`,
    };
  },
};

const hostPorts: Check = {
  run(pod) {
    const portsOf = ({ ports = [] }: CheckedContainer): string[] =>
      ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
    const containers = containersOf(pod).filter((one) => portsOf(one).length > 0);
    if (containers.length === 0) return undefined;
    const ports = unique(containers.flatMap(portsOf));
    const uses = plural(containers.length, "uses", "use");
    const what = plural(ports.length, "hostPort", "hostPorts");
    return {
      reason: "hostPort",
      detail: `${named(containers)} ${uses} ${what} ${ports.join(", ")}`,
    };
  },
};

function hostsOf(container: CheckedContainer): string[] {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  const handlers = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ];
  return handlers.flatMap((handler) => {
    const tcp =
      handler !== undefined && "tcpSocket" in handler ? handler.tcpSocket?.host : undefined;
    return [handler?.httpGet?.host ?? "", tcp ?? ""].filter((host) => host !== "");
  });
}

const hostProbes: Check = {
  since: 34,
  run(pod) {
    const containers = containersOf(pod).filter((one) => hostsOf(one).length > 0);
    if (containers.length === 0) return undefined;
    const hosts = unique(containers.flatMap(hostsOf));
    const uses = plural(containers.length, "uses", "use");
    const what = plural(hosts.length, "host", "hosts");
    const detail = `${named(containers)} ${uses} probe or lifecycle ${what} ${quoted(hosts)}`;
    return { reason: "probe or lifecycle host", detail };
  },
};

const privileged: Check = {
  run(pod) {
    const bad = containersOf(pod).filter(
      ({ securityContext }) => securityContext?.privileged === true,
    );
    if (bad.length === 0) return undefined;
    return {
      reason: "privileged",
      detail: `${named(bad)} must not set securityContext.privileged=true`,
    };
  },
};

export const procMount: Check = {
  run(pod) {
    const typeOf = ({ securityContext }: CheckedContainer): string =>
      securityContext?.procMount ?? "Default";
    const bad = containersOf(pod).filter((one) => typeOf(one) !== "Default");
    if (bad.length === 0) return undefined;
    const types = quoted(unique(bad.map(typeOf)));
    return {
      reason: "procMount",
      detail: `${named(bad)} must not set securityContext.procMount to ${types}`,
    };
  },
};

const procMountBaseline: Check = {
  run: (pod, minor) => (hasUserNamespace(pod) ? undefined : procMount.run(pod, minor)),
};

const seLinuxTypes = new Set(["", "container_t", "container_init_t", "container_kvm_t"]);

const seLinuxOptions: Check = {
  run(pod, minor) {
    const optionsOf = (one: {
      securityContext?: CheckedContainer["securityContext"] | PodView["spec"]["securityContext"];
    }) => one.securityContext?.seLinuxOptions;
    type Options = ReturnType<typeof optionsOf>;
    const isBadType = (type = ""): boolean =>
      !seLinuxTypes.has(type) && !(minor >= 31 && type === "container_engine_t");
    const isBad = (options: Options): boolean =>
      options !== undefined &&
      (isBadType(options.type) || Boolean(options.user) || Boolean(options.role));
    const containers = containersOf(pod).filter((one) => isBad(optionsOf(one)));
    const podBad = isBad(optionsOf(pod.spec));
    if (!podBad && containers.length === 0) return undefined;
    const all = [...(podBad ? [optionsOf(pod.spec)] : []), ...containers.map(optionsOf)];
    const types = unique(
      all.flatMap((options) => (isBadType(options?.type) ? [options?.type ?? ""] : [])),
    );
    const problems = [
      ...(types.length > 0 ? [`${plural(types.length, "type", "types")} ${quoted(types)}`] : []),
      ...(all.some((options) => options?.user) ? ["user may not be set"] : []),
      ...(all.some((options) => options?.role) ? ["role may not be set"] : []),
    ];
    const detail = `${setters(podBad, containers)} set forbidden securityContext.seLinuxOptions: ${problems.join("; ")}`;
    return { reason: "seLinuxOptions", detail };
  },
};

/** Whoever sets another profile than allowed. */
export function badSeccomp(pod: PodView): string | undefined {
  const isBad = (type: string | undefined): boolean =>
    type !== undefined && type !== "RuntimeDefault" && type !== "Localhost";
  const podType = pod.spec.securityContext?.seccompProfile?.type;
  const typeOf = ({ securityContext }: CheckedContainer): string | undefined =>
    securityContext?.seccompProfile?.type;
  const containers = containersOf(pod).filter((one) => isBad(typeOf(one)));
  if (!isBad(podType) && containers.length === 0) return undefined;
  const types = unique([
    ...(isBad(podType) ? [podType ?? ""] : []),
    ...containers.map((one) => typeOf(one) ?? ""),
  ]);
  const who = setters(isBad(podType), containers);
  return `${who} must not set securityContext.seccompProfile.type to ${quoted(types)}`;
}

export const seccompProfile: Check = {
  since: 19,
  run(pod) {
    const detail = badSeccomp(pod);
    return detail === undefined ? undefined : { reason: "seccompProfile", detail };
  },
};

/** Safe sysctls, by the minor version since which they are. */
const sysctlsSince: Readonly<Record<string, number>> = {
  "kernel.shm_rmid_forced": 0,
  "net.ipv4.ip_local_port_range": 0,
  "net.ipv4.ip_unprivileged_port_start": 0,
  "net.ipv4.ping_group_range": 0,
  "net.ipv4.tcp_syncookies": 0,
  "net.ipv4.ip_local_reserved_ports": 27,
  "net.ipv4.tcp_fin_timeout": 29,
  "net.ipv4.tcp_keepalive_intvl": 29,
  "net.ipv4.tcp_keepalive_probes": 29,
  "net.ipv4.tcp_keepalive_time": 29,
  "net.ipv4.tcp_rmem": 32,
  "net.ipv4.tcp_wmem": 32,
};

const sysctls: Check = {
  run({ spec }, minor) {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name);
    const bad = names.filter(
      (name) => !Object.hasOwn(sysctlsSince, name) || (sysctlsSince[name] ?? 0) > minor,
    );
    return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
  },
};

const windowsHostProcess: Check = {
  run(pod) {
    const containers = containersOf(pod).filter(
      ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true,
    );
    const podBad = pod.spec.securityContext?.windowsOptions?.hostProcess === true;
    if (!podBad && containers.length === 0) return undefined;
    const detail = `${setters(podBad, containers)} must not set securityContext.windowsOptions.hostProcess=true`;
    return { reason: "hostProcess", detail };
  },
};

export const baselineChecks: readonly Check[] = [
  appArmor,
  capabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMountBaseline,
  seLinuxOptions,
  seccompProfile,
  sysctls,
  windowsHostProcess,
];

/** Those that the restricted level has stricter forms of, with the version since which it has. */
export const replacedByRestricted: ReadonlyMap<Check, number> = new Map([
  [capabilities, 22],
  [hostPathVolumes, 0],
  [procMountBaseline, 0],
  [seccompProfile, 19],
]);
