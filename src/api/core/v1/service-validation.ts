import { duplicate, forbidden, invalid, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsLabel,
  validateDnsSubdomain,
  validateQualifiedName,
  validateRequiredSupported,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import {
  isDualStack,
  isIpv6,
  validateLegacyCidr,
  validateLegacyIp,
  validateNonSpecialIp,
  parseIp,
} from "#apimachinery/validation/ip.ts";
import { validateLabels } from "#apimachinery/validation/object-meta.ts";
import { checkPortNumber, validatePort } from "#apimachinery/validation/ports.ts";
import { protocols } from "./container-validation.ts";
import type { Service } from "./service.ts";
import { ServicePort } from "./service-port.ts";
import { isExternallyAccessible, isHeadless, needsHealthCheck } from "./service-defaults.ts";

/** Source: ValidateService in pkg/apis/core/validation. */
const serviceTypes = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const hintsAnnotation = "service.kubernetes.io/topology-aware-hints";
const modeAnnotation = "service.kubernetes.io/topology-mode";
const sourceRangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
const affinityTimeoutSecondsMax = 86_400;
const distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];

export function* validateService(service: Service, old?: Service): Findings {
  const { spec } = service;
  yield* validateTopologyAnnotations(service);
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(service) && spec.type !== "ExternalName") {
    yield required("spec.ports", "");
  }
  yield* validateType(service);
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) {
    yield* validateServicePort(port, `spec.ports[${i}]`, { requireName: ports.length > 1, names });
  }
  yield* validateLabels(spec.selector, "spec.selector");
  yield* validateSessionAffinity(service);
  yield* validateClusterIps(service, old);
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) {
    const errors = [...validateLegacyIp(ip, `spec.externalIPs[${i}]`, old?.spec.externalIPs)];
    yield* errors.length > 0 ? errors : validateNonSpecialIp(ip, `spec.externalIPs[${i}]`);
  }
  yield* validateRequiredSupported(spec.type, serviceTypes, "spec.type");
  yield* validateUniquePorts(service);
  yield* validateSourceRanges(service, old);
  yield* validateLoadBalancer(service);
  yield* validateTrafficPolicies(service);
}

function* validateTopologyAnnotations({ metadata: { annotations } }: Service): Findings {
  const hints = annotations?.[hintsAnnotation];
  const mode = annotations?.[modeAnnotation];
  if (hints === undefined || mode === undefined || hints === mode) return;
  const detail = `must match annotations[${hintsAnnotation}] when both are specified`;
  yield invalid(`metadata.annotations[${modeAnnotation}]`, mode, detail);
}

function* validateType(service: Service): Findings {
  const { spec } = service;
  if (spec.type === "LoadBalancer" || spec.type === "NodePort") {
    if (!isHeadless(service)) return;
    const detail = `may not be set to 'None' for ${spec.type} services`;
    yield invalid("spec.clusterIPs[0]", "None", detail);
  } else if (spec.type === "ExternalName") {
    const text = "may not be set for ExternalName services";
    if ((spec.clusterIPs ?? []).length > 0) yield forbidden("spec.clusterIPs", text);
    if ((spec.ipFamilies ?? []).length > 0) yield forbidden("spec.ipFamilies", text);
    if (spec.ipFamilyPolicy !== undefined) yield forbidden("spec.ipFamilyPolicy", text);
    const name = (spec.externalName ?? "").replace(/\.$/, "");
    if (name === "") yield required("spec.externalName", "");
    else yield* validateDnsSubdomain(name, "spec.externalName");
  }
}

function* validateServicePort(
  port: ServicePort,
  path: string,
  { requireName, names }: { requireName: boolean; names: Set<string> },
): Findings {
  const { name = "" } = port;
  if (name === "") {
    if (requireName) yield required(`${path}.name`, "");
  } else {
    yield* validateDnsLabel(name, `${path}.name`);
    if (names.has(name)) yield duplicate(`${path}.name`, name);
    names.add(name);
  }
  yield* invalidTexts(`${path}.port`, port.port, checkPortNumber(port.port));
  yield* validateRequiredSupported(port.protocol, protocols, `${path}.protocol`);
  yield* validatePort(port.targetPort ?? 0, `${path}.targetPort`);
  if (port.appProtocol !== undefined) {
    yield* validateQualifiedName(port.appProtocol, `${path}.appProtocol`);
  }
}

