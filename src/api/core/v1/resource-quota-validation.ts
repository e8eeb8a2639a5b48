import { invalid, required } from "#apimachinery/field-error.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { type Findings, immutableText, sortedEntries } from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import {
  isStandardQuotaResource,
  type ResourceList,
  validateQuotaResourceName,
  validateResourceQuantity,
} from "./resource-name.ts";
import { type ResourceQuota, type ResourceQuotaSpec, ScopeSelector } from "./resource-quota.ts";

/** Source: ValidateResourceQuota in pkg/apis/core/validation. */
const podResources = new Set([
  "pods",
  "cpu",
  "memory",
  "limits.cpu",
  "limits.memory",
  "requests.cpu",
  "requests.memory",
]);
const claimResources = new Set(["persistentvolumeclaims", "requests.storage"]);

/** Scopes and the resources that they can narrow. */
const scopeResources: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["Terminating", podResources],
  ["NotTerminating", podResources],
  ["BestEffort", new Set(["pods"])],
  ["NotBestEffort", podResources],
  ["PriorityClass", podResources],
  ["CrossNamespacePodAffinity", podResources],
  ["VolumeAttributesClass", claimResources],
]);

const conflicts: readonly [string, string][] = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
];

const existsOnlyText =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, " +
  "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, " +
  "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

export function* validateResourceQuota({ spec }: ResourceQuota, old?: ResourceQuota): Findings {
  yield* validateAmounts(spec.hard, "spec.hard");
  yield* validateScopes(spec);
  yield* validateSelector(spec);
  if (old === undefined) return;
  const [scopes, before] = [spec.scopes ?? [], old.spec.scopes ?? []].map((list) =>
    [...list].sort(),
  );
  if (!semanticEqual(scopes, before))
    yield invalid("spec.scopes", spec.scopes ?? [], immutableText);
}

export function* validateResourceQuotaStatus({ status }: ResourceQuota): Findings {
  yield* validateAmounts(status?.hard, "status.hard");
  yield* validateAmounts(status?.used, "status.used");
}

function* validateAmounts(amounts: ResourceList | undefined, path: string): Findings {
  for (const [name, quantity] of sortedEntries(amounts)) {
    yield* validateQuotaResourceName(name, `${path}[${name}]`);
    yield* validateResourceQuantity(name, quantity, `${path}[${name}]`);
  }
}

/** Limited resources that a scope cannot narrow. */
function misfits(scope: string, { hard }: ResourceQuotaSpec): string[] {
  const fitting = scopeResources.get(scope);
  if (fitting === undefined) return [];
  const names = Object.keys(hard ?? {}).filter(isStandardQuotaResource);
  return names.filter((name) => !fitting.has(name));
}

function haveConflict(scopes: readonly string[]): boolean {
  return conflicts.some(([a, b]) => scopes.includes(a) && scopes.includes(b));
}

function* validateScopes(spec: ResourceQuotaSpec): Findings {
  const { scopes = [] } = spec;
  const path = "spec.scopes";
  for (const scope of scopes) {
    if (!scopeResources.has(scope)) yield invalid(path, scopes, "unsupported scope");
    for (const _ of misfits(scope, spec)) {
      yield invalid(path, scopes, "unsupported scope applied to resource");
    }
  }
  if (haveConflict(scopes)) yield invalid(path, scopes, "conflicting scopes");
}

function* validateSelector(spec: ResourceQuotaSpec): Findings {
  const path = "spec.scopeSelector.matchExpressions";
  const { matchExpressions: expressions = [] } = spec.scopeSelector ?? {};
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!scopeResources.has(scopeName)) {
      yield invalid(`${path}.scopeName`, scopeName, "unsupported scope");
    }
    for (const _ of misfits(scopeName, spec)) {
      const selector = internalValue(ScopeSelector, spec.scopeSelector);
      yield invalid(path, selector, "unsupported scope applied to resource");
    }
    const takesValues = scopeName === "PriorityClass" || scopeName === "VolumeAttributesClass";
    if (scopeResources.has(scopeName) && !takesValues && operator !== "Exists") {
      yield invalid(`${path}.operator`, operator, existsOnlyText);
    }
    yield* validateOperator(operator, values, path);
  }
  const scopes = expressions.map(({ scopeName }) => scopeName);
  if (haveConflict(scopes)) yield invalid(path, scopes, "conflicting scopes");
}

function* validateOperator(operator: string, values: readonly string[], path: string): Findings {
  if (operator === "In" || operator === "NotIn") {
    if (values.length > 0) return;
    const detail =
      "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    yield required(`${path}.values`, detail);
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length === 0) return;
    const detail =
      "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    yield invalid(`${path}.values`, values, detail);
  } else {
    yield invalid(`${path}.operator`, operator, "not a valid selector operator");
  }
}
