import { replicaSets } from "#api/apps/v1/replica-set.ts";
import { pods } from "#api/core/v1/pod.ts";
import { replicationControllers } from "#api/core/v1/replication-controller.ts";
import { labelSelectorOf, selectorFromLabels } from "#apimachinery/selectors.ts";
import { controllerRefOf } from "../framework/owners.ts";
import { replicaController } from "./replicas.ts";

/** Source: pkg/controller/replicaset. */
export const replicaSetController = replicaController({
  name: "replicaset-controller",
  component: "replicaset-controller",
  definition: replicaSets,
  selectorOf: ({ spec }) => labelSelectorOf(spec.selector),
  viewOf: ({ metadata, spec, status }) => ({
    replicas: spec.replicas ?? 1,
    minReadySeconds: spec.minReadySeconds ?? 0,
    template: spec.template,
    generation: metadata?.generation ?? 0,
    status: status ?? { replicas: 0 },
  }),
  withStatus: (object, status) => ({ ...object, status }),
  /** Those of all ReplicaSets of the same Deployment. */
  relatedPods(context, replicaSet) {
    const lister = context.lister(replicaSets);
    const siblings = lister.ownedBy(controllerRefOf(replicaSet)?.uid);
    const family = siblings.length > 0 ? siblings : [replicaSet];
    return family.flatMap(({ metadata }) => context.lister(pods).ownedBy(metadata?.uid));
  },
});

/** The same for ReplicationControllers. Source: pkg/controller/replication. */
export const replicationController = replicaController({
  name: "replicationcontroller-controller",
  account: "replication-controller",
  component: "replication-controller",
  definition: replicationControllers,
  selectorOf: ({ spec }) => selectorFromLabels(spec.selector),
  viewOf: ({ metadata, spec, status }) => ({
    replicas: spec.replicas ?? 1,
    minReadySeconds: spec.minReadySeconds ?? 0,
    template: spec.template,
    generation: metadata?.generation ?? 0,
    status: status ?? { replicas: 0 },
  }),
  withStatus: (object, { terminatingReplicas: _, ...status }) => ({ ...object, status }),
});