function* validateSessionAffinity({ spec }: Service): Findings {
  yield* validateRequiredSupported(
    spec.sessionAffinity,
    ["ClientIP", "None"],
    "spec.sessionAffinity",
  );
  const path = "spec.sessionAffinityConfig";
  if (spec.sessionAffinity === "None" && spec.sessionAffinityConfig !== undefined) {
    yield forbidden(path, "must not be set when session affinity is None");
  }
  if (spec.sessionAffinity !== "ClientIP") return;
  const detail = "when session affinity type is ClientIP";
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (spec.sessionAffinityConfig === undefined) yield required(path, detail);
  else if (spec.sessionAffinityConfig.clientIP === undefined)
    yield required(`${path}.clientIP`, detail);
  else if (seconds === undefined) yield required(`${path}.clientIP.timeoutSeconds`, detail);
  else if (seconds <= 0 || seconds > affinityTimeoutSecondsMax) {
    const range = `must be greater than 0 and less than ${affinityTimeoutSecondsMax}`;
    yield invalid(`${path}.clientIP.timeoutSeconds`, seconds, range);
  }
}

const ipFamilies = ["IPv4", "IPv6"];
const ipFamilyPolicies = ["PreferDualStack", "RequireDualStack", "SingleStack"];

/** Also after allocation. */
export function* validateClusterIps(service: Service, old?: Service): Findings {
  const { spec } = service;
  if (spec.type === "ExternalName") return;
  const { clusterIP = "", clusterIPs = [] } = spec;
  const path = "spec.clusterIPs";
  if (clusterIP === "") {
    if (clusterIPs.length > 0) {
      yield invalid(path, clusterIPs, "must be empty when `clusterIP` is not specified");
    }
  } else if (clusterIPs.length === 0) yield required(path, "");
  else if (clusterIPs[0] !== clusterIP) {
    yield invalid(path, clusterIPs, "first value must match `clusterIP`");
  }
  const families = new Set<string>();
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    yield* validateSupported(family, ipFamilies, `spec.ipFamilies[${i}]`);
    if (families.has(family)) yield duplicate(`spec.ipFamilies[${i}]`, family);
    families.add(family);
  }
  yield* validateSupported(spec.ipFamilyPolicy, ipFamilyPolicies, "spec.ipFamilyPolicy");
  yield* validateAddresses(service, old);
}

function* validateAddresses(service: Service, old: Service | undefined): Findings {
  const { clusterIPs = [], ipFamilies: families = [] } = service.spec;
  const path = "spec.clusterIPs";
  let valid = true;
  for (const [i, ip] of clusterIPs.entries()) {
    if (i === 0 && ip === "None") {
      if (clusterIPs.length === 1) continue;
      valid = false;
      yield invalid(path, clusterIPs, "'None' must be the first and only value");
      continue;
    }
    const errors = [...validateLegacyIp(ip, `${path}[${i}]`, old?.spec.clusterIPs)];
    if (errors.length > 0) valid = false;
    yield* errors;
  }
  if (clusterIPs.length > 2) yield invalid(path, clusterIPs, "may only hold up to 2 values");
  if (!valid) return;
  if (clusterIPs.length > 1 && !isDualStack(clusterIPs)) {
    yield invalid(path, clusterIPs, "may specify no more than one IP for each IP family");
  }
  if (isHeadless(service)) return;
  for (const [i, ip] of clusterIPs.entries()) {
    const family = families[i];
    if (family === undefined || (family === "IPv6") === isIpv6(ip)) continue;
    yield invalid(
      `${path}[${i}]`,
      ip,
      `expected an ${family} value as indicated by \`ipFamilies[${i}]\``,
    );
  }
}

