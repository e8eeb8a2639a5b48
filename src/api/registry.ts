import {
  APIVersions,
  APIGroupList,
  APIGroup,
  APIResourceList,
} from "#apimachinery/meta/discovery.ts";
import { List as ApimachineryList } from "#apimachinery/meta/list-meta.ts";
import {
  ListOptions,
  GetOptions,
  DeleteOptions,
  CreateOptions,
  PatchOptions,
  ApplyOptions,
  UpdateOptions,
} from "#apimachinery/meta/options.ts";
import { Status } from "#apimachinery/meta/status.ts";
import {
  Table,
  TableOptions,
  PartialObjectMetadata,
  PartialObjectMetadataList,
} from "#apimachinery/meta/table.ts";
import { AdmissionReview } from "./admission/v1/admission-review.ts";
import { mutatingAdmissionPolicyBindings } from "./admissionregistration/v1/mutating-admission-policy-binding.ts";
import { mutatingAdmissionPolicies } from "./admissionregistration/v1/mutating-admission-policy.ts";
import { mutatingWebhookConfigurations } from "./admissionregistration/v1/mutating-webhook-configuration.ts";
import { validatingAdmissionPolicyBindings } from "./admissionregistration/v1/validating-admission-policy-binding.ts";
import { validatingAdmissionPolicies } from "./admissionregistration/v1/validating-admission-policy.ts";
import { validatingWebhookConfigurations } from "./admissionregistration/v1/validating-webhook-configuration.ts";
import { mutatingAdmissionPolicyBindings as mapBindingsAlpha } from "./admissionregistration/v1alpha1/mutating-admission-policy-binding.ts";
import { mutatingAdmissionPolicies as mapsV1alpha1 } from "./admissionregistration/v1alpha1/mutating-admission-policy.ts";
import { mutatingAdmissionPolicyBindings as mapBindingsBeta } from "./admissionregistration/v1beta1/mutating-admission-policy-binding.ts";
import { mutatingAdmissionPolicies as mapsV1beta1 } from "./admissionregistration/v1beta1/mutating-admission-policy.ts";
import { APIGroupDiscoveryList, APIGroupDiscovery } from "./apidiscovery/v2/api-group-discovery.ts";
import { ConversionReview } from "./apiextensions/v1/conversion-review.ts";
import { customResourceDefinitions } from "./apiextensions/v1/custom-resource-definition.ts";
import { apiServices } from "./apiregistration/v1/api-service.ts";
import { storageVersions } from "./apiserverinternal/v1alpha1/storage-version.ts";
import { controllerRevisions } from "./apps/v1/controller-revision.ts";
import { daemonSets } from "./apps/v1/daemon-set.ts";
import { deployments } from "./apps/v1/deployment.ts";
import { replicaSets } from "./apps/v1/replica-set.ts";
import { statefulSets } from "./apps/v1/stateful-set.ts";
import { Event as AuditEvent } from "./audit/v1/event.ts";
import { Policy } from "./audit/v1/policy.ts";
import { selfSubjectReviews } from "./authentication/v1/self-subject-review.ts";
import { TokenRequest } from "./authentication/v1/token-request.ts";
import { tokenReviews } from "./authentication/v1/token-review.ts";
import { localSubjectAccessReviews } from "./authorization/v1/local-subject-access-review.ts";
import { selfSubjectAccessReviews } from "./authorization/v1/self-subject-access-review.ts";
import { selfSubjectRulesReviews } from "./authorization/v1/self-subject-rules-review.ts";
import { subjectAccessReviews } from "./authorization/v1/subject-access-review.ts";
import { horizontalPodAutoscalers as horizontalPodAutoscalersV1 } from "./autoscaling/v1/horizontal-pod-autoscaler.ts";
import { Scale } from "./autoscaling/v1/scale.ts";
import { horizontalPodAutoscalers } from "./autoscaling/v2/horizontal-pod-autoscaler.ts";
import { cronJobs } from "./batch/v1/cron-job.ts";
import { jobs } from "./batch/v1/job.ts";
import { certificateSigningRequests } from "./certificates/v1/certificate-signing-request.ts";
import { clusterTrustBundles as clusterTrustBundlesV1alpha1 } from "./certificates/v1alpha1/cluster-trust-bundle.ts";
import { clusterTrustBundles } from "./certificates/v1beta1/cluster-trust-bundle.ts";
import { podCertificateRequests } from "./certificates/v1beta1/pod-certificate-request.ts";
import { leases } from "./coordination/v1/lease.ts";
import { leaseCandidates as leaseCandidatesV1alpha2 } from "./coordination/v1alpha2/lease-candidate.ts";
import { leaseCandidates } from "./coordination/v1beta1/lease-candidate.ts";
import { bindings } from "./core/v1/binding.ts";
import { componentStatuses } from "./core/v1/component-status.ts";
import { configMaps } from "./core/v1/config-map.ts";
import {
  PodLogOptions,
  PodAttachOptions,
  PodExecOptions,
  PodPortForwardOptions,
  PodProxyOptions,
  NodeProxyOptions,
  ServiceProxyOptions,
} from "./core/v1/connect-options.ts";
import { endpoints } from "./core/v1/endpoints.ts";
import { events } from "./core/v1/event.ts";
import { limitRanges } from "./core/v1/limit-range.ts";
import { namespaces } from "./core/v1/namespace.ts";
import { nodes } from "./core/v1/node.ts";
import { persistentVolumeClaims } from "./core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "./core/v1/persistent-volume.ts";
import { PodStatusResult } from "./core/v1/pod-status.ts";
import { podTemplates } from "./core/v1/pod-template.ts";
import { pods } from "./core/v1/pod.ts";
import { RangeAllocation } from "./core/v1/range-allocation.ts";
import { replicationControllers } from "./core/v1/replication-controller.ts";
import { resourceQuotas } from "./core/v1/resource-quota.ts";
import { secrets } from "./core/v1/secret.ts";
import { SerializedReference } from "./core/v1/serialized-reference.ts";
import { serviceAccounts } from "./core/v1/service-account.ts";
import { services } from "./core/v1/service.ts";
import { endpointSlices } from "./discovery/v1/endpoint-slice.ts";
import { events as eventsV1 } from "./events/v1/event.ts";
import { flowSchemas } from "./flowcontrol/v1/flow-schema.ts";
import { priorityLevelConfigurations } from "./flowcontrol/v1/priority-level-configuration.ts";
import { ImageReview } from "./imagepolicy/v1alpha1/image-review.ts";
import { ingressClasses } from "./networking/v1/ingress-class.ts";
import { ingresses } from "./networking/v1/ingress.ts";
import { ipAddresses } from "./networking/v1/ip-address.ts";
import { networkPolicies } from "./networking/v1/network-policy.ts";
import { serviceCidrs } from "./networking/v1/service-cidr.ts";
import { ipAddresses as ipAddressesV1beta1 } from "./networking/v1beta1/ip-address.ts";
import { serviceCidrs as serviceCidrsV1beta1 } from "./networking/v1beta1/service-cidr.ts";
import { runtimeClasses } from "./node/v1/runtime-class.ts";
import { Eviction } from "./policy/v1/eviction.ts";
import { podDisruptionBudgets } from "./policy/v1/pod-disruption-budget.ts";
import { clusterRoleBindings } from "./rbac/v1/cluster-role-binding.ts";
import { clusterRoles } from "./rbac/v1/cluster-role.ts";
import { roleBindings } from "./rbac/v1/role-binding.ts";
import { roles } from "./rbac/v1/role.ts";
import { deviceClasses } from "./resource/v1/device-class.ts";
import { resourceClaimTemplates } from "./resource/v1/resource-claim-template.ts";
import { resourceClaims } from "./resource/v1/resource-claim.ts";
import { resourceSlices } from "./resource/v1/resource-slice.ts";
import { deviceTaintRules as deviceTaintRulesV1alpha3 } from "./resource/v1alpha3/device-taint-rule.ts";
import { resourcePoolStatusRequests } from "./resource/v1alpha3/resource-pool-status-request.ts";
import { deviceClasses as deviceClassesV1beta1 } from "./resource/v1beta1/device-class.ts";
import { resourceClaimTemplates as resourceClaimTemplatesV1beta1 } from "./resource/v1beta1/resource-claim-template.ts";
import { resourceClaims as resourceClaimsV1beta1 } from "./resource/v1beta1/resource-claim.ts";
import { resourceSlices as resourceSlicesV1beta1 } from "./resource/v1beta1/resource-slice.ts";
import { deviceClasses as deviceClassesV1beta2 } from "./resource/v1beta2/device-class.ts";
import { deviceTaintRules } from "./resource/v1beta2/device-taint-rule.ts";
import { resourceClaimTemplates as resourceClaimTemplatesV1beta2 } from "./resource/v1beta2/resource-claim-template.ts";
import { resourceClaims as resourceClaimsV1beta2 } from "./resource/v1beta2/resource-claim.ts";
import { resourceSlices as resourceSlicesV1beta2 } from "./resource/v1beta2/resource-slice.ts";
import { priorityClasses } from "./scheduling/v1/priority-class.ts";
import { podGroups } from "./scheduling/v1alpha2/pod-group.ts";
import { workloads } from "./scheduling/v1alpha2/workload.ts";
import { csiDrivers } from "./storage/v1/csi-driver.ts";
import { csiNodes } from "./storage/v1/csi-node.ts";
import { csiStorageCapacities } from "./storage/v1/csi-storage-capacity.ts";
import { storageClasses } from "./storage/v1/storage-class.ts";
import { volumeAttachments } from "./storage/v1/volume-attachment.ts";
import { volumeAttributesClasses } from "./storage/v1/volume-attributes-class.ts";
import { volumeAttributesClasses as volumeAttributesClassesV1beta1 } from "./storage/v1beta1/volume-attributes-class.ts";
import { storageVersionMigrations } from "./storagemigration/v1beta1/storage-version-migration.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";

