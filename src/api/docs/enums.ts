/** Values of a type, as Go sorts them. */
type Values = readonly string[];

const addressType: Values = ["FQDN", "IPv4", "IPv6"];
const allocationConfigSource: Values = ["FromClaim", "FromClass"];
const appArmorProfileType: Values = ["Localhost", "RuntimeDefault", "Unconfined"];
const azureDataDiskCachingMode: Values = ["None", "ReadOnly", "ReadWrite"];
const azureDataDiskKind: Values = ["Dedicated", "Managed", "Shared"];
const claimResourceStatus: Values = [
  "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending",
];
const completionMode: Values = ["Indexed", "NonIndexed"];
const concurrencyPolicy: Values = ["Allow", "Forbid", "Replace"];
const dnsPolicy: Values = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
const daemonSetUpdateStrategyType: Values = ["OnDelete", "RollingUpdate"];
const deploymentStrategyType: Values = ["Recreate", "RollingUpdate"];
const deviceAllocationMode: Values = ["All", "ExactCount"];
const deviceTaintEffect: Values = ["NoExecute", "NoSchedule", "None"];
const deviceTolerationOperator: Values = ["Equal", "Exists"];
const disruptionMode: Values = ["Pod", "PodGroup"];
const failurePolicyType: Values = ["Fail", "Ignore"];
const fieldValueErrorReason: Values = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
const hostPathType: Values = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
const ipFamily: Values = ["", "IPv4", "IPv6"];
const ipFamilyPolicy: Values = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const keyUsage: Values = [
  "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only",
  "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement",
  "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping",
];
const matchPolicyType: Values = ["Equivalent", "Exact"];
const mountPropagationMode: Values = ["Bidirectional", "HostToContainer", "None"];
const namespacePhase: Values = ["Active", "Terminating"];
const nodeInclusionPolicy: Values = ["Honor", "Ignore"];
const nodePhase: Values = ["Pending", "Running", "Terminated"];
const nodeSelectorOperator: Values = ["DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"];
const operationType: Values = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const parameterNotFoundActionType: Values = ["Allow", "Deny"];
const patchType: Values = ["ApplyConfiguration", "JSONPatch"];
const pathType: Values = ["Exact", "ImplementationSpecific", "Prefix"];
const persistentVolumeAccessMode: Values = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const persistentVolumeClaimModifyVolumeStatus: Values = ["InProgress", "Infeasible", "Pending"];
const persistentVolumeClaimPhase: Values = ["Bound", "Lost", "Pending"];
const persistentVolumeMode: Values = ["Block", "Filesystem"];
const persistentVolumePhase: Values = ["Available", "Bound", "Failed", "Pending", "Released"];
const persistentVolumeReclaimPolicy: Values = ["Delete", "Recycle", "Retain"];
const podFSGroupChangePolicy: Values = ["Always", "OnRootMismatch"];
const podFailurePolicyAction: Values = ["Count", "FailIndex", "FailJob", "Ignore"];
const podFailurePolicyOnExitCodesOperator: Values = ["In", "NotIn"];
const podManagementPolicyType: Values = ["OrderedReady", "Parallel"];
const podPhase: Values = ["Failed", "Pending", "Running", "Succeeded", "Unknown"];
const podQOSClass: Values = ["BestEffort", "Burstable", "Guaranteed"];
const podReplacementPolicy: Values = ["Failed", "TerminatingOrFailed"];
const policyType: Values = ["Egress", "Ingress"];
const preemptionPolicy: Values = ["Never", "PreemptLowerPriority"];
const procMountType: Values = ["Default", "Unmasked"];
const protocol: Values = ["SCTP", "TCP", "UDP"];
const pullPolicy: Values = ["Always", "IfNotPresent", "Never"];
const reinvocationPolicyType: Values = ["IfNeeded", "Never"];
const resourceQuotaScope: Values = [
  "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", "VolumeAttributesClass",
];
const restartPolicy: Values = ["Always", "Never", "OnFailure"];
const scopeSelectorOperator: Values = ["DoesNotExist", "Exists", "In", "NotIn"];
const scopeType: Values = ["*", "Cluster", "Namespaced"];
const seccompProfileType: Values = ["Localhost", "RuntimeDefault", "Unconfined"];
const serviceAffinity: Values = ["ClientIP", "None"];
const serviceExternalTrafficPolicy: Values = ["Cluster", "Local"];
const serviceInternalTrafficPolicy: Values = ["Cluster", "Local"];
const serviceType: Values = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const sideEffectClass: Values = ["None", "NoneOnDryRun", "Some", "Unknown"];
const statefulSetUpdateStrategyType: Values = ["OnDelete", "RollingUpdate"];
const supplementalGroupsPolicy: Values = ["Merge", "Strict"];
const taintEffect: Values = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
const terminationMessagePolicy: Values = ["FallbackToLogsOnError", "File"];
const tolerationOperator: Values = ["Equal", "Exists", "Gt", "Lt"];
const uriScheme: Values = ["HTTP", "HTTPS"];
const unhealthyPodEvictionPolicyType: Values = ["AlwaysAllow", "IfHealthyBudget"];
const unsatisfiableConstraintAction: Values = ["DoNotSchedule", "ScheduleAnyway"];
const validationAction: Values = ["Audit", "Deny", "Warn"];
const volumeBindingMode: Values = ["Immediate", "WaitForFirstConsumer"];

