import { RuleWithOperations } from "#api/admissionregistration/v1/rule.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { type Infer, listOf, named, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const ParamKind = struct(
  "io.k8s.api.admissionregistration.v1alpha1.ParamKind",
  {
    apiVersion: opt(1, string),
    kind: opt(2, string),
  },
  { atomic: true },
);
export interface ParamKind extends Infer<typeof ParamKind> {}

export const Variable = struct("io.k8s.api.admissionregistration.v1alpha1.Variable", {
  name: req(1, string),
  expression: req(2, string),
});
export interface Variable extends Infer<typeof Variable> {}

export const ParamRef = struct(
  "io.k8s.api.admissionregistration.v1alpha1.ParamRef",
  {
    name: opt(1, string),
    namespace: opt(2, string),
    selector: ptr(3, LabelSelector),
    parameterNotFoundAction: ptr(4, named("v1alpha1.ParameterNotFoundActionType", string)),
  },
  { atomic: true },
);
export interface ParamRef extends Infer<typeof ParamRef> {}

export const NamedRuleWithOperations = struct(
  "io.k8s.api.admissionregistration.v1alpha1.NamedRuleWithOperations",
  {
    resourceNames: opt(1, listOf(string), { listType: "atomic" }),
    ruleWithOperations: req(2, RuleWithOperations, { inline: true }),
  },
  { atomic: true },
);
export interface NamedRuleWithOperations extends Infer<typeof NamedRuleWithOperations> {}

export const MatchResources = struct(
  "io.k8s.api.admissionregistration.v1alpha1.MatchResources",
  {
    namespaceSelector: ptr(1, LabelSelector),
    objectSelector: ptr(2, LabelSelector),
    resourceRules: opt(3, listOf(NamedRuleWithOperations), { listType: "atomic" }),
    excludeResourceRules: opt(4, listOf(NamedRuleWithOperations), { listType: "atomic" }),
    matchPolicy: ptr(7, named("v1alpha1.MatchPolicyType", string)),
  },
  { atomic: true },
);
export interface MatchResources extends Infer<typeof MatchResources> {}

export const MatchCondition = struct("io.k8s.api.admissionregistration.v1alpha1.MatchCondition", {
  name: req(1, string),
  expression: req(2, string),
});
export interface MatchCondition extends Infer<typeof MatchCondition> {}