/**
 * Every resource served, in discovery's order: groups by priority, versions by preference,
 * resources by name. Adding a kind is its file and a line here.
 */
export const resources: readonly ResourceDefinition[] = [
  // v1
  bindings,
  componentStatuses,
  configMaps,
  endpoints,
  events,
  limitRanges,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  podTemplates,
  replicationControllers,
  resourceQuotas,
  secrets,
  serviceAccounts,
  services,
  // apiregistration.k8s.io/v1
  apiServices,
  // apps/v1
  controllerRevisions,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
  // events.k8s.io/v1
  eventsV1,
  // authentication.k8s.io/v1
  selfSubjectReviews,
  tokenReviews,
  // authorization.k8s.io/v1
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
  // autoscaling/v2
  horizontalPodAutoscalers,
  // autoscaling/v1
  horizontalPodAutoscalersV1,
  // batch/v1
  cronJobs,
  jobs,
  // certificates.k8s.io/v1
  certificateSigningRequests,
  // certificates.k8s.io/v1beta1
  clusterTrustBundles,
  podCertificateRequests,
  // certificates.k8s.io/v1alpha1
  clusterTrustBundlesV1alpha1,
  // networking.k8s.io/v1
  ingressClasses,
  ingresses,
  ipAddresses,
  networkPolicies,
  serviceCidrs,
  // networking.k8s.io/v1beta1
  ipAddressesV1beta1,
  serviceCidrsV1beta1,
  // policy/v1
  podDisruptionBudgets,
  // rbac.authorization.k8s.io/v1
  clusterRoleBindings,
  clusterRoles,
  roleBindings,
  roles,
  // storage.k8s.io/v1
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  storageClasses,
  volumeAttachments,
  volumeAttributesClasses,
  // storage.k8s.io/v1beta1
  volumeAttributesClassesV1beta1,
  // admissionregistration.k8s.io/v1
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  mutatingWebhookConfigurations,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingWebhookConfigurations,
  // admissionregistration.k8s.io/v1beta1
  mapsV1beta1,
  mapBindingsBeta,
  // admissionregistration.k8s.io/v1alpha1
  mapsV1alpha1,
  mapBindingsAlpha,
  // apiextensions.k8s.io/v1
  customResourceDefinitions,
  // scheduling.k8s.io/v1
  priorityClasses,
  // scheduling.k8s.io/v1alpha2
  podGroups,
  workloads,
  // coordination.k8s.io/v1
  leases,
  // coordination.k8s.io/v1beta1
  leaseCandidates,
  // coordination.k8s.io/v1alpha2
  leaseCandidatesV1alpha2,
  // node.k8s.io/v1
  runtimeClasses,
  // discovery.k8s.io/v1
  endpointSlices,
  // resource.k8s.io/v1
  deviceClasses,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
  // resource.k8s.io/v1beta2
  deviceClassesV1beta2,
  deviceTaintRules,
  resourceClaimsV1beta2,
  resourceClaimTemplatesV1beta2,
  resourceSlicesV1beta2,
  // resource.k8s.io/v1beta1
  deviceClassesV1beta1,
  resourceClaimsV1beta1,
  resourceClaimTemplatesV1beta1,
  resourceSlicesV1beta1,
  // resource.k8s.io/v1alpha3
  deviceTaintRulesV1alpha3,
  resourcePoolStatusRequests,
  // flowcontrol.apiserver.k8s.io/v1
  flowSchemas,
  priorityLevelConfigurations,
  // internal.apiserver.k8s.io/v1alpha1
  storageVersions,
  // storagemigration.k8s.io/v1beta1
  storageVersionMigrations,
];

