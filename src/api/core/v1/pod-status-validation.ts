import { duplicate, forbidden, invalid } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsSubdomain,
  validateImmutable,
  validateQualifiedName,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { isDualStack, validateLegacyIp } from "#apimachinery/validation/ip.ts";
import { checkUnixId } from "#apimachinery/validation/syntax.ts";
import type { Container } from "./container.ts";
import type { ContainerStatus } from "./container-status.ts";
import type { Pod } from "./pod.ts";
import { isSidecar } from "./pod-resources.ts";
import type { PodRules } from "./pod-rules.ts";
import type { PodSpec } from "./pod-spec.ts";
import { validatePodAnnotationUpdate } from "./pod-update-validation.ts";

/** Source: ValidatePodStatusUpdate. */
export function* validatePodStatusUpdate(pod: Pod, old: Pod, rules: PodRules): Findings {
  yield* validatePodAnnotationUpdate(pod, old, rules);
  const status = pod.status ?? {};
  const before = old.status ?? {};
  for (const [i, { type }] of (status.conditions ?? []).entries()) {
    if (["PodScheduled", "Ready", "Initialized"].includes(type)) continue;
    yield* validateQualifiedName(type, `status.conditions[${i}].Type`);
  }
  const nominated = status.nominatedNodeName ?? "";
  if (nominated !== "" && nominated !== before.nominatedNodeName) {
    yield* validateDnsSubdomain(nominated, "status.nominatedNodeName");
  }
  yield* validateImmutable(status.qosClass, before.qosClass, "status.qosClass");
  yield* validateTransitions(pod, old);
  yield* validateClaimStatuses(pod);
  yield* validateIps(pod, rules);
  const lists = [
    ["containerStatuses", pod.spec.containers],
    ["initContainerStatuses", pod.spec.initContainers ?? []],
    ["ephemeralContainerStatuses", []],
  ] as const;
  for (const [name] of lists) yield* validateUsers(status[name] ?? [], `status.${name}`, pod.spec);
  for (const [name, containers] of lists) {
    yield* validateAllocated(status[name] ?? [], `status.${name}`, containers);
  }
}

/** What has ended for good does not run again. */
function* validateTransitions({ status = {} }: Pod, old: Pod): Findings {
  const policy = old.spec.restartPolicy;
  const policyOf = (name: string): string | undefined => {
    const init = (old.spec.initContainers ?? []).find((container) => container.name === name);
    const own = init ?? old.spec.containers.find((container) => container.name === name);
    if (init !== undefined && isSidecar(init)) return "Always";
    if ((own?.restartPolicyRules ?? []).length > 0) return "Always";
    return own?.restartPolicy ?? policy;
  };
  yield* validateEnded(status.containerStatuses, old.status?.containerStatuses, {
    path: "status.containerStatuses",
    policyOf,
  });
  yield* validateEnded(status.initContainerStatuses, old.status?.initContainerStatuses, {
    path: "status.initContainerStatuses",
    policyOf,
  });
  yield* validateEnded(status.ephemeralContainerStatuses, old.status?.ephemeralContainerStatuses, {
    path: "status.ephemeralContainerStatuses",
    policyOf: () => "Never",
  });
}

function* validateEnded(
  statuses: readonly ContainerStatus[] = [],
  old: readonly ContainerStatus[] = [],
  { path, policyOf }: { path: string; policyOf: (name: string) => string | undefined },
): Findings {
  for (const [i, before] of old.entries()) {
    const ended = before.state?.terminated;
    const policy = policyOf(before.name);
    if (ended === undefined || policy === "Always") continue;
    if (ended.exitCode !== 0 && policy === "OnFailure") continue;
    const revived = statuses.some(
      ({ name, state }) => name === before.name && state?.terminated === undefined,
    );
    if (revived) {
      yield forbidden(`${path}[${i}].state`, "may not be transitioned to non-terminated state");
    }
  }
}

function* validateClaimStatuses({ spec, status = {} }: Pod): Findings {
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  const seen = new Set<string>();
  for (const [i, { name, resourceClaimName }] of (status.resourceClaimStatuses ?? []).entries()) {
    const at = `status.resourceClaimStatuses[${i}].name`;
    if (!claims.has(name)) {
      yield invalid(at, name, "must match the name of an entry in `spec.resourceClaims`");
    }
    if (seen.has(name)) yield duplicate(at, name);
    seen.add(name);
    if (resourceClaimName !== undefined) yield* validateDnsSubdomain(resourceClaimName, at);
  }
}

