import { attachDetachController } from "./attachdetach/controller.ts";
import { bootstrapSigner } from "./bootstrap-tokens/signer.ts";
import { tokenCleaner } from "./bootstrap-tokens/cleaner.ts";
import { certificateApprovingController } from "./certificates/approver.ts";
import { certificateCleaner } from "./certificates/cleaner.ts";
import { podCertificateRequestCleaner } from "./certificates/pod-request-cleaner.ts";
import { certificateSigningController } from "./certificates/signer.ts";
import { clusterRoleAggregationController } from "./clusterrole-aggregation/controller.ts";
import { cronJobController } from "./cronjob/controller.ts";
import { daemonSetController } from "./daemonset/controller.ts";
import { deploymentController } from "./deployment/controller.ts";
import { disruptionController } from "./disruption/controller.ts";
import { endpointsController } from "./endpoints/controller.ts";
import { endpointSliceController } from "./endpointslice/controller.ts";
import { endpointSliceMirroringController } from "./endpointslice-mirroring/controller.ts";
import type { Controller } from "./framework/controller.ts";
import { ephemeralVolumeController } from "./ephemeral-volume/controller.ts";
import { garbageCollector } from "./garbage-collector/controller.ts";
import { horizontalPodAutoscalerController } from "./horizontal-pod-autoscaler/controller.ts";
import { jobController } from "./job/controller.ts";
import { legacyTokenCleaner } from "./legacy-serviceaccount-token-cleaner/controller.ts";
import { namespaceController } from "./namespace/controller.ts";
import { nodeIpamController } from "./node-ipam/controller.ts";
import { nodeLifecycleController } from "./node-lifecycle/controller.ts";
import { persistentVolumeBinder } from "./persistentvolume-binder/controller.ts";
import { persistentVolumeExpander } from "./persistentvolume-expander/controller.ts";
import { podGarbageCollector } from "./pod-gc/controller.ts";
import { pvProtectionController } from "./pv-protection/controller.ts";
import { pvcProtectionController } from "./pvc-protection/controller.ts";
import { replicaSetController, replicationController } from "./replicaset/controller.ts";
import { resourceClaimController } from "./resourceclaim/controller.ts";
import { resourceQuotaController } from "./resourcequota/controller.ts";
import { rootCaPublisher } from "./root-ca-publisher/controller.ts";
import { serviceCidrController } from "./service-cidr/controller.ts";
import { serviceAccountController } from "./serviceaccount/controller.ts";
import { serviceAccountTokenController } from "./serviceaccount-token/controller.ts";
import { statefulSetController } from "./statefulset/controller.ts";
import { taintEvictionController } from "./taint-eviction/controller.ts";
import { ttlController } from "./ttl/controller.ts";
import { ttlAfterFinishedController } from "./ttl-after-finished/controller.ts";
import { validatingAdmissionPolicyStatusController } from "./validating-admission-policy-status/controller.ts";
import { volumeAttributesClassProtectionController } from "./volumeattributesclass-protection/controller.ts";

/** Every controller; they start in this order, and run side by side. */
export const controllers: readonly Controller[] = [
  // First, because Pods wait for the account and its token.
  serviceAccountTokenController,
  serviceAccountController,
  rootCaPublisher,
  namespaceController,
  garbageCollector,
  replicaSetController,
  replicationController,
  deploymentController,
  daemonSetController,
  statefulSetController,
  endpointSliceController,
  endpointsController,
  endpointSliceMirroringController,
  jobController,
  cronJobController,
  ttlAfterFinishedController,
  disruptionController,
  horizontalPodAutoscalerController,
  resourceQuotaController,
  resourceClaimController,
  podGarbageCollector,
  // Before the lifecycle: a node without a range is not ready.
  nodeIpamController,
  serviceCidrController,
  nodeLifecycleController,
  taintEvictionController,
  persistentVolumeBinder,
  persistentVolumeExpander,
  attachDetachController,
  ephemeralVolumeController,
  pvcProtectionController,
  pvProtectionController,
  volumeAttributesClassProtectionController,
  clusterRoleAggregationController,
  ttlController,
  certificateApprovingController,
  certificateSigningController,
  certificateCleaner,
  podCertificateRequestCleaner,
  legacyTokenCleaner,
  bootstrapSigner,
  tokenCleaner,
  validatingAdmissionPolicyStatusController,
];
