import { goQuote } from "#apimachinery/field-error.ts";
import type { ObjectMeta } from "#apimachinery/object.ts";
import { ipWarnings } from "#apimachinery/validation/ip.ts";
import type { Container, ContainerPort } from "./container.ts";
import { nodeLabelNotice, nodeSelectorTermWarnings } from "./node-label-warnings.ts";
import type { PodSpec, PodTemplateSpec } from "./pod-spec.ts";
import { isWholeQuantity, type ResourceList } from "./resource-name.ts";
import type { Volume } from "./volume.ts";

/** Sound Pods that will likely surprise their author. Source: pkg/api/pod/warnings.go. */
const deprecatedAnnotations: [key: string, notice: string][] = [
  [
    "scheduler.alpha.kubernetes.io/critical-pod",
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  ],
  [
    "security.alpha.kubernetes.io/sysctls",
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
  [
    "security.alpha.kubernetes.io/unsafe-sysctls",
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
];

const deprecatedVolumes: [field: keyof Volume, name: string, notice: string][] = [
  ["photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

const seccompPod = "seccomp.security.alpha.kubernetes.io/pod";
const seccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
const appArmorContainer = "container.apparmor.security.beta.kubernetes.io/";
const seccompNotice = 'non-functional in v1.27+; use the "seccompProfile" field instead';
export const appArmorNotice = 'deprecated since v1.30; use the "appArmorProfile" field instead';

/** `prefix` is `""` for Pods, `spec.template.` for templates. */
export function podSpecWarnings(meta: ObjectMeta, spec: PodSpec, prefix = ""): string[] {
  const path = `${prefix}spec`;
  const annotationPath = `${prefix}metadata.annotations`;
  const containers = namedContainers(spec, path);
  return [
    ...placementWarnings(spec, path),
    ...deprecatedAnnotations
      .filter(([key]) => meta.annotations?.[key] !== undefined)
      .map(([key, notice]) => `${annotationPath}[${key}]: ${notice}`),
    ...volumeWarnings(spec.volumes ?? [], `${path}.volumes`),
    ...duplicateWarnings(spec, path),
    ...fractionWarnings(spec.overhead, `${path}.overhead`),
    ...seccompWarnings(meta, spec, annotationPath),
    ...containers.flatMap(({ container, at }) => [
      ...profileWarnings(meta, spec, { container, annotationPath, isTemplate: prefix !== "" }),
      ...resourceWarnings(container, `${at}.resources`),
      ...envWarnings(container, `${at}.env`),
    ]),
    ...portWarnings(containers),
  ];
}

export function podTemplateWarnings(template: PodTemplateSpec, path: string): string[] {
  return podSpecWarnings(template.metadata, template.spec, `${path}.`);
}

interface NamedContainer {
  readonly container: Omit<Container, "resources"> & Partial<Pick<Container, "resources">>;
  readonly at: string;
}

function namedContainers(spec: PodSpec, path: string): NamedContainer[] {
  const lists = {
    initContainers: spec.initContainers ?? [],
    containers: spec.containers,
    ephemeralContainers: spec.ephemeralContainers ?? [],
  };
  return Object.entries(lists).flatMap(([name, list]) =>
    list.map((container, i) => ({ container, at: `${path}.${name}[${i}]` })),
  );
}

function placementWarnings(spec: PodSpec, path: string): string[] {
  const warnings = Object.keys(spec.nodeSelector ?? {}).flatMap((key) => {
    const notice = nodeLabelNotice(key);
    return notice === undefined ? [] : [`${path}.nodeSelector[${key}]: ${notice}`];
  });
  const node = spec.affinity?.nodeAffinity;
  const at = `${path}.affinity.nodeAffinity`;
  const terms = node?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const [i, term] of terms.entries()) {
    const termPath = `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`;
    warnings.push(...nodeSelectorTermWarnings(term, termPath));
  }
  const preferred = node?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const [i, { preference }] of preferred.entries()) {
    const termPath = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`;
    warnings.push(...nodeSelectorTermWarnings(preference, termPath));
  }
  for (const [i, constraint] of (spec.topologySpreadConstraints ?? []).entries()) {
    const spread = `${path}.topologySpreadConstraints[${i}]`;
    const notice = nodeLabelNotice(constraint.topologyKey);
    if (notice !== undefined) {
      warnings.push(`${spread}.topologyKey: ${constraint.topologyKey} is ${notice}`);
    }
    if (constraint.labelSelector === undefined) warnings.push(nullSelector(spread));
  }
  return [...warnings, ...podAffinityWarnings(spec, `${path}.affinity`)];
}

function nullSelector(path: string): string {
  return `${path}.labelSelector: a null labelSelector results in matching no pod`;
}

function podAffinityWarnings(spec: PodSpec, path: string): string[] {
  return (["podAffinity", "podAntiAffinity"] as const).flatMap((field) => {
    const affinity = spec.affinity?.[field];
    const requiredTerms = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const base = `${path}.${field}`;
    return [
      ...requiredTerms.flatMap(({ labelSelector }, i) => {
        const at = `${base}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`;
        return labelSelector === undefined ? [nullSelector(at)] : [];
      }),
      ...preferred.flatMap(({ podAffinityTerm }, i) => {
        const at = `${base}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm`;
        return podAffinityTerm.labelSelector === undefined ? [nullSelector(at)] : [];
      }),
    ];
  });
}

function volumeWarnings(volumes: readonly Volume[], path: string): string[] {
  const warnings = volumes.flatMap((volume, i) => {
    const at = `${path}[${i}]`;
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
    return [
      ...deprecatedVolumes
        .filter(([field]) => volume[field] !== undefined)
        .map(([, name, notice]) => `${at}.${name}: ${notice}`),
      ...(claim === undefined
        ? []
        : fractionWarnings(
            claim.resources?.requests,
            `${at}.ephemeral.volumeClaimTemplate.spec.resources.requests`,
            ["storage"],
          )),
    ];
  });
  for (const { name, projected } of volumes) {
    if (projected !== undefined && projected.sources?.some(isEmptyProjection) === true) {
      warnings.push(`volume "${name}" (Projected) has no sources provided`);
    }
  }
  return [...warnings, ...tokenPathWarnings(volumes, path)];
}

function isEmptyProjection(source: object): boolean {
  return Object.values(source).every((member) => member === undefined);
}

/** Files that hide a token. */
function tokenPathWarnings(volumes: readonly Volume[], path: string): string[] {
  const sourcesOf = (volume: Volume) => volume.projected?.sources ?? [];
  const tokens = new Set(
    volumes
      .flatMap(sourcesOf)
      .flatMap(({ serviceAccountToken: token }) => (token ? [token.path] : [])),
  );
  if (tokens.size === 0) return [];
  return volumes.flatMap((volume, i) =>
    sourcesOf(volume).flatMap(({ configMap, secret, downwardAPI, clusterTrustBundle }) => {
      const at = `${path}[${i}].projected.sources`;
      const text = (file: string) =>
        `has duplicated path with ServiceAccountToken ${goQuote(file)}`;
      const lists = {
        configMap: configMap?.items,
        secrets: secret?.items,
        downwardAPI: downwardAPI?.items,
      };
      const found = Object.entries(lists).flatMap(([name, items = []]) =>
        items.flatMap(({ path: file }, j) =>
          tokens.has(file) ? [`${at}.${name}[${j}]: ${text(file)}`] : [],
        ),
      );
      const bundle = clusterTrustBundle?.path;
      if (bundle !== undefined && tokens.has(bundle)) {
        found.push(`${at}.ClusterTrustBundle: ${text(bundle)}`);
      }
      return found;
    }),
  );
}

function duplicateWarnings(spec: PodSpec, path: string): string[] {
  const ips = new Set<string>();
  const names = new Set<string>();
  const secrets = spec.imagePullSecrets ?? [];
  return [
    ...(spec.hostAliases ?? []).flatMap(({ ip }, i) => {
      const at = `${path}.hostAliases[${i}].ip`;
      return [
        ...(repeats(ips, ip) ? [`${at}: duplicate ip ${goQuote(ip)}`] : []),
        ...ipWarnings(ip, at),
      ];
    }),
    ...secrets.flatMap(({ name = "" }, i) =>
      repeats(names, name)
        ? [`${path}.imagePullSecrets[${i}].name: duplicate name ${goQuote(name)}`]
        : [],
    ),
    ...secrets.flatMap(({ name = "" }, i) =>
      name === "" ? [`${path}.imagePullSecrets[${i}].name: invalid empty name ""`] : [],
    ),
  ];
}

function repeats(seen: Set<string>, value: string): boolean {
  const found = seen.has(value);
  seen.add(value);
  return found;
}

const byteResources = ["memory", "ephemeral-storage"];

/** Bytes cannot be divided. */
export function fractionWarnings(
  list: ResourceList | undefined,
  path: string,
  names: readonly string[] = byteResources,
): string[] {
  return names.flatMap((name) => {
    const quantity = list?.[name];
    if (quantity === undefined || isWholeQuantity(quantity)) return [];
    return [
      `${path}[${name}]: fractional byte value ${goQuote(quantity)} is invalid, must be an integer`,
    ];
  });
}

function resourceWarnings({ resources }: NamedContainer["container"], path: string): string[] {
  return byteResources.flatMap((name) => [
    ...fractionWarnings(resources?.limits, `${path}.limits`, [name]),
    ...fractionWarnings(resources?.requests, `${path}.requests`, [name]),
  ]);
}

function seccompWarnings(meta: ObjectMeta, spec: PodSpec, path: string): string[] {
  if (spec.securityContext?.seccompProfile !== undefined) return [];
  return meta.annotations?.[seccompPod] === undefined
    ? []
    : [`${path}[${seccompPod}]: ${seccompNotice}`];
}

interface ProfileScope extends Pick<NamedContainer, "container"> {
  readonly annotationPath: string;
  readonly isTemplate: boolean;
}

/** For Pods themselves AppArmor annotations are noticed when they become fields. */
function profileWarnings(meta: ObjectMeta, spec: PodSpec, scope: ProfileScope): string[] {
  const { container, annotationPath, isTemplate } = scope;
  const warnings: string[] = [];
  const seccomp = seccompContainer + container.name;
  if (
    container.securityContext?.seccompProfile === undefined &&
    meta.annotations?.[seccomp] !== undefined
  ) {
    warnings.push(`${annotationPath}[${seccomp}]: ${seccompNotice}`);
  }
  const appArmor = appArmorContainer + container.name;
  const profile =
    container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
  if (isTemplate && profile === undefined && meta.annotations?.[appArmor] !== undefined) {
    warnings.push(`${annotationPath}[${appArmor}]: ${appArmorNotice}`);
  }
  return warnings;
}

function envWarnings({ env = [] }: NamedContainer["container"], path: string): string[] {
  const names = new Set<string>();
  return env.flatMap(({ name, value = "", valueFrom }, i) => {
    if (!repeats(names, name)) return [];
    const reference = `$(${name})`;
    const extends_ = valueFrom === undefined && value !== reference && value.includes(reference);
    const text = `hides previous definition of ${goQuote(name)}, which may be dropped when using apply`;
    return extends_ ? [] : [`${path}[${i}]: ${text}`];
  });
}

function portWarnings(containers: readonly NamedContainer[]): string[] {
  const seen = new Map<string, { port: ContainerPort; at: string }[]>();
  const named = new Map<string, string>();
  const warnings: string[] = [];
  for (const { container, at: base } of containers) {
    for (const [i, port] of (container.ports ?? []).entries()) {
      const at = `${base}.ports[${i}]`;
      const key = `${port.containerPort}/${port.protocol ?? ""}`;
      const others = seen.get(key) ?? [];
      for (const other of others) {
        const overlap = portOverlap(port, other.port);
        if (overlap !== undefined) warnings.push(`${at}: ${overlap} with ${other.at}`);
      }
      seen.set(key, [...others, { port, at }]);
    }
  }
  for (const { container, at: base } of containers) {
    for (const [i, { name = "" }] of (container.ports ?? []).entries()) {
      if (name === "") continue;
      const at = `${base}.ports[${i}]`;
      const other = named.get(name);
      if (other === undefined) named.set(name, at);
      else if (!other.startsWith(`${base}.`)) {
        warnings.push(
          `${at}: duplicate port name ${goQuote(name)} with ${other}, services and probes that select ports by name will use ${other}`,
        );
      }
    }
  }
  return warnings;
}

function portOverlap(port: ContainerPort, other: ContainerPort): string | undefined {
  const { hostPort = 0, hostIP = "" } = port;
  const { hostPort: otherPort = 0, hostIP: otherIp = "" } = other;
  if (hostIP === otherIp && hostPort === otherPort) return "duplicate port definition";
  if (hostPort === 0 || otherPort === 0) return "overlapping port definition";
  if (hostPort !== otherPort) return undefined;
  return hostIP === "" || otherIp === "" ? "dangerously ambiguous port definition" : undefined;
}
