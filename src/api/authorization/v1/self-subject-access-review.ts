import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, ptr, req, struct } from "#apimachinery/schema.ts";
import {
  NonResourceAttributes,
  ResourceAttributes,
  SubjectAccessReviewStatus,
} from "./subject-access-review-spec.ts";

export const SelfSubjectAccessReviewSpec = struct(
  "io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec",
  {
    resourceAttributes: ptr(1, ResourceAttributes),
    nonResourceAttributes: ptr(2, NonResourceAttributes),
  },
);
export interface SelfSubjectAccessReviewSpec extends Infer<typeof SelfSubjectAccessReviewSpec> {}

export const SelfSubjectAccessReview = kind("io.k8s.api.authorization.v1.SelfSubjectAccessReview", {
  metadata,
  spec: req(2, SelfSubjectAccessReviewSpec),
  status: opt(3, SubjectAccessReviewStatus),
});
export interface SelfSubjectAccessReview extends Infer<typeof SelfSubjectAccessReview> {}

export const selfSubjectAccessReviews = defineResource<SelfSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  scope: "Cluster",
  schema: SelfSubjectAccessReview,
  verbs: ["create"],
  handler: "selfsubjectaccessreviews",
});
