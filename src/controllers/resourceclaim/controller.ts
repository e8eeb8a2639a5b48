import { type Pod, pods } from "#api/core/v1/pod.ts";
import { type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { resourceClaimTemplates } from "#api/resource/v1/resource-claim-template.ts";
import { keyOfObject, objectKey } from "#apimachinery/object.ts";
import type { Index } from "#client/indexer.ts";
import { type Controller, type ControllerSpec, indexOf, watchOf } from "../framework/controller.ts";
import { controllerRefOf } from "../framework/owners.ts";
import { runController } from "../framework/worker.ts";
import { reconcileClaim } from "./claim.ts";
import { reconcilePod } from "./pod.ts";

const name = "resourceclaim-controller";

/** Pods by `namespace/name` of the templates that they want claims from. */
const byTemplate: Index<Pod> = {
  name: "claim template",
  valuesOf: ({ metadata, spec }) =>
    (spec.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName: template }) =>
      template === undefined ? [] : [objectKey(metadata.namespace, template)],
    ),
};

/** Claims by uid of the Pods that they are for or reserved for. */
const byPod: Index<ResourceClaim> = {
  name: "pod",
  valuesOf: (claim) => {
    const owner = controllerRefOf(claim);
    return [...(owner ? [owner.uid] : []), ...(claim.status?.reservedFor ?? []).map(({ uid }) => uid)];
  },
};

const podSpec: ControllerSpec<Pod, undefined> = {
  name,
  for: pods,
  changed: (pod, old) => pod.metadata.uid !== old.metadata.uid,
  indexes: [indexOf(pods, byTemplate)],
  reads: [resourceClaims],
  watches: [
    watchOf(resourceClaimTemplates, {
      on: ["add"],
      keys: (template, context) => context.lister(pods).by(byTemplate, keyOfObject(template)).map(keyOfObject),
    }),
  ],
  reconcile: reconcilePod,
};

const claimSpec: ControllerSpec<ResourceClaim, undefined> = {
  name,
  for: resourceClaims,
  indexes: [indexOf(resourceClaims, byPod)],
  watches: [
    watchOf(pods, {
      on: ["update", "delete"],
      changed: (pod, old) =>
        pod.status?.phase !== old.status?.phase || pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp,
      keys: ({ metadata }, context) =>
        context
          .lister(resourceClaims)
          .by(byPod, metadata.uid ?? "")
          .map(keyOfObject),
    }),
  ],
  reconcile: reconcileClaim,
};

/** Source: pkg/controller/resourceclaim. */
export const resourceClaimController: Controller = {
  name,
  account: "resource-claim-controller",
  component: "resource_claim",
  start(environment) {
    runController(podSpec, environment);
    runController(claimSpec, environment);
  },
};
