import { duplicate, forbidden, invalid, required, tooLong } from "#apimachinery/field-error.ts";
import type { ObjectMeta } from "#apimachinery/object.ts";
import {
  byteLengthOf,
  type Findings,
  inclusiveRangeText,
  invalidTexts,
  validateDnsLabel,
  validateDnsSubdomain,
  validateQualifiedName,
  validateRequiredSupported,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { validateLegacyIp } from "#apimachinery/validation/ip.ts";
import { checkDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateLabels } from "#apimachinery/validation/object-meta.ts";
import { checkDnsSubdomainWithUnderscore, idMax } from "#apimachinery/validation/syntax.ts";
import { validateAffinity } from "./affinity-validation.ts";
import {
  validateContainers,
  validateEphemeralContainers,
  validateHostNetworkPorts,
  validateInitContainers,
} from "./container-validation.ts";
import type { PodRules } from "./pod-rules.ts";
import {
  validateSchedulingGates,
  validateSpreadConstraints,
  validateTolerations,
} from "./pod-scheduling-validation.ts";
import { type PodDNSConfig, PodResourceClaim, type PodSpec } from "./pod-spec.ts";
import { validateOverhead, validatePodLevelResources } from "./resource-requirements-validation.ts";
import {
  validateHostUsers,
  validateOs,
  validatePodSecurityContext,
} from "./security-context-validation.ts";
import { validateVolumes } from "./volume-validation.ts";
import { validateHostProcess } from "./windows-options-validation.ts";

/**
 * A Pod's spec, or a template's. `meta` only for Pods: names of ephemeral volumes' claims derive
 * from it. Source: ValidatePodSpec.
 */
export function* validatePodSpec(
  spec: PodSpec,
  path: string,
  { meta, rules }: { meta?: ObjectMeta; rules: PodRules },
): Findings {
  if (spec.terminationGracePeriodSeconds === undefined) {
    yield required(`${path}.terminationGracePeriodSeconds`, "");
  }
  const volumes = validateVolumes(spec.volumes ?? [], { meta, path: `${path}.volumes`, rules });
  yield* volumes.findings;
  yield* validateResourceClaims(spec.resourceClaims ?? [], `${path}.resourceClaims`);
  const claimNames = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter(Boolean));
  const scope = { spec, volumes: volumes.named, claimNames, rules };
  yield* validateContainers(`${path}.containers`, scope);
  yield* validateInitContainers(`${path}.initContainers`, scope);
  yield* validateEphemeralContainers(`${path}.ephemeralContainers`, scope);
  yield* validatePodLevelResources(spec, `${path}.resources`, claimNames);
  yield* validateHostNetworkPorts(spec, `${path}.containers`, rules.isPod);
  yield* validatePolicies(spec, path);
  yield* validateLabels(spec.nodeSelector, `${path}.nodeSelector`);
  yield* validatePodSecurityContext(spec, `${path}.securityContext`, rules);
  yield* validateAffinity(spec.affinity, `${path}.affinity`, rules);
  yield* validateDnsConfig(spec, `${path}.dnsConfig`, rules);
  for (const [i, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    yield* validateQualifiedName(conditionType, `${path}.readinessGates[${i}].conditionType`);
  }
  yield* validateSchedulingGates(spec.schedulingGates ?? [], `${path}.schedulingGates`);
  const spread = spec.topologySpreadConstraints ?? [];
  yield* validateSpreadConstraints(spread, `${path}.topologySpreadConstraints`, rules);
  const contexts = containerContexts(spec, path);
  yield* validateHostProcess(spec, path, { containers: contexts, rules });
  yield* validateHostUsers(spec, path);
  yield* validateNames(spec, path);
  yield* validateScalars(spec, path, rules);
  yield* validateOs(spec, path, contexts);
}

function containerContexts(spec: PodSpec, path: string) {
  const lists = {
    initContainers: spec.initContainers ?? [],
    containers: spec.containers,
    ephemeralContainers: spec.ephemeralContainers ?? [],
  };
  return Object.entries(lists).flatMap(([name, list]) =>
    list.map(({ securityContext }, i) => ({
      path: `${path}.${name}[${i}].securityContext`,
      context: securityContext,
    })),
  );
}

const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

function* validatePolicies(spec: PodSpec, path: string): Findings {
  const restartPolicies = ["Always", "OnFailure", "Never"];
  yield* validateRequiredSupported(spec.restartPolicy, restartPolicies, `${path}.restartPolicy`);
  yield* validateRequiredSupported(spec.dnsPolicy, dnsPolicies, `${path}.dnsPolicy`);
}

function* validateResourceClaims(claims: readonly PodResourceClaim[], path: string): Findings {
  const names = new Set<string>();
  for (const [i, claim] of claims.entries()) {
    const at = `${path}[${i}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (name === "") yield required(`${at}.name`, "");
    else if (names.has(name)) yield duplicate(`${at}.name`, name);
    else {
      yield* validateDnsLabel(name, `${at}.name`);
      names.add(name);
    }
    const shown = internalValue(PodResourceClaim, claim);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const detail =
        "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      yield invalid(at, shown, detail);
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
      yield invalid(at, shown, detail);
    }
    for (const field of ["resourceClaimName", "resourceClaimTemplateName"] as const) {
      const value = claim[field];
      if (value !== undefined) yield* validateDnsSubdomain(value, `${at}.${field}`);
    }
  }
}

const nameserversMax = 3;
const searchesMax = 32;
const searchCharactersMax = 2048;

function* validateDnsConfig(
  { dnsConfig, dnsPolicy }: PodSpec,
  path: string,
  rules: PodRules,
): Findings {
  if (dnsPolicy === "None") {
    if (dnsConfig === undefined) {
      yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
      return;
    }
    if ((dnsConfig.nameservers ?? []).length === 0) {
      const detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
      yield required(`${path}.nameservers`, detail);
      return;
    }
  }
  if (dnsConfig !== undefined) yield* validateDnsLists(dnsConfig, path, rules);
}

function* validateDnsLists(
  { nameservers = [], searches = [], options = [] }: PodDNSConfig,
  path: string,
  rules: PodRules,
): Findings {
  if (nameservers.length > nameserversMax) {
    const detail = `must not have more than ${nameserversMax} nameservers`;
    yield invalid(`${path}.nameservers`, nameservers, detail);
  }
  for (const [i, address] of nameservers.entries()) {
    yield* validateLegacyIp(address, `${path}.nameservers[${i}]`, rules.oldIps);
  }
  if (searches.length > searchesMax) {
    const detail = `must not have more than ${searchesMax} search paths`;
    yield invalid(`${path}.searches`, searches, detail);
  }
  if (searches.join(" ").length > searchCharactersMax) {
    const detail = `must not have more than ${searchCharactersMax} characters (including spaces) in the search list`;
    yield invalid(`${path}.searches`, searches, detail);
  }
  for (const [i, search] of searches.entries()) {
    if (search === ".") continue;
    const name = search.endsWith(".") ? search.slice(0, -1) : search;
    yield* invalidTexts(`${path}.searches[${i}]`, name, checkDnsSubdomainWithUnderscore(name));
  }
  for (const [i, { name = "" }] of options.entries()) {
    if (name === "") yield required(`${path}.options[${i}]`, "must not be empty");
  }
}

function* validateNames(spec: PodSpec, path: string): Findings {
  for (const field of ["serviceAccountName", "nodeName"] as const) {
    const value = spec[field] ?? "";
    if (value !== "") yield* validateDnsSubdomain(value, `${path}.${field}`);
  }
  const seconds = spec.activeDeadlineSeconds;
  if (seconds !== undefined && (seconds < 1 || seconds > idMax)) {
    yield invalid(`${path}.activeDeadlineSeconds`, seconds, inclusiveRangeText(1, idMax));
  }
  for (const field of ["hostname", "subdomain"] as const) {
    const value = spec[field] ?? "";
    if (value !== "") yield* validateDnsLabel(value, `${path}.${field}`);
  }
}

function* validateScalars(spec: PodSpec, path: string, rules: PodRules): Findings {
  const compares = rules.features.enabled("TaintTolerationComparisonOperators");
  yield* validateTolerations(spec.tolerations ?? [], `${path}.tolerations`, compares);
  for (const [i, { ip, hostnames = [] }] of (spec.hostAliases ?? []).entries()) {
    const at = `${path}.hostAliases[${i}]`;
    yield* validateLegacyIp(ip, `${at}.ip`, rules.oldIps);
    for (const [j, name] of hostnames.entries()) {
      yield* validateDnsSubdomain(name, `${at}.hostnames[${j}]`);
    }
  }
  const className = spec.priorityClassName ?? "";
  if (className !== "") {
    yield* invalidTexts(`${path}.priorityClassName`, className, checkDnsSubdomain(className));
  }
  if (spec.runtimeClassName !== undefined) {
    yield* validateDnsSubdomain(spec.runtimeClassName, `${path}.runtimeClassName`);
  }
  yield* validateSupported(
    spec.preemptionPolicy,
    ["PreemptLowerPriority", "Never"],
    `${path}.preemptionPolicy`,
  );
  yield* validateOverhead(spec.overhead, `${path}.overhead`);
  yield* validateHostnameOverride(spec, `${path}.hostnameOverride`);
}

const hostnameLengthMax = 64;

function* validateHostnameOverride(spec: PodSpec, path: string): Findings {
  const name = spec.hostnameOverride;
  if (name === undefined) return;
  yield* validateDnsSubdomain(name, path);
  if (byteLengthOf(name) > hostnameLengthMax) yield tooLong(path, hostnameLengthMax);
  if (spec.setHostnameAsFQDN === true) {
    yield forbidden(path, "may not be specified when setHostnameAsFQDN is true");
  }
  if (spec.hostNetwork === true) {
    yield forbidden(path, "may not be specified when hostNetwork is true");
  }
}
