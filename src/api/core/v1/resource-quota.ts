import { sortedEntries } from "#apimachinery/validation/checks.ts";
import { dropStatus, keepStatus, statusSubresource } from "#api/strategies.ts";
import { validateResourceQuota, validateResourceQuotaStatus } from "./resource-quota-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  kind,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  quantity,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const ScopedResourceSelectorRequirement = struct(
  "io.k8s.api.core.v1.ScopedResourceSelectorRequirement",
  {
    scopeName: req(1, named("v1.ResourceQuotaScope", string)),
    operator: req(2, named("v1.ScopeSelectorOperator", string)),
    values: opt(3, listOf(string), { listType: "atomic" }),
  },
);
export interface ScopedResourceSelectorRequirement extends Infer<
  typeof ScopedResourceSelectorRequirement
> {}

export const ScopeSelector = struct(
  "io.k8s.api.core.v1.ScopeSelector",
  {
    matchExpressions: opt(1, listOf(ScopedResourceSelectorRequirement), { listType: "atomic" }),
  },
  { atomic: true },
);
export interface ScopeSelector extends Infer<typeof ScopeSelector> {}

export const ResourceQuotaSpec = struct("io.k8s.api.core.v1.ResourceQuotaSpec", {
  hard: opt(1, named("v1.ResourceList", mapOf(quantity))),
  scopes: opt(2, listOf(named("v1.ResourceQuotaScope", string)), { listType: "atomic" }),
  scopeSelector: ptr(3, ScopeSelector),
});
export interface ResourceQuotaSpec extends Infer<typeof ResourceQuotaSpec> {}

export const ResourceQuotaStatus = struct("io.k8s.api.core.v1.ResourceQuotaStatus", {
  hard: opt(1, named("v1.ResourceList", mapOf(quantity))),
  used: opt(2, named("v1.ResourceList", mapOf(quantity))),
});
export interface ResourceQuotaStatus extends Infer<typeof ResourceQuotaStatus> {}

export const ResourceQuota = kind("io.k8s.api.core.v1.ResourceQuota", {
  metadata,
  spec: req(2, ResourceQuotaSpec, { required: false }),
  status: opt(3, ResourceQuotaStatus),
});
export interface ResourceQuota extends Infer<typeof ResourceQuota> {}

export const resourceQuotas = defineResource<ResourceQuota>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  shortNames: ["quota"],
  scope: "Namespaced",
  schema: ResourceQuota,
  strategy: {
    deleteReturnsObject: true,
    prepareForCreate: dropStatus,
    prepareForUpdate: keepStatus,
    validate: (quota) => [...validateResourceQuota(quota)],
    validateUpdate: (quota, { old }) => [...validateResourceQuota(quota, old)],
  },
  columns: [
    nameColumn,
    column("Request", (quota) => usageText(quota, (name) => !isLimit(name)), {
      description: "Resources in use, and how much may be.",
    }),
    column("Limit", (quota) => usageText(quota, isLimit), {
      description: "Limits in use, and how much they may be.",
    }),
    ageColumn,
  ],
  subresources: {
    status: statusSubresource({ validate: (quota) => [...validateResourceQuotaStatus(quota)] }),
  },
});

function isLimit(name: string): boolean {
  return name.startsWith("limits");
}

/** `pods: 2/5, services: 0/1`. */
function usageText({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  const shown = sortedEntries(status?.hard).filter(([name]) => isShown(name));
  const used = status?.used ?? {};
  return shown.map(([name, hard]) => `${name}: ${used[name] ?? "0"}/${hard}`).join(", ");
}
