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
import type { Workload } from "#api/scheduling/v1alpha2/workload.ts";
import { errorMessage } from "#base/error-message.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { policyMeter, webhookMeter } from "../metrics/admission-meters.ts";
import type { ServerParts } from "../server.ts";
import type { WebhookClients } from "../webhooks/webhook-client.ts";
import type { AdmissionPlugin } from "./admission.ts";
import type { PluginConfigurations } from "./configuration.ts";
import { enabledPlugins, type PluginName, type PluginSelection } from "./plugin-order.ts";
import { alwaysAdmit, alwaysDeny } from "./plugins/always.ts";
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  clusterTrustBundleAttest,
} from "./plugins/certificates.ts";
import { defaultIngressClass, defaultStorageClass } from "./plugins/default-classes.ts";
import { defaultTolerationSeconds } from "./plugins/default-toleration-seconds.ts";
import { eventRateLimit } from "./plugins/event-rate-limit.ts";
import { type ImagePolicyOptions, imagePolicyWebhook } from "./plugins/image-policy-webhook.ts";
import { limitRanger } from "./plugins/limit-ranger.ts";
import { namespaceAutoProvision } from "./plugins/namespace-auto-provision.ts";
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
import { podGroupWorkloadExists } from "./plugins/pod-groups.ts";
import { podResizeValidator } from "./plugins/pod-resize.ts";
import { podTolerationRestriction } from "./plugins/pod-toleration-restriction.ts";
import { priorityAdmission } from "./plugins/priority.ts";
import { runtimeClassAdmission } from "./plugins/runtime-class.ts";
import { persistentVolumeClaimResize, storageObjectInUseProtection } from "./plugins/storage.ts";
import { serviceAccountAdmission } from "./plugins/service-account.ts";
import { podSecurityConfiguration } from "./pod-security/configuration.ts";
import { podSecurity } from "./pod-security/pod-security.ts";
import { mutatingAdmissionPolicy } from "./policy/mutating.ts";
import type { Policy, PolicyBinding, PolicyContext } from "./policy/policies.ts";
import { validatingAdmissionPolicy } from "./policy/validating.ts";
import { limitedResourcesOf } from "./quota/limited-resources.ts";
import { resourceQuotaAdmission } from "./quota/resource-quota.ts";
import type { WebhookConfiguration, WebhookContext } from "./webhook/hooks.ts";
import { mutatingAdmissionWebhook } from "./webhook/mutating.ts";
import { validatingAdmissionWebhook } from "./webhook/validating.ts";

const registration = "admissionregistration.k8s.io";

export interface PluginOptions {
  readonly random: Random;
  readonly selection: PluginSelection;
  /** What `--admission-control-config-file` says. */
  readonly configurations: PluginConfigurations;
  readonly webhooks: WebhookClients;
  readonly client: () => Client;
  /** A way to the webhook of ImagePolicyWebhook, where that runs. */
  readonly imagePolicy?: Pick<ImagePolicyOptions, "configuration" | "http" | "path"> | undefined;
}

type Makers = Readonly<Record<PluginName, () => AdmissionPlugin>>;

/** The chain of plugins that run. Errors: a plugin's configuration that is none, a plugin that nobody knows. */
export function admissionPlugins(parts: ServerParts, options: PluginOptions): AdmissionPlugin[] {
  const makers: Makers = { ...podPlugins(parts, options), ...otherPlugins(parts, options), ...lastPlugins(parts, options) };
  return enabledPlugins(options.selection).map((name) => {
    try {
      return makers[name]();
    } catch (error) {
      throw new Error(`couldn't init admission plugin ${JSON.stringify(name)}: ${errorMessage(error)}`, { cause: error });
    }
  });
}

function podPlugins({ live, clock }: ServerParts, { random, configurations, imagePolicy }: PluginOptions) {
  const namespaces = live<Namespace>("", "v1", "namespaces");
  const pods = live<Pod>("", "v1", "pods");
  const nodes = live<Node>("", "v1", "nodes");
  return {
    LimitPodHardAntiAffinityTopology: () => limitPodHardAntiAffinityTopology,
    LimitRanger: () => limitRanger(live<LimitRange>("", "v1", "limitranges")),
    ServiceAccount: () => serviceAccountAdmission(live<ServiceAccount>("", "v1", "serviceaccounts"), random),
    NodeRestriction: () => nodeRestriction(pods),
    NodeDeclaredFeatureValidator: () => nodeDeclaredFeatureValidator(nodes),
    PodResizeValidator: () => podResizeValidator(nodes),
    TaintNodesByCondition: () => taintNodesByCondition,
    AlwaysPullImages: () => alwaysPullImages,
    ImagePolicyWebhook: () => {
      if (imagePolicy === undefined) throw new Error("no config specified");
      return imagePolicyWebhook({ ...imagePolicy, clock, random });
    },
    PodSecurity: () => podSecurity(namespaces, pods, podSecurityConfiguration(configurations.get("PodSecurity"))),
    PodNodeSelector: () => podNodeSelector(namespaces, configurations.get("PodNodeSelector")),
    Priority: () => priorityAdmission(live<PriorityClass>("scheduling.k8s.io", "v1", "priorityclasses")),
    DefaultTolerationSeconds: () => defaultTolerationSeconds,
    PodTolerationRestriction: () => podTolerationRestriction(namespaces, configurations.get("PodTolerationRestriction")),
    EventRateLimit: () => eventRateLimit(configurations.get("EventRateLimit"), clock),
    ExtendedResourceToleration: () => extendedResourceToleration,
    RuntimeClass: () => runtimeClassAdmission(live<RuntimeClass>("node.k8s.io", "v1", "runtimeclasses")),
    PodTopologyLabels: () => podTopologyLabels(nodes),
  } satisfies Partial<Makers>;
}

