import type { Docs } from "./docs.ts";

/** Types of `k8s.io/api/certificates` that version 1 does not have. */
export const certificatesPreviewDocs: Docs = {
  ClusterTrustBundle: { "": "Certificates that the whole cluster trusts, for whatever a signer signs or for some other use." },
  ClusterTrustBundleSpec: {
    "": "Whom to trust.",
    signerName: "Signer that the certificates belong to. Empty when they belong to none.",
    trustBundle: "The certificates as PEM, without anything else. Their order says nothing.",
  },
  PodCertificateRequest: { "": "Asks a signer for a certificate for a Pod. The kubelet of its node writes it." },
  PodCertificateRequestSpec: {
    "": "What is asked for. It cannot be changed.",
    signerName: "Who is to sign.",
    podName: "Pod that gets the certificate.",
    podUID: "UID of that Pod.",
    serviceAccountName: "Service account that the Pod runs as.",
    serviceAccountUID: "UID of that service account.",
    nodeName: "Node that the Pod runs on.",
    nodeUID: "UID of that node.",
    maxExpirationSeconds: "Most seconds that the certificate may be valid. The signer may make it fewer, though not less than an hour.",
    pkixPublicKey: "Public key that is to be certified, as PKIX has it.",
    proofOfPossession: "Signature that shows that the kubelet holds the private key.",
    stubPKCS10Request: "Signing request in DER that the kubelet made with the private key; signers use its key and signature alone.",
    unverifiedUserAnnotations: "What the Pod's author tells the signer beside. Nobody has checked it.",
  },
  PodCertificateRequestStatus: {
    "": "What became of a request.",
    conditions: "Issued, Denied or Failed: at most one of them, and none can be taken away.",
    certificateChain: "The certificate as PEM, with those that lead to the signer's root.",
    notBefore: "When the certificate becomes valid.",
    beginRefreshAt: "When the kubelet should begin to ask for the next one.",
    notAfter: "When the certificate ends.",
  },
};

/** Types of `k8s.io/api/coordination` that version 1 does not have. */
export const coordinationPreviewDocs: Docs = {
  LeaseCandidate: { "": "Somebody who could hold a Lease. The server chooses the leader among the candidates." },
  LeaseCandidateSpec: {
    "": "Who stands for which Lease.",
    leaseName: "Name of the Lease. It cannot be changed.",
    pingTime: "When the server last asked the candidate to show that it is alive.",
    renewTime: "When the candidate last answered. Old ones are removed.",
    binaryVersion: "Version of the candidate's program, without a leading v.",
    emulationVersion: "Version that the candidate behaves as, without a leading v; not above binaryVersion.",
    strategy: "How the leader is to be chosen, such as OldestEmulationVersion. The newest candidate's word counts.",
  },
};

/** Types and fields of `k8s.io/api/resource` that version 1 does not have, beside its docs of the same devices. */
export function resourcePreviewDocs(stable: Docs): Docs {
  const { "": _device, name: _name, ...device } = stable["Device"] ?? {};
  const { "": _request, ...request } = stable["ExactDeviceRequest"] ?? {};
  return {
    Device: { ...stable["Device"], basic: "What it is and has." },
    BasicDevice: { "": "What a device is and has.", ...device },
    DeviceRequest: { ...request, ...stable["DeviceRequest"] },
    DeviceTaintRule: { "": "Taints every device that it selects, as if the driver had done so." },
    DeviceTaintRuleSpec: {
      "": "Which devices get which taint.",
      deviceSelector: "The devices. Empty selects all, absent none.",
      taint: "The taint.",
    },
    DeviceTaintRuleStatus: { "": "How far the eviction of Pods is." },
    DeviceTaintSelector: {
      "": "Selects devices. What is given must hold.",
      driver: "Driver of the devices.",
      pool: "Pool of the devices.",
      device: "Name of the device.",
    },
    ResourcePoolStatusRequest: { "": "Asks once how much of some pools is in use." },
    ResourcePoolStatusRequestSpec: {
      "": "Which pools are meant.",
      driver: "Driver of the pools.",
      poolName: "Name of the pool. Absent means every pool of the driver.",
      limit: "Most pools in the answer.",
    },
    ResourcePoolStatusRequestStatus: {
      "": "The answer. Once it is there the request is done.",
      poolCount: "How many pools were meant, with those that the limit cut off.",
      pools: "The first of them, by driver and name.",
    },
    PoolStatus: {
      "": "How much of a pool is in use.",
      driver: "Driver of the pool.",
      poolName: "Name of the pool.",
      nodeName: "Node that the pool belongs to, if to one.",
      generation: "Generation of the pool that was counted.",
      resourceSliceCount: "How many ResourceSlices make up the pool.",
      totalDevices: "How many devices the pool has.",
      allocatedDevices: "How many of them claims were given.",
      availableDevices: "How many of them can be given.",
      unavailableDevices: "How many of them are in nobody's use and cannot be given, because of a taint for instance.",
      validationError: "Why the pool could not be counted; the numbers may be missing then.",
    },
  };
}

