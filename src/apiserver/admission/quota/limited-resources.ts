/** Resources that nobody may use without a quota for them. Source: apiserver/pkg/admission/plugin/resourcequota/apis. */
import type { ResourceList } from "#api/core/v1/resource-name.ts";
import { quantitySign, subtractQuantities } from "#apimachinery/quantity.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { anyJson, type Infer, kind, listOf, opt, req, string, struct } from "#apimachinery/schema.ts";
import { decodeConfiguration, type PluginConfiguration } from "../configuration.ts";

const LimitedResourceSchema = struct("io.k8s.apiserver.pkg.admission.plugin.resourcequota.v1.LimitedResource", {
  apiGroup: opt(1, string),
  resource: req(2, string),
  matchContains: opt(3, listOf(string)),
  matchScopes: opt(4, listOf(anyJson)),
});

const ConfigurationSchema = kind("io.k8s.apiserver.pkg.admission.plugin.resourcequota.v1.Configuration", {
  limitedResources: opt(1, listOf(LimitedResourceSchema)),
});

export type LimitedResource = Infer<typeof LimitedResourceSchema>;

const accepted: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["apiserver.config.k8s.io/v1", "ResourceQuotaConfiguration"],
  ["resourcequota.admission.k8s.io/v1", "Configuration"],
  ["resourcequota.admission.k8s.io/v1beta1", "Configuration"],
  ["resourcequota.admission.k8s.io/v1alpha1", "Configuration"],
];

/** Errors: when the configuration is none, or limits by scopes, which is not supported. */
export function limitedResourcesOf(configuration: PluginConfiguration | undefined): readonly LimitedResource[] {
  if (configuration === undefined) return [];
  const [, name = "Configuration"] = accepted.find(([version]) => version === configuration.value["apiVersion"]) ?? [];
  const apiVersions = accepted.filter(([, one]) => one === name).map(([version]) => version);
  const { limitedResources = [] } = decodeConfiguration<Infer<typeof ConfigurationSchema>>(configuration, ConfigurationSchema, {
    apiVersions,
    kind: name,
  });
  const hasScopes = limitedResources.some(({ matchScopes = [] }) => matchScopes.length > 0);
  if (hasScopes) throw new Error("limitedResources: matchScopes is not supported");
  return limitedResources;
}

/** Names of what an object uses that are limited. */
export function limitedNames(limits: readonly LimitedResource[], { group, plural }: ResourceDefinition, usage: ResourceList): string[] {
  const parts = limits
    .filter(({ apiGroup = "", resource }) => apiGroup === group && resource === plural)
    .flatMap(({ matchContains = [] }) => matchContains);
  if (parts.length === 0) return [];
  const used = Object.entries(usage).filter(([, quantity]) => quantitySign(subtractQuantities(quantity, "0")) > 0);
  return used.map(([name]) => name).filter((name) => parts.some((part) => name.includes(part)));
}
