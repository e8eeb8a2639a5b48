import { deploymentController } from "./deployment/controller.ts";
import { endpointsController } from "./endpoints/controller.ts";
import { endpointSliceController } from "./endpointslice/controller.ts";
import { endpointSliceMirroringController } from "./endpointslice-mirroring/controller.ts";
import type { Controller } from "./framework/controller.ts";
import { garbageCollector } from "./garbage-collector/controller.ts";
import { namespaceController } from "./namespace/controller.ts";
import { replicaSetController, replicationController } from "./replicaset/controller.ts";
import { rootCaPublisher } from "./root-ca-publisher/controller.ts";
import { serviceAccountController } from "./serviceaccount/controller.ts";
import { serviceAccountTokenController } from "./serviceaccount-token/controller.ts";

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
  endpointSliceController,
  endpointsController,
  endpointSliceMirroringController,
];
