import { keepStatus, statusSubresource } from "#api/strategies.ts";
import { validateBudget, validateBudgetStatus } from "./pod-disruption-budget-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { Condition } from "#apimachinery/meta/condition.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  int64,
  intOrString,
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

export const PodDisruptionBudgetSpec = struct("io.k8s.api.policy.v1.PodDisruptionBudgetSpec", {
  minAvailable: ptr(1, intOrString),
  selector: ptr(2, LabelSelector, { patch: "replace" }),
  maxUnavailable: ptr(3, intOrString),
  unhealthyPodEvictionPolicy: ptr(4, named("v1.UnhealthyPodEvictionPolicyType", string)),
});
export interface PodDisruptionBudgetSpec extends Infer<typeof PodDisruptionBudgetSpec> {}

export const PodDisruptionBudgetStatus = struct("io.k8s.api.policy.v1.PodDisruptionBudgetStatus", {
  observedGeneration: opt(1, int64),
  disruptedPods: opt(2, mapOf(time)),
  disruptionsAllowed: req(3, int32, { required: false }),
  currentHealthy: req(4, int32, { required: false }),
  desiredHealthy: req(5, int32, { required: false }),
  expectedPods: req(6, int32, { required: false }),
  conditions: opt(7, listOf(Condition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface PodDisruptionBudgetStatus extends Infer<typeof PodDisruptionBudgetStatus> {}

export const PodDisruptionBudget = kind("io.k8s.api.policy.v1.PodDisruptionBudget", {
  metadata,
  spec: req(2, PodDisruptionBudgetSpec, { required: false }),
  status: opt(3, PodDisruptionBudgetStatus),
});
export interface PodDisruptionBudget extends Infer<typeof PodDisruptionBudget> {}

export const podDisruptionBudgets = defineResource<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  shortNames: ["pdb"],
  scope: "Namespaced",
  schema: PodDisruptionBudget,
  strategy: {
    nameRule: "path",
    generation: true,
    allowUnconditionalUpdate: false,
    prepareForCreate(budget) {
      budget.status = {
        disruptionsAllowed: 0,
        currentHealthy: 0,
        desiredHealthy: 0,
        expectedPods: 0,
      };
    },
    prepareForUpdate: keepStatus,
    validate: (budget) => [...validateBudget(budget)],
    validateUpdate: (budget) => [...validateBudget(budget)],
  },
  columns: [
    nameColumn,
    column("Min Available", ({ spec }) => `${spec.minAvailable ?? "N/A"}`, {
      description: "Pods that must stay.",
    }),
    column("Max Unavailable", ({ spec }) => `${spec.maxUnavailable ?? "N/A"}`, {
      description: "Pods that may be missing.",
    }),
    column("Allowed Disruptions", ({ status }) => status?.disruptionsAllowed ?? 0, {
      type: "integer",
      description: "Pods that may be evicted now.",
    }),
    ageColumn,
  ],
  subresources: {
    status: statusSubresource({ validate: (budget) => [...validateBudgetStatus(budget)] }),
  },
});
