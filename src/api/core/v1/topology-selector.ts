import { type Infer, listOf, opt, req, string, struct } from "#apimachinery/schema.ts";

export const TopologySelectorLabelRequirement = struct(
  "io.k8s.api.core.v1.TopologySelectorLabelRequirement",
  {
    key: req(1, string),
    values: req(2, listOf(string), { listType: "atomic" }),
  },
);
export interface TopologySelectorLabelRequirement extends Infer<
  typeof TopologySelectorLabelRequirement
> {}

export const TopologySelectorTerm = struct(
  "io.k8s.api.core.v1.TopologySelectorTerm",
  {
    matchLabelExpressions: opt(1, listOf(TopologySelectorLabelRequirement), { listType: "atomic" }),
  },
  { atomic: true },
);
export interface TopologySelectorTerm extends Infer<typeof TopologySelectorTerm> {}