function* validateUniquePorts({ spec }: Service): Findings {
  const ports = spec.ports ?? [];
  if (spec.type === "ClusterIP") {
    for (const [i, { nodePort }] of ports.entries()) {
      if (!nodePort) continue;
      yield forbidden(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'");
    }
  }
  const nodePorts = new Set<string>();
  for (const [i, { protocol = "", nodePort = 0 }] of ports.entries()) {
    const key = `${protocol}/${nodePort}`;
    if (nodePort !== 0 && nodePorts.has(key))
      yield duplicate(`spec.ports[${i}].nodePort`, nodePort);
    nodePorts.add(key);
  }
  const seen = new Set<string>();
  for (const [i, { protocol = "", port }] of ports.entries()) {
    const key = `${protocol}/${port}`;
    // Upstream shows its map key: a port with nothing but these two.
    if (seen.has(key)) {
      yield duplicate(`spec.ports[${i}]`, internalValue(ServicePort, { protocol, port }));
    }
    seen.add(key);
  }
}

function* validateSourceRanges({ metadata, spec }: Service, old: Service | undefined): Findings {
  const typeText = "may only be used when `type` is 'LoadBalancer'";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotation = metadata.annotations?.[sourceRangesAnnotation];
  if (ranges.length > 0) {
    const path = "spec.LoadBalancerSourceRanges";
    if (spec.type !== "LoadBalancer") yield forbidden(path, typeText);
    for (const [i, range] of ranges.entries()) {
      const known = (old?.spec.loadBalancerSourceRanges ?? []).map((text) => text.trim());
      yield* validateLegacyCidr(range.trim(), `${path}[${i}]`, known);
    }
  } else if (annotation !== undefined) {
    const path = `metadata.annotations[${sourceRangesAnnotation}]`;
    if (spec.type !== "LoadBalancer") yield forbidden(path, typeText);
    const before = old?.metadata.annotations?.[sourceRangesAnnotation] ?? "";
    const known = before.split(",").map((text) => text.trim());
    for (const range of annotation.trim() === "" ? [] : annotation.split(",")) {
      yield* validateLegacyCidr(range.trim(), path, known);
    }
  }
}

function* validateLoadBalancer({ spec }: Service): Findings {
  const balances = spec.type === "LoadBalancer";
  const typeText = "may only be used when `type` is 'LoadBalancer'";
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balances) {
    yield forbidden("spec.allocateLoadBalancerNodePorts", typeText);
  }
  if (balances && spec.allocateLoadBalancerNodePorts === undefined) {
    yield required("allocateLoadBalancerNodePorts", "");
  }
  if (spec.loadBalancerClass === undefined) return;
  if (balances) yield* validateQualifiedName(spec.loadBalancerClass, "spec.loadBalancerClass");
  else yield forbidden("spec.loadBalancerClass", typeText);
}

function* validateTrafficPolicies(service: Service): Findings {
  const { spec } = service;
  const policies = ["Cluster", "Local"];
  const path = "spec.externalTrafficPolicy";
  if (isExternallyAccessible(service)) {
    yield* validateRequiredSupported(spec.externalTrafficPolicy, policies, path);
  } else if (spec.externalTrafficPolicy) {
    const detail = "may only be set for externally-accessible services";
    yield invalid(path, spec.externalTrafficPolicy, detail);
  }
  const port = spec.healthCheckNodePort ?? 0;
  if (!needsHealthCheck(service)) {
    const detail =
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    if (port !== 0) yield invalid("spec.healthCheckNodePort", port, detail);
  } else if (port === 0) yield required("spec.healthCheckNodePort", "");
  else yield* invalidTexts("spec.healthCheckNodePort", port, checkPortNumber(port));
  const typed = ["ClusterIP", "NodePort", "LoadBalancer"].includes(spec.type ?? "");
  if (spec.internalTrafficPolicy === undefined && typed)
    yield required("spec.internalTrafficPolicy", "");
  yield* validateSupported(spec.internalTrafficPolicy, policies, "spec.internalTrafficPolicy");
  yield* validateSupported(spec.trafficDistribution, distributions, "spec.trafficDistribution");
}

