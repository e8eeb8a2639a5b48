import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, req } from "#apimachinery/schema.ts";
import {
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from "./subject-access-review-spec.ts";

export const SubjectAccessReview = kind("io.k8s.api.authorization.v1.SubjectAccessReview", {
  metadata,
  spec: req(2, SubjectAccessReviewSpec),
  status: opt(3, SubjectAccessReviewStatus),
});
export interface SubjectAccessReview extends Infer<typeof SubjectAccessReview> {}

export const subjectAccessReviews = defineResource<SubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  scope: "Cluster",
  schema: SubjectAccessReview,
  verbs: ["create"],
  handler: "subjectaccessreviews",
});
