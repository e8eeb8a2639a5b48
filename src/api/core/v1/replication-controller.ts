import { type Findings, validateNonNegative } from "#apimachinery/validation/checks.ts";
import { selectorFromLabels } from "#apimachinery/selectors.ts";
import { required } from "#apimachinery/field-error.ts";
import { validateReplicaCounts } from "#api/apps/v1/replica-set-validation.ts";
import { statusSubresource } from "#api/strategies.ts";
import { podNameWarnings, templatePath, validateWorkloadTemplate } from "./workload.ts";
import { countColumn } from "./workload-columns.ts";
import { podTemplateWarnings } from "./pod-warnings.ts";
import { type PodRules, templateRules } from "./pod-rules.ts";
import { dropDisabledPodFields } from "./pod-strategy.ts";
import { defaultPodSpec } from "./pod-defaults.ts";
import {
  ageColumn,
  column,
  containersText,
  imagesText,
  labelsText,
  nameColumn,
} from "#apimachinery/columns.ts";
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
  named,
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
    type: req(1, named("v1.ReplicationControllerConditionType", string)),
    status: req(2, named("v1.ConditionStatus", string)),
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
  strategy: {
    generation: true,
    defaultGarbageCollection: "Orphan",
    default({ metadata: meta, spec }) {
      const labels = spec.template?.metadata.labels ?? {};
      if (spec.template !== undefined) defaultPodSpec(spec.template.spec);
      if (Object.keys(labels).length === 0) return;
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = labels;
      if (Object.keys(meta.labels ?? {}).length === 0) meta.labels = labels;
    },
    prepareForCreate(controller, { features }) {
      controller.status = { replicas: 0 };
      const { template } = controller.spec;
      if (template !== undefined) dropDisabledPodFields(template.spec, undefined, features);
    },
    prepareForUpdate(controller, { old, features }) {
      controller.status = old.status;
      const { template } = controller.spec;
      if (template !== undefined) {
        dropDisabledPodFields(template.spec, old.spec.template?.spec, features);
      }
    },
    validate: (controller, context) => [
      ...validateReplicationController(controller, templateRules(context)),
    ],
    validateUpdate: (controller, context) => [
      ...validateReplicationController(
        controller,
        templateRules(context, context.old.spec.template),
      ),
    ],
    warnings({ metadata: meta, spec }, { old }) {
      const changed = old === undefined || meta.generation !== old.metadata.generation;
      return [
        ...(old === undefined ? podNameWarnings(meta.name) : []),
        ...(changed && spec.template !== undefined
          ? podTemplateWarnings(spec.template, templatePath)
          : []),
      ];
    },
  },
  fieldSelectors: { "status.replicas": ({ status }) => `${status?.replicas ?? 0}` },
  columns: [
    nameColumn,
    countColumn("Desired", ({ spec }) => spec.replicas, "Pods wanted."),
    countColumn("Current", ({ status }) => status?.replicas, "Pods that exist."),
    countColumn("Ready", ({ status }) => status?.readyReplicas, "Pods that are ready."),
    ageColumn,
    column("Containers", ({ spec }) => containersText(spec.template?.spec.containers ?? []), {
      description: "Names of the containers.",
      wide: true,
    }),
    column("Images", ({ spec }) => imagesText(spec.template?.spec.containers ?? []), {
      description: "Images of the containers.",
      wide: true,
    }),
    column("Selector", ({ spec }) => labelsText(spec.selector), { description: "Labels of the Pods that belong to it.", wide: true }),
  ],
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
    status: statusSubresource({ validate: ({ status }) => [...validateReplicaCounts(status)] }),
  },
});

/** Source: ValidateReplicationControllerSpec in pkg/apis/core/validation. */
function* validateReplicationController(
  { spec }: ReplicationController,
  rules: PodRules,
): Findings {
  const { selector = {}, template } = spec;
  yield* validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds");
  const hasSelector = Object.keys(selector).length > 0;
  if (!hasSelector) yield required("spec.selector", "");
  yield* validateNonNegative(spec.replicas, "spec.replicas");
  if (template === undefined) {
    yield required(templatePath, "");
    return;
  }
  const compiled = selectorFromLabels(selector);
  yield* validateWorkloadTemplate(template, {
    selector: compiled,
    rules,
    owner: "ReplicationController",
  });
}
