import { systemPriorities, validatePriorityClass, validatePriorityClassUpdate } from "./priority-class-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, type Infer, int32, kind, named, opt, ptr, req, string } from "#apimachinery/schema.ts";

export const PriorityClass = kind("io.k8s.api.scheduling.v1.PriorityClass", {
  metadata,
  value: req(2, int32, { required: false }),
  globalDefault: opt(3, bool),
  description: opt(4, string),
  preemptionPolicy: ptr(5, named("v1.PreemptionPolicy", string)),
});
export interface PriorityClass extends Infer<typeof PriorityClass> {}

export const priorityClasses = defineResource<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  scope: "Cluster",
  schema: PriorityClass,
  strategy: {
    refuseDelete: ({ metadata: meta }) =>
      systemPriorities.has(meta.name ?? "") ? "this is a system priority class and cannot be deleted" : undefined,
    default(priority) {
      priority.preemptionPolicy ??= "PreemptLowerPriority";
    },
    prepareForCreate: ({ metadata: meta }) => void (meta.generation = 1),
    validate: (priority) => [...validatePriorityClass(priority)],
    validateUpdate: (priority, { old }) => [...validatePriorityClassUpdate(priority, old)],
  },
  columns: [
    nameColumn,
    column("Value", ({ value }) => value, { type: "integer", description: "Higher goes first." }),
    column("Global-Default", ({ globalDefault }) => globalDefault === true, {
      type: "boolean",
      description: "Whether Pods without a class get it.",
    }),
    ageColumn,
    column("PreemptionPolicy", ({ preemptionPolicy }) => preemptionPolicy ?? "<unset>", {
      description: "Whether Pods of the class may displace others.",
    }),
  ],
});
