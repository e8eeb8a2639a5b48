import { Scale } from "#api/autoscaling/v1/scale.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  int64,
  kind,
  listOf,
  mapOf,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";
import { PodTemplateSpec } from "./pod-spec.ts";

export const ReplicationControllerSpec = struct("io.k8s.api.core.v1.ReplicationControllerSpec", {
  replicas: ptr(1, int32, { default: 1 }),
  minReadySeconds: opt(4, int32, { default: 0 }),
  selector: opt(2, mapOf(string), { mapType: "atomic" }),
  template: ptr(3, PodTemplateSpec),
});
export interface ReplicationControllerSpec extends Infer<typeof ReplicationControllerSpec> {}

export const ReplicationControllerCondition = struct(
  "io.k8s.api.core.v1.ReplicationControllerCondition",
  {
    type: req(1, string),
    status: req(2, string),
    lastTransitionTime: opt(3, time),
    reason: opt(4, string),
    message: opt(5, string),
  },
);
export interface ReplicationControllerCondition extends Infer<
  typeof ReplicationControllerCondition
> {}

export const ReplicationControllerStatus = struct(
  "io.k8s.api.core.v1.ReplicationControllerStatus",
  {
    replicas: req(1, int32),
    fullyLabeledReplicas: opt(2, int32),
    readyReplicas: opt(4, int32),
    availableReplicas: opt(5, int32),
    observedGeneration: opt(3, int64),
    conditions: opt(6, listOf(ReplicationControllerCondition), {
      listType: "map",
      mapKeys: ["type"],
      patch: "merge",
      mergeKey: "type",
    }),
  },
);
export interface ReplicationControllerStatus extends Infer<typeof ReplicationControllerStatus> {}

export const ReplicationController = kind("io.k8s.api.core.v1.ReplicationController", {
  metadata,
  spec: req(2, ReplicationControllerSpec, { required: false }),
  status: opt(3, ReplicationControllerStatus),
});
export interface ReplicationController extends Infer<typeof ReplicationController> {}

export const replicationControllers = defineResource<ReplicationController>({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  shortNames: ["rc"],
  categories: ["all"],
  scope: "Namespaced",
  schema: ReplicationController,
  storage: { prefix: "controllers" },
  subresources: {
    scale: {
      verbs: ["get", "patch", "update"],
      kind: { group: "autoscaling", version: "v1", kind: "Scale" },
      schema: Scale,
      scale: {
        specReplicas: ".spec.replicas",
        statusReplicas: ".status.replicas",
        selector: ".spec.selector",
      },
    },
    status: { verbs: ["get", "patch", "update"] },
  },
});