/** Those of Linux; of the real-time ones some below the highest and some above the lowest. */
const signal: Values = [
  ...("ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM " +
    "TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ").split(" "),
  "RTMAX",
  "RTMIN",
  ...Array.from({ length: 14 }, (_, i) => `RTMAX-${i + 1}`),
  ...Array.from({ length: 15 }, (_, i) => `RTMIN+${i + 1}`),
]
  .map((name) => `SIG${name}`)
  .toSorted();

type Enums = Readonly<Record<string, Readonly<Record<string, Values>>>>;

const ofDevices: Enums = {
  DeviceAllocationConfiguration: { source: allocationConfigSource },
  DeviceSubRequest: { allocationMode: deviceAllocationMode },
  DeviceTaint: { effect: deviceTaintEffect },
  DeviceToleration: { effect: deviceTaintEffect, operator: deviceTolerationOperator },
};

/**
 * Fields whose type is an enumeration: type name -> field -> values, by the part of OpenAPI's definition names before the
 * type's own. Of lists and maps they are the items' values. Nothing is checked by them.
 * Source: `+enum` in types.go of k8s.io/api and k8s.io/apiextensions-apiserver.
 */
export const enums: Readonly<Record<string, Enums>> = {
  "io.k8s.api.admissionregistration.v1": {
    MatchResources: { matchPolicy: matchPolicyType },
    MutatingAdmissionPolicySpec: { failurePolicy: failurePolicyType, reinvocationPolicy: reinvocationPolicyType },
    MutatingWebhook: {
      failurePolicy: failurePolicyType,
      matchPolicy: matchPolicyType,
      reinvocationPolicy: reinvocationPolicyType,
      sideEffects: sideEffectClass,
    },
    Mutation: { patchType },
    NamedRuleWithOperations: { operations: operationType, scope: scopeType },
    RuleWithOperations: { operations: operationType, scope: scopeType },
    ValidatingAdmissionPolicyBindingSpec: { validationActions: validationAction },
    ValidatingAdmissionPolicySpec: { failurePolicy: failurePolicyType },
    ValidatingWebhook: { failurePolicy: failurePolicyType, matchPolicy: matchPolicyType, sideEffects: sideEffectClass },
  },
  "io.k8s.api.admissionregistration.v1alpha1": {
    MatchResources: { matchPolicy: matchPolicyType },
    MutatingAdmissionPolicySpec: { failurePolicy: failurePolicyType, reinvocationPolicy: reinvocationPolicyType },
    Mutation: { patchType },
    NamedRuleWithOperations: { operations: operationType, scope: scopeType },
    ParamRef: { parameterNotFoundAction: parameterNotFoundActionType },
  },
  "io.k8s.api.admissionregistration.v1beta1": {
    MutatingAdmissionPolicySpec: { reinvocationPolicy: reinvocationPolicyType },
    Mutation: { patchType },
    NamedRuleWithOperations: { operations: operationType, scope: scopeType },
  },
  "io.k8s.api.apps.v1": {
    DaemonSetUpdateStrategy: { type: daemonSetUpdateStrategyType },
    DeploymentStrategy: { type: deploymentStrategyType },
    StatefulSetSpec: { podManagementPolicy: podManagementPolicyType },
    StatefulSetUpdateStrategy: { type: statefulSetUpdateStrategyType },
  },
  "io.k8s.api.batch.v1": {
    CronJobSpec: { concurrencyPolicy },
    JobSpec: { completionMode, podReplacementPolicy },
    PodFailurePolicyOnExitCodesRequirement: { operator: podFailurePolicyOnExitCodesOperator },
    PodFailurePolicyRule: { action: podFailurePolicyAction },
  },
  "io.k8s.api.certificates.v1": {
    CertificateSigningRequestSpec: { usages: keyUsage },
  },
  "io.k8s.api.core.v1": {
    AppArmorProfile: { type: appArmorProfileType },
    AzureDiskVolumeSource: { cachingMode: azureDataDiskCachingMode, kind: azureDataDiskKind },
    Container: { imagePullPolicy: pullPolicy, terminationMessagePolicy },
    ContainerPort: { protocol },
    ContainerStatus: { stopSignal: signal },
    EndpointPort: { protocol },
    EphemeralContainer: { imagePullPolicy: pullPolicy, terminationMessagePolicy },
    HTTPGetAction: { scheme: uriScheme },
    HostPathVolumeSource: { type: hostPathType },
    ImageVolumeSource: { pullPolicy },
    Lifecycle: { stopSignal: signal },
    ModifyVolumeStatus: { status: persistentVolumeClaimModifyVolumeStatus },
    NamespaceStatus: { phase: namespacePhase },
    NodeSelectorRequirement: { operator: nodeSelectorOperator },
    NodeStatus: { phase: nodePhase },
    PersistentVolumeClaimSpec: { accessModes: persistentVolumeAccessMode, volumeMode: persistentVolumeMode },
    PersistentVolumeClaimStatus: {
      accessModes: persistentVolumeAccessMode,
      allocatedResourceStatuses: claimResourceStatus,
      phase: persistentVolumeClaimPhase,
    },
    PersistentVolumeSpec: { accessModes: persistentVolumeAccessMode, persistentVolumeReclaimPolicy, volumeMode: persistentVolumeMode },
    PersistentVolumeStatus: { phase: persistentVolumePhase },
    PodSecurityContext: { fsGroupChangePolicy: podFSGroupChangePolicy, supplementalGroupsPolicy },
    PodSpec: { dnsPolicy, preemptionPolicy, restartPolicy },
    PodStatus: { phase: podPhase, qosClass: podQOSClass },
    PortStatus: { protocol },
    ResourceQuotaSpec: { scopes: resourceQuotaScope },
    ScopedResourceSelectorRequirement: { operator: scopeSelectorOperator, scopeName: resourceQuotaScope },
    SeccompProfile: { type: seccompProfileType },
    SecurityContext: { procMount: procMountType },
    ServicePort: { protocol },
    ServiceSpec: {
      externalTrafficPolicy: serviceExternalTrafficPolicy,
      internalTrafficPolicy: serviceInternalTrafficPolicy,
      ipFamilies: ipFamily,
      ipFamilyPolicy,
      sessionAffinity: serviceAffinity,
      type: serviceType,
    },
    Taint: { effect: taintEffect },
    Toleration: { effect: taintEffect, operator: tolerationOperator },
    TopologySpreadConstraint: {
      nodeAffinityPolicy: nodeInclusionPolicy,
      nodeTaintsPolicy: nodeInclusionPolicy,
      whenUnsatisfiable: unsatisfiableConstraintAction,
    },
    VolumeMount: { mountPropagation: mountPropagationMode },
  },
  "io.k8s.api.discovery.v1": {
    EndpointPort: { protocol },
    EndpointSlice: { addressType },
  },
  "io.k8s.api.networking.v1": {
    HTTPIngressPath: { pathType },
    IngressPortStatus: { protocol },
    NetworkPolicyPort: { protocol },
    NetworkPolicySpec: { policyTypes: policyType },
  },
  "io.k8s.api.policy.v1": {
    PodDisruptionBudgetSpec: { unhealthyPodEvictionPolicy: unhealthyPodEvictionPolicyType },
  },
  "io.k8s.api.resource.v1": { ...ofDevices, ExactDeviceRequest: { allocationMode: deviceAllocationMode } },
  "io.k8s.api.resource.v1alpha3": {
    DeviceTaint: { effect: deviceTaintEffect },
  },
  "io.k8s.api.resource.v1beta1": { ...ofDevices, DeviceRequest: { allocationMode: deviceAllocationMode } },
  "io.k8s.api.resource.v1beta2": { ...ofDevices, ExactDeviceRequest: { allocationMode: deviceAllocationMode } },
  "io.k8s.api.scheduling.v1": {
    PriorityClass: { preemptionPolicy },
  },
  "io.k8s.api.scheduling.v1alpha2": {
    PodGroupSpec: { disruptionMode },
    PodGroupTemplate: { disruptionMode },
  },
  "io.k8s.api.storage.v1": {
    StorageClass: { reclaimPolicy: persistentVolumeReclaimPolicy, volumeBindingMode },
  },
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1": {
    ValidationRule: { reason: fieldValueErrorReason },
  },
};

/** What a field may be; undefined when anything. */
export function enumOf(definition: string, field: string): Values | undefined {
  const dot = definition.lastIndexOf(".");
  return enums[definition.slice(0, dot)]?.[definition.slice(dot + 1)]?.[field];
}
