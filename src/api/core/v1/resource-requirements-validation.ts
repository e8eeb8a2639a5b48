import {
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
} from "#apimachinery/field-error.ts";
import { compareQuantities } from "#apimachinery/quantity.ts";
import { type Findings, sortedEntries, validateDnsLabel } from "#apimachinery/validation/checks.ts";
import type { ResourceClaim, ResourceRequirements } from "./container.ts";
import { aggregateContainers } from "./pod-resources.ts";
import type { PodSpec } from "./pod-spec.ts";
import {
  hugePageFault,
  isHugePageName,
  isOvercommitAllowed,
  isPodLevelResource,
  type ResourceList,
  validateContainerResourceName,
  validateResourceName,
  validateResourceQuantity,
} from "./resource-name.ts";

interface RequirementRules {
  checkName(name: string, path: string): Findings;
  /** Claims of the Pod. */
  readonly claimNames: ReadonlySet<string>;
}

export function* validateContainerResources(
  requirements: ResourceRequirements | undefined,
  path: string,
  claimNames: ReadonlySet<string>,
): Findings {
  const rules = { checkName: validateContainerResourceName, claimNames };
  if (requirements !== undefined) yield* validateRequirements(requirements, path, rules);
}

function* validateRequirements(
  { limits, requests, claims }: ResourceRequirements,
  path: string,
  rules: RequirementRules,
): Findings {
  for (const [name, quantity] of sortedEntries(limits)) {
    yield* validateEntry(name, quantity, `${path}.limits[${name}]`, rules);
  }
  for (const [name, quantity] of sortedEntries(requests)) {
    const at = `${path}.requests[${name}]`;
    yield* rules.checkName(name, at);
    yield* validateResourceQuantity(name, quantity, at);
    yield* validateAgainstLimit(name, { quantity, limit: limits?.[name] }, path);
    yield* validateHugePage(name, quantity, at);
  }
  const names = [...Object.keys(limits ?? {}), ...Object.keys(requests ?? {})];
  if (names.some(isHugePageName) && !names.includes("cpu") && !names.includes("memory")) {
    yield forbidden(path, "HugePages require cpu or memory");
  }
  yield* validateClaims(claims ?? [], `${path}.claims`, rules.claimNames);
}

function* validateEntry(
  name: string,
  quantity: string,
  path: string,
  rules: RequirementRules,
): Findings {
  yield* rules.checkName(name, path);
  yield* validateResourceQuantity(name, quantity, path);
  yield* validateHugePage(name, quantity, path);
}

function* validateHugePage(name: string, quantity: string, path: string): Findings {
  const fault = isHugePageName(name) ? hugePageFault(name, quantity) : undefined;
  if (fault !== undefined) yield invalid(path, quantity, fault);
}

function* validateAgainstLimit(
  name: string,
  { quantity, limit }: { quantity: string; limit: string | undefined },
  path: string,
): Findings {
  const shared = isOvercommitAllowed(name);
  if (limit === undefined) {
    if (shared) return;
    yield required(`${path}.limits`, "Limit must be set for non overcommitable resources");
    return;
  }
  const order = compareQuantities(quantity, limit);
  const at = `${path}.requests`;
  if (order !== 0 && !shared) {
    yield invalid(at, quantity, `must be equal to ${name} limit of ${limit}`);
  } else if (order > 0) {
    yield invalid(at, quantity, `must be less than or equal to ${name} limit of ${limit}`);
  }
}

function* validateClaims(
  claims: readonly ResourceClaim[],
  path: string,
  claimNames: ReadonlySet<string>,
): Findings {
  const seen = new Set<string>();
  for (const [i, { name, request = "" }] of claims.entries()) {
    const at = `${path}[${i}]`;
    if (name === "") {
      yield required(at, "");
      continue;
    }
    if (seen.has(name)) yield duplicate(at, name);
    else {
      const key = request === "" ? name : `${name}/${request}`;
      if (request !== "") yield* validateDnsLabel(request, `${at}.request`);
      const overlaps = request === "" && [...seen].some((other) => other.startsWith(`${name}/`));
      if (seen.has(key) || overlaps) yield duplicate(at, seen.has(key) ? key : name);
      seen.add(key);
    }
    if (claimNames.has(name)) continue;
    const known =
      claimNames.size === 0 ? " which is empty" : `: ${[...claimNames].sort().join(", ")}`;
    yield {
      type: "FieldValueNotFound",
      field: at,
      badValue: name,
      detail: `must be one of the names in pod.spec.resourceClaims${known}`,
    };
  }
}

/** Overhead is checked as if it were limits, and its findings are named so. */
export function* validateOverhead(overhead: ResourceList | undefined, path: string): Findings {
  if (overhead === undefined) return;
  const rules = { checkName: validateContainerResourceName, claimNames: new Set<string>() };
  yield* validateRequirements({ limits: { ...overhead } }, path, rules);
}

function* checkPodLevelName(name: string, path: string): Findings {
  const errors = [...validateResourceName(name, path)];
  yield* errors;
  if (errors.length === 0 && !isPodLevelResource(name)) {
    yield notSupported(path, name, ["cpu", "hugepages-", "memory"]);
  }
}

/** Resources of the Pod as a whole bound those of its containers. */
export function* validatePodLevelResources(
  spec: PodSpec,
  path: string,
  claimNames: ReadonlySet<string>,
): Findings {
  const { resources } = spec;
  if (resources === undefined) return;
  if (resources.claims !== undefined) {
    yield forbidden(`${path}.claims`, "claims may not be set for Resources at pod-level");
  }
  yield* validateRequirements(resources, path, { checkName: checkPodLevelName, claimNames });
  for (const [name, sum] of sortedEntries(aggregateContainers(spec, "requests"))) {
    const own = resources.requests?.[name];
    if (own === undefined || compareQuantities(sum, own) <= 0) continue;
    const detail = `must be greater than or equal to aggregate container requests of ${sum}`;
    yield invalid(`${path}.requests[${name}]`, own, detail);
  }
  for (const [i, container] of spec.containers.entries()) {
    for (const [name, limit] of sortedEntries(container.resources?.limits)) {
      const own = resources.limits?.[name];
      if (own === undefined || compareQuantities(limit, own) <= 0) continue;
      const at = `${path}.containers[${i}][${name}].limits`;
      yield invalid(at, limit, `must be less than or equal to pod limits of ${own}`);
    }
  }
}
