import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, type Infer, kind, listOf, opt, req, string, struct } from "#apimachinery/schema.ts";

export const SelfSubjectRulesReviewSpec = struct(
  "io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec",
  {
    namespace: opt(1, string),
  },
);
export interface SelfSubjectRulesReviewSpec extends Infer<typeof SelfSubjectRulesReviewSpec> {}

export const ResourceRule = struct("io.k8s.api.authorization.v1.ResourceRule", {
  verbs: req(1, listOf(string), { listType: "atomic" }),
  apiGroups: opt(2, listOf(string), { listType: "atomic" }),
  resources: opt(3, listOf(string), { listType: "atomic" }),
  resourceNames: opt(4, listOf(string), { listType: "atomic" }),
});
export interface ResourceRule extends Infer<typeof ResourceRule> {}

export const NonResourceRule = struct("io.k8s.api.authorization.v1.NonResourceRule", {
  verbs: req(1, listOf(string), { listType: "atomic" }),
  nonResourceURLs: opt(2, listOf(string), { listType: "atomic" }),
});
export interface NonResourceRule extends Infer<typeof NonResourceRule> {}

export const SubjectRulesReviewStatus = struct(
  "io.k8s.api.authorization.v1.SubjectRulesReviewStatus",
  {
    resourceRules: req(1, listOf(ResourceRule), { listType: "atomic" }),
    nonResourceRules: req(2, listOf(NonResourceRule), { listType: "atomic" }),
    incomplete: req(3, bool),
    evaluationError: opt(4, string),
  },
);
export interface SubjectRulesReviewStatus extends Infer<typeof SubjectRulesReviewStatus> {}

export const SelfSubjectRulesReview = kind("io.k8s.api.authorization.v1.SelfSubjectRulesReview", {
  metadata,
  spec: req(2, SelfSubjectRulesReviewSpec),
  status: opt(3, SubjectRulesReviewStatus),
});
export interface SelfSubjectRulesReview extends Infer<typeof SelfSubjectRulesReview> {}

export const selfSubjectRulesReviews = defineResource<SelfSubjectRulesReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectRulesReview",
  plural: "selfsubjectrulesreviews",
  scope: "Cluster",
  schema: SelfSubjectRulesReview,
  verbs: ["create"],
  handler: "selfsubjectrulesreviews",
});
