import {
  validateContainerResourceName,
  validateResourceQuantity,
} from "#api/core/v1/resource-name.ts";
import { nodeLabelNotice } from "#api/core/v1/node-label-warnings.ts";
import { validateTolerations } from "#api/core/v1/pod-scheduling-validation.ts";
import { validateLabels } from "#apimachinery/validation/object-meta.ts";
import {
  type Findings,
  sortedEntries,
  validateDnsLabel,
  validateImmutable,
} from "#apimachinery/validation/checks.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { Toleration } from "#api/core/v1/pod-spec.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  kind,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  quantity,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const Overhead = struct("io.k8s.api.node.v1.Overhead", {
  podFixed: opt(1, named("v1.ResourceList", mapOf(quantity))),
});
export interface Overhead extends Infer<typeof Overhead> {}

export const Scheduling = struct("io.k8s.api.node.v1.Scheduling", {
  nodeSelector: opt(1, mapOf(string), { mapType: "atomic" }),
  tolerations: opt(2, listOf(Toleration), { listType: "atomic" }),
});
export interface Scheduling extends Infer<typeof Scheduling> {}

export const RuntimeClass = kind("io.k8s.api.node.v1.RuntimeClass", {
  metadata,
  handler: req(2, string),
  overhead: ptr(3, Overhead),
  scheduling: ptr(4, Scheduling),
});
export interface RuntimeClass extends Infer<typeof RuntimeClass> {}

export const runtimeClasses = defineResource<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  scope: "Cluster",
  schema: RuntimeClass,
  strategy: {
    warnings: selectorWarnings,
    validate: (runtime) => [...validateRuntimeClass(runtime)],
    validateUpdate: (runtime, { old }) => [
      ...validateRuntimeClass(runtime),
      ...validateImmutable(runtime.handler, old.handler, "handler"),
    ],
  },
  columns: [nameColumn, column("Handler", ({ handler }) => handler), ageColumn],
});

/** Labels of nodes that have a newer name. Source: pkg/api/node/util.go. */
function selectorWarnings({ scheduling }: RuntimeClass): string[] {
  return Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
    const notice = nodeLabelNotice(key);
    return notice === undefined ? [] : [`scheduling.nodeSelector: ${notice}`];
  });
}

/** Source: pkg/apis/node/validation/validation.go. */
function* validateRuntimeClass({ handler, overhead, scheduling }: RuntimeClass): Findings {
  yield* validateDnsLabel(handler, "handler");
  for (const [name, quantity] of sortedEntries(overhead?.podFixed)) {
    yield* validateContainerResourceName(name, `overhead.podFixed.${name}`);
    yield* validateResourceQuantity(name, quantity, `overhead.podFixed.${name}`);
  }
  if (scheduling === undefined) return;
  yield* validateLabels(scheduling.nodeSelector, "scheduling.nodeSelector");
  yield* validateTolerations(scheduling.tolerations ?? [], "scheduling.tolerations");
}
