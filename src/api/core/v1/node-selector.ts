import { type Infer, listOf, named, opt, req, string, struct } from "#apimachinery/schema.ts";

export const NodeSelectorRequirement = struct("io.k8s.api.core.v1.NodeSelectorRequirement", {
  key: req(1, string),
  operator: req(2, named("v1.NodeSelectorOperator", string)),
  values: opt(3, listOf(string), { listType: "atomic" }),
});
export interface NodeSelectorRequirement extends Infer<typeof NodeSelectorRequirement> {}

export const NodeSelectorTerm = struct(
  "io.k8s.api.core.v1.NodeSelectorTerm",
  {
    matchExpressions: opt(1, listOf(NodeSelectorRequirement), { listType: "atomic" }),
    matchFields: opt(2, listOf(NodeSelectorRequirement), { listType: "atomic" }),
  },
  { atomic: true },
);
export interface NodeSelectorTerm extends Infer<typeof NodeSelectorTerm> {}

export const NodeSelector = struct(
  "io.k8s.api.core.v1.NodeSelector",
  {
    nodeSelectorTerms: req(1, listOf(NodeSelectorTerm), { listType: "atomic" }),
  },
  { atomic: true },
);
export interface NodeSelector extends Infer<typeof NodeSelector> {}
