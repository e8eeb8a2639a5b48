import type { LimitRange } from "#api/core/v1/limit-range.ts";
import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { type ResourceQuota, resourceQuotas } from "#api/core/v1/resource-quota.ts";
import type { ServiceAccount } from "#api/core/v1/service-account.ts";
import type { IngressClass } from "#api/networking/v1/ingress-class.ts";
import type { RuntimeClass } from "#api/node/v1/runtime-class.ts";
import type { StorageClass } from "#api/storage/v1/storage-class.ts";
import type { PriorityClass } from "#api/scheduling/v1/priority-class.ts";
import type { Random } from "#base/random.ts";
import { policyMeter, webhookMeter } from "../metrics/admission-meters.ts";
import type { ServerParts } from "../server.ts";
import type { WebhookClients } from "../webhooks/webhook-client.ts";
import type { AdmissionPlugin } from "./admission.ts";
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  clusterTrustBundleAttest,
} from "./plugins/certificates.ts";
import { defaultIngressClass, defaultStorageClass } from "./plugins/default-classes.ts";
import { defaultTolerationSeconds } from "./plugins/default-toleration-seconds.ts";
import { limitRanger } from "./plugins/limit-ranger.ts";
import { namespaceLifecycle } from "./plugins/namespace-lifecycle.ts";
import { nodeDeclaredFeatureValidator } from "./plugins/node-declared-features.ts";
import { nodeRestriction } from "./plugins/node-restriction.ts";
import { podTopologyLabels, taintNodesByCondition } from "./plugins/nodes.ts";
import {
  alwaysPullImages,
  denyServiceExternalIps,
  extendedResourceToleration,
  limitPodHardAntiAffinityTopology,
  namespaceExists,
  podNodeSelector,
} from "./plugins/optional.ts";
import { ownerReferencesPermissionEnforcement } from "./plugins/owner-references.ts";
import { podTolerationRestriction } from "./plugins/pod-toleration-restriction.ts";
import { priorityAdmission } from "./plugins/priority.ts";
import { runtimeClassAdmission } from "./plugins/runtime-class.ts";
import { persistentVolumeClaimResize, storageObjectInUseProtection } from "./plugins/storage.ts";
import { serviceAccountAdmission } from "./plugins/service-account.ts";
import { podSecurity } from "./pod-security/pod-security.ts";
import { mutatingAdmissionPolicy } from "./policy/mutating.ts";
import type { Policy, PolicyBinding, PolicyContext } from "./policy/policies.ts";
import { validatingAdmissionPolicy } from "./policy/validating.ts";
import { resourceQuotaAdmission } from "./quota/resource-quota.ts";
import type { WebhookConfiguration, WebhookContext } from "./webhook/hooks.ts";
import { mutatingAdmissionWebhook } from "./webhook/mutating.ts";
import { validatingAdmissionWebhook } from "./webhook/validating.ts";

const registration = "admissionregistration.k8s.io";

export interface PluginSelection {
  readonly enable: readonly string[];
  readonly disable: readonly string[];
}

export interface PluginOptions {
  readonly random: Random;
  readonly selection: PluginSelection;
  readonly webhooks: WebhookClients;
}

/**
 * The admission chain; its order is upstream's (pkg/kubeapiserver/options/plugins.go), so that what
 * a plugin sets is there for those that check it.
 */
export function admissionPlugins(parts: ServerParts, options: PluginOptions): AdmissionPlugin[] {
  const { live } = parts;
  const { random, selection } = options;
  const namespaces = live<Namespace>("", "v1", "namespaces");
  const webhookContext = (plural: string): WebhookContext => ({
    configurations: live<WebhookConfiguration>(registration, "v1", plural),
    namespaces,
    authorizer: parts.authorizer,
    clock: parts.clock,
    clients: options.webhooks,
    random,
    observe: webhookMeter(parts.registry),
  });
  const policyContext = <P extends Policy, B extends PolicyBinding>(
    plural: string,
  ): PolicyContext<P, B> => ({
    policies: live<P>(registration, "v1", plural),
    bindings: live<B>(registration, "v1", plural.replace(/ies$/, "ybindings")),
    namespaces,
    authorizer: parts.authorizer,
    clock: parts.clock,
    table: parts.table,
    observe: policyMeter(parts.registry),
  });
  const { authorizer, table } = parts;
  const pods = live<Pod>("", "v1", "pods");
  const nodes = live<Node>("", "v1", "nodes");
  const storageClasses = live<StorageClass>("storage.k8s.io", "v1", "storageclasses");
  const all: AdmissionPlugin[] = [
    namespaceLifecycle(namespaces),
    namespaceExists(namespaces),
    limitPodHardAntiAffinityTopology,
    limitRanger(live<LimitRange>("", "v1", "limitranges")),
    serviceAccountAdmission(live<ServiceAccount>("", "v1", "serviceaccounts"), random),
    nodeRestriction(pods),
    nodeDeclaredFeatureValidator(nodes),
    taintNodesByCondition,
    alwaysPullImages,
    podSecurity(namespaces, pods),
    podNodeSelector(namespaces),
    priorityAdmission(live<PriorityClass>("scheduling.k8s.io", "v1", "priorityclasses")),
    defaultTolerationSeconds,
    podTolerationRestriction(namespaces),
    extendedResourceToleration,
    defaultStorageClass(storageClasses),
    storageObjectInUseProtection,
    ownerReferencesPermissionEnforcement(table, authorizer),
    persistentVolumeClaimResize(storageClasses),
    runtimeClassAdmission(live<RuntimeClass>("node.k8s.io", "v1", "runtimeclasses")),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    clusterTrustBundleAttest(authorizer),
    certificateSubjectRestriction,
    defaultIngressClass(live<IngressClass>("networking.k8s.io", "v1", "ingressclasses")),
    denyServiceExternalIps,
    podTopologyLabels(nodes),
    // Webhooks see what all plugins above have set; quota comes last, so that only what is let in
    // is charged.
    mutatingAdmissionPolicy(policyContext("mutatingadmissionpolicies")),
    mutatingAdmissionWebhook(webhookContext("mutatingwebhookconfigurations")),
    validatingAdmissionPolicy(policyContext("validatingadmissionpolicies")),
    validatingAdmissionWebhook(webhookContext("validatingwebhookconfigurations")),
    resourceQuotaAdmission(live<ResourceQuota>("", "v1", "resourcequotas"), () =>
      table.of(resourceQuotas),
    ),
  ];
  return all.filter(
    ({ name, enabledByDefault }) =>
      selection.enable.includes(name) || (enabledByDefault && !selection.disable.includes(name)),
  );
}
