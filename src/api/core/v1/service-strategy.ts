import { semanticEqual } from "#apimachinery/deep-equal.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import { cidrWarnings, ipWarnings } from "#apimachinery/validation/ip.ts";
import type { Service } from "./service.ts";
import {
  defaultService,
  isExternallyAccessible,
  isHeadless,
  needsHealthCheck,
} from "./service-defaults.ts";
import { validateService, validateServiceUpdate } from "./service-validation.ts";
import { checkDnsLabel } from "#apimachinery/validation/names.ts";

/** How Services are written. Addresses and node ports are the API server's to allocate. */
export const serviceStrategy: Strategy<Service> = {
  nameRule: checkDnsLabel,
  allowCreateOnUpdate: true,
  deleteReturnsObject: true,
  default: defaultService,
  prepareForCreate(service) {
    service.status = {};
    normalizeClusterIps(service, undefined);
  },
  prepareForUpdate(service, { old }) {
    service.status = old.status;
    normalizeClusterIps(service, old);
    keepAllocatedValues(service, old);
    dropTypeDependentFields(service, old);
  },
  validate: (service) => [...validateService(service)],
  validateUpdate: (service, { old }) => [...validateServiceUpdate(service, old)],
  warnings: (service) => serviceWarnings(service),
};

/** `clusterIP` is the first of `clusterIPs`; clients that know only the former are heard. */
export function normalizeClusterIps(service: Service, old: Service | undefined): void {
  const { spec } = service;
  const { clusterIP = "", clusterIPs = [] } = spec;
  if (old === undefined) {
    if (clusterIP !== "" && clusterIPs.length === 0) spec.clusterIPs = [clusterIP];
    return;
  }
  const { clusterIP: oldIp = "", clusterIPs: oldIps = [] } = old.spec;
  if (clusterIP === oldIp) {
    if (oldIps.length > 0 && clusterIPs.length === 0) spec.clusterIPs = oldIps;
    else if (!semanticEqual(clusterIPs, oldIps) && clusterIPs.length === 0) delete spec.clusterIP;
  } else if (semanticEqual(clusterIPs, oldIps)) {
    if (clusterIP === "") delete spec.clusterIPs;
    else spec.clusterIPs = [clusterIP];
  }
}

function needsClusterIp({ spec }: Service): boolean {
  return spec.type !== "ExternalName";
}

function needsNodePort({ spec }: Service): boolean {
  if (spec.type === "NodePort") return true;
  return spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false;
}

/** What was allocated and is not in the update stays: a replaced manifest does not name it. */
export function keepAllocatedValues(service: Service, old: Service): void {
  const { spec } = service;
  if (needsClusterIp(old) && needsClusterIp(service)) {
    spec.clusterIP ||= old.spec.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && spec.clusterIP === old.spec.clusterIP) {
      spec.clusterIPs = old.spec.clusterIPs;
    }
  }
  if (needsNodePort(old) && needsNodePort(service)) {
    const oldPorts = new Map(
      (old.spec.ports ?? []).map(({ name = "", nodePort = 0 }) => [name, nodePort]),
    );
    const named = new Set((spec.ports ?? []).map(({ nodePort = 0 }) => nodePort));
    const used = new Set([...oldPorts.values()].filter((port) => named.has(port)));
    for (const port of spec.ports ?? []) {
      const before = oldPorts.get(port.name ?? "") ?? 0;
      if (port.nodePort || before === 0 || used.has(before)) continue;
      port.nodePort = before;
      used.add(before);
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(service)) {
    spec.healthCheckNodePort ||= old.spec.healthCheckNodePort;
  }
}

/** Values of the old type that the update only carried along go with the type. */
function dropTypeDependentFields(service: Service, old: Service): void {
  const { spec } = service;
  if (needsClusterIp(old) && !needsClusterIp(service)) {
    dropUnchanged(service, old, ["clusterIPs", "ipFamilies", "ipFamilyPolicy"]);
    if ((spec.clusterIPs ?? []).length === 0) delete spec.clusterIP;
    dropUnchanged(service, old, ["internalTrafficPolicy"]);
  }
  const hadNodePorts = old.spec.type === "NodePort" || old.spec.type === "LoadBalancer";
  const hasNodePorts = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (hadNodePorts && !hasNodePorts && sameNodePorts(service, old)) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(old) && !needsHealthCheck(service)) {
    dropUnchanged(service, old, ["healthCheckNodePort"]);
  }
  if (old.spec.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    dropUnchanged(service, old, ["allocateLoadBalancerNodePorts", "loadBalancerClass"]);
    service.status = { ...service.status, loadBalancer: {} };
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(service)) {
    dropUnchanged(service, old, ["externalTrafficPolicy"]);
  }
}

function dropUnchanged(
  { spec }: Service,
  old: Service,
  fields: readonly (keyof Service["spec"])[],
): void {
  for (const field of fields) if (semanticEqual(spec[field], old.spec[field])) delete spec[field];
}

/** No node port is new. */
function sameNodePorts({ spec }: Service, old: Service): boolean {
  const before = new Set((old.spec.ports ?? []).map(({ nodePort = 0 }) => nodePort));
  return (spec.ports ?? []).every(({ nodePort = 0 }) => nodePort === 0 || before.has(nodePort));
}

const hintsAnnotation = "service.kubernetes.io/topology-aware-hints";
const modeAnnotation = "service.kubernetes.io/topology-mode";

/** Source: pkg/api/service/warnings.go. */
function serviceWarnings(service: Service): string[] {
  const { spec, metadata } = service;
  const warnings: string[] = [];
  if (metadata.annotations?.[hintsAnnotation] !== undefined) {
    warnings.push(
      `annotation ${hintsAnnotation} is deprecated, please use ${modeAnnotation} instead`,
    );
  }
  if (isHeadless(service)) {
    if (spec.loadBalancerIP) warnings.push("spec.loadBalancerIP is ignored for headless services");
    if (spec.externalIPs?.length)
      warnings.push("spec.externalIPs is ignored for headless services");
    if (spec.sessionAffinity !== "None") {
      warnings.push("spec.SessionAffinity is ignored for headless services");
    }
  } else {
    for (const [i, ip] of (spec.clusterIPs ?? []).entries()) {
      warnings.push(...ipWarnings(ip, `spec.clusterIPs[${i}]`));
    }
    if (spec.externalIPs?.length) {
      warnings.push(
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
      );
    }
  }
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) {
    warnings.push(...ipWarnings(ip, `spec.externalIPs[${i}]`));
  }
  if (spec.loadBalancerIP) warnings.push(...ipWarnings(spec.loadBalancerIP, "spec.loadBalancerIP"));
  for (const [i, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    warnings.push(...cidrWarnings(range.trim(), `spec.loadBalancerSourceRanges[${i}]`));
  }
  if (spec.type !== "ExternalName" && spec.externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === "PreferClose") {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