const groupFields = {
  resourceClaims: "Claims whose devices the Pods of the group may share.",
  schedulingConstraints: "Where the Pods may run with respect to each other.",
  schedulingPolicy: "How the Pods are scheduled.",
  disruptionMode: "Pod when each Pod may be disrupted by itself, PodGroup when all are or none.",
  priorityClassName: "Class that the priority is of.",
  priority: "The priority: the higher the more important.",
};

/** Types of `k8s.io/api/scheduling` that version 1 does not have. */
export const schedulingPreviewDocs: Docs = {
  Workload: { "": "Pods that belong together, as the scheduler should know them." },
  WorkloadSpec: {
    "": "Groups of Pods.",
    controllerRef: "The object that the Pods are of, such as a Job. For tools alone.",
    podGroupTemplates: "The groups. They cannot be changed.",
  },
  TypedLocalObjectReference: {
    "": "An object of the same namespace.",
    apiGroup: "Its group. Empty is the core group.",
    kind: "Its kind.",
    name: "Its name.",
  },
  PodGroupTemplate: { "": "What a group of Pods is to be like.", name: "Name within the Workload. It cannot be changed.", ...groupFields },
  PodGroup: { "": "A group of Pods that exist, made of a template of a Workload." },
  PodGroupSpec: { "": "How the Pods of a group are treated.", podGroupTemplateRef: "Template that the group was made of.", ...groupFields },
  PodGroupStatus: { "": "How a group of Pods is.", resourceClaimStatuses: "Claims that were made for the group." },
  PodGroupTemplateReference: { "": "A template of a group.", workload: "Where it is: in a Workload." },
  WorkloadPodGroupTemplateReference: {
    "": "A template within a Workload.",
    workloadName: "Name of the Workload.",
    podGroupTemplateName: "Name of the template.",
  },
  PodGroupSchedulingPolicy: {
    "": "How the Pods of a group are scheduled: one of these.",
    basic: "Each by itself.",
    gang: "All at once, or none.",
  },
  BasicSchedulingPolicy: { "": "Pods are scheduled each by itself." },
  GangSchedulingPolicy: { "": "Pods are scheduled all at once, or none.", minCount: "Fewest Pods that must find a place together." },
  PodGroupSchedulingConstraints: { "": "Where Pods of a group may run.", topology: "In one domain of each of these." },
  TopologyConstraint: { "": "Pods run in one domain.", key: "Label of nodes that tells domains apart." },
  PodGroupResourceClaim: {
    "": "A claim of a group, named or made of a template.",
    name: "Name within the group.",
    resourceClaimName: "The claim.",
    resourceClaimTemplateName: "Template that the claim is made of.",
  },
  PodGroupResourceClaimStatus: {
    "": "A claim that was made of a template.",
    name: "Name within the group.",
    resourceClaimName: "The claim. Absent when none was needed.",
  },
};

/** `k8s.io/api/apiserverinternal/v1alpha1`. */
export const apiserverinternalDocs: Docs = {
  StorageVersion: { "": "In which versions the API servers store a resource.", spec: "Empty." },
  StorageVersionSpec: { "": "Empty." },
  StorageVersionStatus: {
    "": "What each API server said.",
    storageVersions: "One for each API server.",
    commonEncodingVersion: "The version that all of them store in. Absent when they differ.",
  },
  ServerStorageVersion: {
    "": "What an API server said.",
    apiServerID: "ID of the server.",
    encodingVersion: "The version that it stores in.",
    decodableVersions: "Versions that it can read.",
    servedVersions: "Versions that it serves.",
  },
  StorageVersionCondition: {},
};

/** `k8s.io/api/storagemigration/v1beta1`. */
export const storagemigrationDocs: Docs = {
  StorageVersionMigration: { "": "Has every object of a resource stored anew, in the present version." },
  StorageVersionMigrationSpec: { "": "What is stored anew.", resource: "The resource. It cannot be changed." },
  StorageVersionMigrationStatus: {
    "": "How far it is.",
    resourceVersion: "Objects older than this are stored anew.",
  },
};