const familyText = "may specify no more than one IP for each IP family";

function* validateIps({ status = {} }: Pod, rules: PodRules): Findings {
  const podIps = (status.podIPs ?? []).map(({ ip }) => ip);
  for (const [i, ip] of podIps.entries()) {
    yield* validateLegacyIp(ip, `status.podIPs[${i}]`, rules.oldIps);
  }
  const shown = (ips: readonly string[]) => ips.map((IP) => ({ IP }));
  if (podIps.length > 1) {
    if (!isDualStack(podIps) || podIps.length > 2)
      yield invalid("status.podIPs", shown(podIps), familyText);
    yield* validateUniqueIps(podIps, "status.podIPs");
  }
  const hostIps = (status.hostIPs ?? []).map(({ ip }) => ip);
  const [first] = hostIps;
  if (first === undefined) return;
  if (status.hostIP !== first) {
    yield invalid("status.hostIPs[0].ip", first, "must be equal to `hostIP`");
  }
  for (const [i, ip] of hostIps.entries()) {
    yield* validateLegacyIp(ip, `status.hostIPs[${i}]`, rules.oldIps);
  }
  if (hostIps.length < 2) return;
  yield* validateUniqueIps(hostIps, "status.hostIPs");
  if (!isDualStack(hostIps) || hostIps.length > 2) {
    yield invalid("status.hostIPs", shown(hostIps), familyText);
  }
}

function* validateUniqueIps(ips: readonly string[], path: string): Findings {
  for (const [i, IP] of ips.entries()) {
    if (ips.indexOf(IP) < i) yield duplicate(`${path}[${i}]`, { IP });
  }
}

function* validateUsers(
  statuses: readonly ContainerStatus[],
  path: string,
  spec: PodSpec,
): Findings {
  for (const [i, { user }] of statuses.entries()) {
    if (user?.linux === undefined) continue;
    const at = `${path}[${i}].linux`;
    if (spec.os?.name === "windows") {
      yield forbidden(at, "cannot be set for a windows pod");
      continue;
    }
    yield* invalidTexts(`${at}.uid`, user.linux.uid, checkUnixId(user.linux.uid));
    yield* invalidTexts(`${at}.gid`, user.linux.gid, checkUnixId(user.linux.gid));
    for (const [j, id] of (user.linux.supplementalGroups ?? []).entries()) {
      yield* invalidTexts(`${at}.supplementalGroups[${j}]`, id, checkUnixId(id));
    }
  }
}

function* validateAllocated(
  statuses: readonly ContainerStatus[],
  path: string,
  containers: readonly Container[],
): Findings {
  for (const [i, { name, allocatedResourcesStatus: allocated = [] }] of statuses.entries()) {
    const container = containers.find((candidate) => candidate.name === name);
    for (const [j, { name: resource, resources = [] }] of allocated.entries()) {
      const at = `${path}[${i}].allocatedResourcesStatus[${j}]`;
      const fault = container === undefined ? undefined : resourceFault(resource, container);
      if (fault !== undefined) yield invalid(`${at}.name`, resource, fault);
      const ids = new Set<string>();
      for (const [k, { resourceID, health }] of resources.entries()) {
        const item = `${at}.resources[${k}]`;
        yield* validateSupported(
          health ?? "",
          ["Healthy", "Unhealthy", "Unknown"],
          `${item}.health`,
        );
        if (ids.has(resourceID)) yield duplicate(`${item}.resourceID`, resourceID);
        ids.add(resourceID);
      }
    }
  }
}

function resourceFault(name: string, { resources }: Container): string | undefined {
  if (!name.startsWith("claim:")) {
    const known = resources?.requests !== undefined && Object.hasOwn(resources.requests, name);
    return known ? undefined : "must match one of the container's resource requests";
  }
  const claims = (resources?.claims ?? []).map((claim) =>
    claim.request ? `claim:${claim.name}/${claim.request}` : `claim:${claim.name}`,
  );
  if (claims.includes(name)) return undefined;
  const format = "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
  return `must match one of the container's resource claims in a format ${format}`;
}