function otherPlugins({ live, authorizer, table }: ServerParts, { client }: PluginOptions) {
  const namespaces = live<Namespace>("", "v1", "namespaces");
  const storageClasses = live<StorageClass>("storage.k8s.io", "v1", "storageclasses");
  return {
    AlwaysAdmit: () => alwaysAdmit,
    AlwaysDeny: () => alwaysDeny,
    NamespaceAutoProvision: () => namespaceAutoProvision(namespaces, client),
    NamespaceLifecycle: () => namespaceLifecycle(namespaces),
    NamespaceExists: () => namespaceExists(namespaces),
    DefaultStorageClass: () => defaultStorageClass(storageClasses),
    StorageObjectInUseProtection: () => storageObjectInUseProtection,
    // Nobody would take its finalizer away again.
    PodGroupProtection: (): AdmissionPlugin => ({ name: "PodGroupProtection" }),
    PodGroupWorkloadExists: () => {
      const isServed = table.find("scheduling.k8s.io", "v1alpha2", "workloads") !== undefined;
      return podGroupWorkloadExists(isServed ? live<Workload>("scheduling.k8s.io", "v1alpha2", "workloads") : undefined);
    },
    OwnerReferencesPermissionEnforcement: () => ownerReferencesPermissionEnforcement(table, authorizer),
    PersistentVolumeClaimResize: () => persistentVolumeClaimResize(storageClasses),
    CertificateApproval: () => certificateApproval(authorizer),
    CertificateSigning: () => certificateSigning(authorizer),
    ClusterTrustBundleAttest: () => clusterTrustBundleAttest(authorizer),
    CertificateSubjectRestriction: () => certificateSubjectRestriction,
    DefaultIngressClass: () => defaultIngressClass(live<IngressClass>("networking.k8s.io", "v1", "ingressclasses")),
    DenyServiceExternalIPs: () => denyServiceExternalIps,
    // It has a name and a place; what it is to check is not there upstream either.
    JobValidation: (): AdmissionPlugin => ({ name: "JobValidation" }),
  } satisfies Partial<Makers>;
}

function lastPlugins(parts: ServerParts, { webhooks: clients, random, configurations }: PluginOptions) {
  const { live, authorizer, clock, registry, table } = parts;
  const namespaces = live<Namespace>("", "v1", "namespaces");
  const webhookContext = (plural: string): WebhookContext => ({
    configurations: live<WebhookConfiguration>(registration, "v1", plural),
    namespaces,
    authorizer,
    clock,
    clients,
    random,
    observe: webhookMeter(registry),
  });
  const policyContext = <P extends Policy, B extends PolicyBinding>(plural: string): PolicyContext<P, B> => ({
    policies: live<P>(registration, "v1", plural),
    bindings: live<B>(registration, "v1", plural.replace(/ies$/, "ybindings")),
    namespaces,
    authorizer,
    clock,
    table,
    observe: policyMeter(registry),
  });
  return {
    MutatingAdmissionPolicy: () => mutatingAdmissionPolicy(policyContext("mutatingadmissionpolicies")),
    MutatingAdmissionWebhook: () => mutatingAdmissionWebhook(webhookContext("mutatingwebhookconfigurations")),
    ValidatingAdmissionPolicy: () => validatingAdmissionPolicy(policyContext("validatingadmissionpolicies")),
    ValidatingAdmissionWebhook: () => validatingAdmissionWebhook(webhookContext("validatingwebhookconfigurations")),
    ResourceQuota: () => {
      const limits = limitedResourcesOf(configurations.get("ResourceQuota"));
      return resourceQuotaAdmission(live<ResourceQuota>("", "v1", "resourcequotas"), () => table.of(resourceQuotas), limits);
    },
  } satisfies Partial<Makers>;
}