/**
 * Group versions that are known besides those of resources: retired ones and those of reviews alone.
 * DeleteOptions and WatchEvent belong to them too. Source: pkg/api/legacyscheme, the installed groups.
 */
export const otherGroupVersions: readonly { readonly group: string; readonly version: string }[] = [
  { group: "admission.k8s.io", version: "v1" },
  { group: "admission.k8s.io", version: "v1beta1" },
  { group: "apiextensions.k8s.io", version: "v1beta1" },
  { group: "apiregistration.k8s.io", version: "v1beta1" },
  { group: "apps", version: "v1beta1" },
  { group: "apps", version: "v1beta2" },
  { group: "authentication.k8s.io", version: "v1alpha1" },
  { group: "authentication.k8s.io", version: "v1beta1" },
  { group: "authorization.k8s.io", version: "v1beta1" },
  { group: "batch", version: "v1beta1" },
  { group: "discovery.k8s.io", version: "v1beta1" },
  { group: "events.k8s.io", version: "v1beta1" },
  { group: "extensions", version: "v1beta1" },
  { group: "flowcontrol.apiserver.k8s.io", version: "v1beta1" },
  { group: "flowcontrol.apiserver.k8s.io", version: "v1beta2" },
  { group: "flowcontrol.apiserver.k8s.io", version: "v1beta3" },
  { group: "imagepolicy.k8s.io", version: "v1alpha1" },
  { group: "node.k8s.io", version: "v1alpha1" },
  { group: "node.k8s.io", version: "v1beta1" },
  { group: "policy", version: "v1beta1" },
  { group: "rbac.authorization.k8s.io", version: "v1alpha1" },
  { group: "rbac.authorization.k8s.io", version: "v1beta1" },
  { group: "scheduling.k8s.io", version: "v1beta1" },
  { group: "storage.k8s.io", version: "v1alpha1" },
];