/** Addresses and families are kept, except to and from ExternalName. */
export function* validateServiceUpdate(service: Service, old: Service): Findings {
  const named = service.spec.type === "ExternalName" || old.spec.type === "ExternalName";
  if (!named) {
    yield* validateClusterIpsUpdate(service, old);
    yield* validateFamiliesUpdate(service, old);
  }
  const { spec } = service;
  if (spec.type === "LoadBalancer" && old.spec.type === "LoadBalancer") {
    if (spec.loadBalancerClass !== old.spec.loadBalancerClass) {
      yield invalid(
        "spec.loadBalancerClass",
        spec.loadBalancerClass ?? null,
        "may not change once set",
      );
    }
  }
  if (needsHealthCheck(service) && needsHealthCheck(old)) {
    if (spec.healthCheckNodePort !== old.spec.healthCheckNodePort) {
      yield forbidden("spec.healthCheckNodePort", "field is immutable");
    }
  }
  yield* validateService(service, old);
}

function* validateClusterIpsUpdate(service: Service, old: Service): Findings {
  if (isHeadless(service) && isHeadless(old)) return;
  const ips = service.spec.clusterIPs ?? [];
  const before = old.spec.clusterIPs ?? [];
  const changed = "may not change once set";
  if (ips.length === before.length) {
    for (const [i, ip] of before.entries()) {
      if (ip !== ips[i]) yield invalid(`spec.clusterIPs[${i}]`, ips, changed);
    }
    return;
  }
  const released = ips.length < before.length;
  if (released && ips.length === 0) {
    yield invalid("spec.clusterIPs[0]", ips, "primary clusterIP can not be unset");
  } else if (before.length > 0 && ips[0] !== before[0]) {
    yield invalid("spec.clusterIPs[0]", ips, changed);
  }
  if (released && ips.length === 1 && service.spec.ipFamilyPolicy !== "SingleStack") {
    const detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    yield invalid("spec.ipFamilyPolicy", service.spec.ipFamilyPolicy ?? null, detail);
  }
}

function* validateFamiliesUpdate(service: Service, old: Service): Findings {
  if (isHeadless(service) || isHeadless(old)) return;
  const { ipFamilies: families = [], clusterIPs = [], ipFamilyPolicy } = service.spec;
  const before = old.spec.ipFamilies ?? [];
  const path = "spec.ipFamilies[0]";
  const changed = "may not change once set";
  if (families.length === before.length) {
    for (const [i, family] of before.entries()) {
      if (family !== families[i]) yield invalid(path, families, changed);
    }
    return;
  }
  const released = families.length < before.length;
  if (released && clusterIPs.length === 0) {
    yield invalid(path, families, "primary ipFamily can not be unset");
  }
  if (families.length > 0 && before.length > 0 && families[0] !== before[0]) {
    yield invalid(path, clusterIPs, changed);
  }
  if (released && families.length === 1 && ipFamilyPolicy !== "SingleStack") {
    const detail = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    yield invalid("spec.ipFamilyPolicy", ipFamilyPolicy ?? null, detail);
  }
}

export function* validateLoadBalancerStatus({ spec, status }: Service, old: Service): Findings {
  const ingresses = status?.loadBalancer?.ingress ?? [];
  const path = "status.loadBalancer.ingress";
  if (spec.type !== "LoadBalancer" && ingresses.length > 0) {
    yield forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'");
    return;
  }
  const known = (old.status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
  for (const [i, { ip = "", hostname = "", ipMode }] of ingresses.entries()) {
    const at = `${path}[${i}]`;
    if (ip !== "") yield* validateLegacyIp(ip, `${at}.ip`, known);
    if (ipMode === undefined) {
      if (ip !== "") yield required(`${at}.ipMode`, "must be specified when `ip` is set");
    } else if (ip === "") {
      yield forbidden(`${at}.ipMode`, "may not be specified when `ip` is not set");
    } else yield* validateSupported(ipMode, ["Proxy", "VIP"], `${at}.ipMode`);
    if (hostname === "") continue;
    yield* validateDnsSubdomain(hostname, `${at}.hostname`);
    if (parseIp(hostname) !== undefined) {
      yield invalid(`${at}.hostname`, hostname, "must be a DNS name, not an IP address");
    }
  }
}
