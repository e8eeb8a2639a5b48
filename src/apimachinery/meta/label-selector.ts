import { type Infer, listOf, mapOf, named, opt, req, string, struct } from "../schema.ts";

export const LabelSelectorRequirement = struct(
  "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement",
  {
    key: req(1, string),
    operator: req(2, named("v1.LabelSelectorOperator", string)),
    values: opt(3, listOf(string), { listType: "atomic" }),
  },
);
export interface LabelSelectorRequirement extends Infer<typeof LabelSelectorRequirement> {}

export const LabelSelector = struct(
  "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
  {
    matchLabels: opt(1, mapOf(string)),
    matchExpressions: opt(2, listOf(LabelSelectorRequirement), { listType: "atomic" }),
  },
  { atomic: true },
);
export interface LabelSelector extends Infer<typeof LabelSelector> {}

export const FieldSelectorRequirement = struct(
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement",
  {
    key: req(1, string),
    operator: req(2, named("v1.FieldSelectorOperator", string)),
    values: opt(3, listOf(string), { listType: "atomic" }),
  },
);
export interface FieldSelectorRequirement extends Infer<typeof FieldSelectorRequirement> {}