/** A kind that is no resource: options, reviews in bodies, answers. */
export interface KindDefinition {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: StructSchema<Fields>;
}

/** Kinds beside those of resources and their lists. Those of meta/v1 belong to every group version. */
export const otherKinds: readonly KindDefinition[] = [
  { group: "", version: "v1", kind: "PodStatusResult", schema: PodStatusResult },
  { group: "", version: "v1", kind: "PodLogOptions", schema: PodLogOptions },
  { group: "", version: "v1", kind: "PodAttachOptions", schema: PodAttachOptions },
  { group: "", version: "v1", kind: "PodExecOptions", schema: PodExecOptions },
  { group: "", version: "v1", kind: "PodPortForwardOptions", schema: PodPortForwardOptions },
  { group: "", version: "v1", kind: "PodProxyOptions", schema: PodProxyOptions },
  { group: "", version: "v1", kind: "NodeProxyOptions", schema: NodeProxyOptions },
  { group: "", version: "v1", kind: "ServiceProxyOptions", schema: ServiceProxyOptions },
  { group: "", version: "v1", kind: "SerializedReference", schema: SerializedReference },
  { group: "", version: "v1", kind: "RangeAllocation", schema: RangeAllocation },
  { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", schema: TokenRequest },
  { group: "autoscaling", version: "v1", kind: "Scale", schema: Scale },
  { group: "policy", version: "v1", kind: "Eviction", schema: Eviction },
  {
    group: "apiextensions.k8s.io",
    version: "v1",
    kind: "ConversionReview",
    schema: ConversionReview,
  },
  { group: "admission.k8s.io", version: "v1", kind: "AdmissionReview", schema: AdmissionReview },
  {
    group: "apidiscovery.k8s.io",
    version: "v2",
    kind: "APIGroupDiscoveryList",
    schema: APIGroupDiscoveryList,
  },
  {
    group: "apidiscovery.k8s.io",
    version: "v2",
    kind: "APIGroupDiscovery",
    schema: APIGroupDiscovery,
  },
  { group: "imagepolicy.k8s.io", version: "v1alpha1", kind: "ImageReview", schema: ImageReview },
  { group: "audit.k8s.io", version: "v1", kind: "Event", schema: AuditEvent },
  { group: "audit.k8s.io", version: "v1", kind: "Policy", schema: Policy },
  { group: "", version: "v1", kind: "ListOptions", schema: ListOptions },
  { group: "", version: "v1", kind: "GetOptions", schema: GetOptions },
  { group: "", version: "v1", kind: "DeleteOptions", schema: DeleteOptions },
  { group: "", version: "v1", kind: "CreateOptions", schema: CreateOptions },
  { group: "", version: "v1", kind: "PatchOptions", schema: PatchOptions },
  { group: "", version: "v1", kind: "ApplyOptions", schema: ApplyOptions },
  { group: "", version: "v1", kind: "UpdateOptions", schema: UpdateOptions },
  { group: "", version: "v1", kind: "Status", schema: Status },
  { group: "", version: "v1", kind: "List", schema: ApimachineryList },
  { group: "", version: "v1", kind: "APIVersions", schema: APIVersions },
  { group: "", version: "v1", kind: "APIGroupList", schema: APIGroupList },
  { group: "", version: "v1", kind: "APIGroup", schema: APIGroup },
  { group: "", version: "v1", kind: "APIResourceList", schema: APIResourceList },
  { group: "meta.k8s.io", version: "v1", kind: "Table", schema: Table },
  { group: "meta.k8s.io", version: "v1", kind: "TableOptions", schema: TableOptions },
  {
    group: "meta.k8s.io",
    version: "v1",
    kind: "PartialObjectMetadata",
    schema: PartialObjectMetadata,
  },
  {
    group: "meta.k8s.io",
    version: "v1",
    kind: "PartialObjectMetadataList",
    schema: PartialObjectMetadataList,
  },
];
