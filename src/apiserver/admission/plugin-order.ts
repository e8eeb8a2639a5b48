/**
 * All plugins in the order in which they run: what one sets is there for those that check it. Webhooks see what all
 * plugins above have set; quota comes after them, so that only what is let in is charged.
 * Source: pkg/kubeapiserver/options/plugins.go AllOrderedPlugins.
 */
export const orderedPlugins = [
  "AlwaysAdmit",
  "NamespaceAutoProvision",
  "NamespaceLifecycle",
  "NamespaceExists",
  "LimitPodHardAntiAffinityTopology",
  "LimitRanger",
  "ServiceAccount",
  "NodeRestriction",
  "TaintNodesByCondition",
  "AlwaysPullImages",
  "ImagePolicyWebhook",
  "PodSecurity",
  "PodNodeSelector",
  "Priority",
  "DefaultTolerationSeconds",
  "PodTolerationRestriction",
  "EventRateLimit",
  "ExtendedResourceToleration",
  "DefaultStorageClass",
  "StorageObjectInUseProtection",
  "PodGroupProtection",
  "OwnerReferencesPermissionEnforcement",
  "PersistentVolumeClaimResize",
  "RuntimeClass",
  "CertificateApproval",
  "CertificateSigning",
  "ClusterTrustBundleAttest",
  "CertificateSubjectRestriction",
  "DefaultIngressClass",
  "DenyServiceExternalIPs",
  "PodTopologyLabels",
  "PodGroupWorkloadExists",
  "NodeDeclaredFeatureValidator",
  "JobValidation",
  "PodResizeValidator",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionWebhook",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionWebhook",
  "ResourceQuota",
  "AlwaysDeny",
] as const;

export type PluginName = (typeof orderedPlugins)[number];

/** Those that are off unless asked for; NodeRestriction is, and `kubets up` asks for it as kubeadm does. */
const offByDefault: ReadonlySet<string> = new Set<PluginName>([
  "AlwaysAdmit",
  "NamespaceAutoProvision",
  "NamespaceExists",
  "LimitPodHardAntiAffinityTopology",
  "NodeRestriction",
  "AlwaysPullImages",
  "ImagePolicyWebhook",
  "PodNodeSelector",
  "PodTolerationRestriction",
  "EventRateLimit",
  "ExtendedResourceToleration",
  "OwnerReferencesPermissionEnforcement",
  "DenyServiceExternalIPs",
  "AlwaysDeny",
]);

export interface PluginSelection {
  readonly enable: readonly string[];
  readonly disable: readonly string[];
}

/**
 * The plugins that run, in order; what is both off and asked for runs. Errors: upstream's texts.
 * Source: apiserver/pkg/server/options/admission.go.
 */
export function enabledPlugins({ enable, disable }: PluginSelection): PluginName[] {
  const isUnknown = (name: string): boolean => !orderedPlugins.some((known) => known === name);
  const both = [...new Set(enable)].filter((name) => disable.includes(name)).toSorted();
  const problems = [
    ...enable.filter(isUnknown).map((name) => `enable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
    ...disable.filter(isUnknown).map((name) => `disable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
    ...(both.length > 0 ? [`[${both.join(" ")}] in enable-admission-plugins and disable-admission-plugins overlapped`] : []),
  ];
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`);
  return orderedPlugins.filter((name) => enable.includes(name) || !(offByDefault.has(name) || disable.includes(name)));
}
