import { roundUpQuantity, formatQuantity } from "#apimachinery/quantity.ts";
import { setOwn } from "#apimachinery/maps.ts";
import type { Container } from "./container.ts";
import { defaultPullPolicy } from "./image-name.ts";
import type { Pod } from "./pod.ts";
import { aggregateContainers } from "./pod-resources.ts";
import type { PodSpec } from "./pod-spec.ts";
import type { PodStatus } from "./pod-status.ts";
import type { Probe } from "./probe.ts";
import type { ProjectedVolumeSource, VolumeProjection } from "./projected-volume.ts";
import { isHugePageName, isOvercommitAllowed, isPodLevelResource } from "./resource-name.ts";
import type { Volume } from "./volume.ts";

/** Source: pkg/apis/core/v1/defaults.go. Constants of single fields are in the schemas. */
export const terminationGracePeriodSecondsDefault = 30;
/** Octal 0644. */
const fileModeDefault = 0o644;
const tokenExpirationSecondsDefault = 3600;
const milliExponent = -3;

/** What templates and Pods have in common. Changes `spec`. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= terminationGracePeriodSecondsDefault;
  spec.schedulerName ||= "default-scheduler";
  // The old name of the field follows the new one.
  spec.serviceAccountName ||= spec.serviceAccount;
  spec.serviceAccount = spec.serviceAccountName;
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  roundUpToMilli(spec.overhead);
  roundUpToMilli(spec.resources?.limits);
  roundUpToMilli(spec.resources?.requests);
}

/** Defaults of Pods that templates do not get, so that these stay as written. Changes `pod`. */
export function defaultPod(pod: Pod): void {
  const { spec } = pod;
  defaultPodSpec(spec);
  if (pod.status !== undefined) syncPodIps(pod.status);
  for (const { resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    if (resources?.limits === undefined) continue;
    resources.requests = { ...resources.limits, ...resources.requests };
  }
  defaultPodLevelResources(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork !== true) return;
  for (const { ports } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    for (const port of ports ?? []) port.hostPort ||= port.containerPort;
  }
}

/** `podIP` is the first of `podIPs`; kubelets that set only the former are heard. */
function syncPodIps(status: PodStatus): void {
  const { podIP = "", podIPs = [] } = status;
  if (podIP !== "" && podIPs[0]?.ip !== podIP) status.podIPs = [{ ip: podIP }];
  const first = status.podIPs?.[0]?.ip;
  if (first !== undefined) status.podIP = first;
}

/** Ephemeral containers, too, have these fields. */
type AnyContainer = Omit<Container, "resources"> & Partial<Pick<Container, "resources">>;

function defaultContainer(container: AnyContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? "");
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) defaultProbe(probe);
  }
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    defaultHttpGet(handler?.httpGet);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= "v1";
  }
  roundUpToMilli(container.resources?.limits);
  roundUpToMilli(container.resources?.requests);
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHttpGet(probe.httpGet);
}

function defaultHttpGet(action: Probe["httpGet"]): void {
  if (action === undefined) return;
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

export function defaultVolume(volume: Volume): void {
  const { name: _, ...source } = volume;
  if (Object.values(source).every((member) => member === undefined)) volume.emptyDir = {};
  if (volume.hostPath !== undefined) volume.hostPath.type ??= "";
  for (const files of [volume.secret, volume.configMap, volume.downwardAPI]) {
    if (files !== undefined) files.defaultMode ??= fileModeDefault;
  }
  for (const { fieldRef } of volume.downwardAPI?.items ?? []) {
    if (fieldRef !== undefined) fieldRef.apiVersion ||= "v1";
  }
  if (volume.projected !== undefined) defaultProjected(volume.projected);
  if (volume.ephemeral?.volumeClaimTemplate !== undefined) {
    volume.ephemeral.volumeClaimTemplate.spec.volumeMode ??= "Filesystem";
  }
  if (volume.image !== undefined) {
    volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? "");
  }
}

function defaultProjected(projected: ProjectedVolumeSource): void {
  projected.defaultMode ??= fileModeDefault;
  for (const source of projected.sources ?? []) defaultProjection(source);
}

function defaultProjection({ downwardAPI, serviceAccountToken }: VolumeProjection): void {
  for (const { fieldRef } of downwardAPI?.items ?? []) {
    if (fieldRef !== undefined) fieldRef.apiVersion ||= "v1";
  }
  if (serviceAccountToken !== undefined) {
    serviceAccountToken.expirationSeconds ??= tokenExpirationSecondsDefault;
  }
}

/** Quantities finer than a thousandth are rounded up, as upstream has always done. */
export function roundUpToMilli(list: Record<string, string> | undefined): void {
  for (const [name, quantity] of Object.entries(list ?? {})) {
    if (/[nu]$|\.\d{4}|e-/i.test(quantity)) {
      setOwn(list ?? {}, name, formatQuantity(roundUpQuantity(quantity, milliExponent)));
    }
  }
}

/**
 * A Pod that names limits or requests of its own gets the rest of them from its containers.
 * Source: KEP-2837.
 */
function defaultPodLevelResources(spec: PodSpec): void {
  const { resources } = spec;
  if (resources === undefined) return;
  const hasLimits = Object.keys(resources.limits ?? {}).length > 0;
  if (!hasLimits && Object.keys(resources.requests ?? {}).length === 0) return;
  const limits = { ...resources.limits };
  for (const [name, quantity] of Object.entries(aggregateContainers(spec, "limits"))) {
    const asked = resources.requests?.[name] !== undefined || limits[name] !== undefined;
    if (isHugePageName(name) && !asked) setOwn(limits, name, quantity);
  }
  if (Object.keys(limits).length === 0) return;
  resources.limits = limits;
  const requests = { ...resources.requests };
  for (const [name, quantity] of Object.entries(aggregateContainers(spec, "requests"))) {
    if (requests[name] === undefined && isPodLevelResource(name) && isOvercommitAllowed(name)) {
      setOwn(requests, name, quantity);
    }
  }
  for (const [name, quantity] of Object.entries(limits)) {
    if (requests[name] === undefined && isPodLevelResource(name)) setOwn(requests, name, quantity);
  }
  if (Object.keys(requests).length > 0) resources.requests = requests;
}
