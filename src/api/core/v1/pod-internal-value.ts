import { unifiedDiff } from "#apimachinery/text-diff.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { PodSpec, type PodTemplateSpec } from "./pod-spec.ts";

/** Fields of a PodSpec in the order of upstream's internal type, which messages show. */
const order = [
  "Volumes",
  "InitContainers",
  "Containers",
  "EphemeralContainers",
  "RestartPolicy",
  "TerminationGracePeriodSeconds",
  "ActiveDeadlineSeconds",
  "DNSPolicy",
  "NodeSelector",
  "ServiceAccountName",
  "AutomountServiceAccountToken",
  "NodeName",
  "SecurityContext",
  "ImagePullSecrets",
  "Hostname",
  "Subdomain",
  "SetHostnameAsFQDN",
  "Affinity",
  "SchedulerName",
  "Tolerations",
  "HostAliases",
  "PriorityClassName",
  "Priority",
  "PreemptionPolicy",
  "DNSConfig",
  "ReadinessGates",
  "RuntimeClassName",
  "Overhead",
  "EnableServiceLinks",
  "TopologySpreadConstraints",
  "OS",
  "SchedulingGates",
  "ResourceClaims",
  "Resources",
  "HostnameOverride",
  "SchedulingGroup",
];

const volumeOrder = [
  "Name",
  "HostPath",
  "EmptyDir",
  "GCEPersistentDisk",
  "AWSElasticBlockStore",
  "GitRepo",
  "Secret",
  "NFS",
  "ISCSI",
  "Glusterfs",
  "PersistentVolumeClaim",
  "RBD",
  "Quobyte",
  "FlexVolume",
  "Cinder",
  "CephFS",
  "Flocker",
  "DownwardAPI",
  "FC",
  "AzureFile",
  "ConfigMap",
  "VsphereVolume",
  "AzureDisk",
  "PhotonPersistentDisk",
  "Projected",
  "PortworxVolume",
  "ScaleIO",
  "StorageOS",
  "CSI",
  "Ephemeral",
  "Image",
];

function inOrder(names: readonly string[], value: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(names.map((name) => [name, value[name] ?? null]));
}

/** Internally host namespaces are part of the security context. */
const securityFields = ["HostNetwork", "HostPID", "HostIPC", "ShareProcessNamespace", "HostUsers"];

export function internalPodSpec(spec: PodSpec): Record<string, unknown> {
  const flat = internalValue(PodSpec, spec) as Record<string, unknown>;
  const own = flat["SecurityContext"] as Record<string, unknown> | null;
  const security = Object.fromEntries(securityFields.map((name) => [name, flat[name]]));
  const volumes = flat["Volumes"] as Record<string, unknown>[] | null;
  const shown: Record<string, unknown> = {
    ...flat,
    Volumes: volumes?.map((volume) => inOrder(volumeOrder, volume)) ?? null,
    SecurityContext: own && { ...security, ...lastFields(own, afterFsGroup) },
  };
  return Object.fromEntries(order.map((name) => [name, shown[name] ?? null]));
}

const afterFsGroup = ["Sysctls", "SeccompProfile", "AppArmorProfile", "SELinuxChangePolicy"];

function lastFields(object: Record<string, unknown>, names: string[]): Record<string, unknown> {
  const entries = Object.entries(object);
  const first = entries.filter(([name]) => !names.includes(name));
  return Object.fromEntries([...first, ...names.map((name) => [name, object[name]] as const)]);
}

export function internalTemplate({ metadata, spec }: PodTemplateSpec): Record<string, unknown> {
  return { ...metadata, Spec: internalPodSpec(spec) };
}

/** What changed between two specs, line by line. */
export function podSpecDiff(old: PodSpec, now: PodSpec): string {
  const lines = (spec: PodSpec): string[] =>
    JSON.stringify(internalPodSpec(spec), undefined, 1).split("\n");
  return unifiedDiff(lines(old), lines(now));
}
