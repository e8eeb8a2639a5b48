import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, req } from "#apimachinery/schema.ts";
import {
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from "./subject-access-review-spec.ts";

export const LocalSubjectAccessReview = kind(
  "io.k8s.api.authorization.v1.LocalSubjectAccessReview",
  {
    metadata,
    spec: req(2, SubjectAccessReviewSpec),
    status: opt(3, SubjectAccessReviewStatus),
  },
);
export interface LocalSubjectAccessReview extends Infer<typeof LocalSubjectAccessReview> {}

export const localSubjectAccessReviews = defineResource<LocalSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "LocalSubjectAccessReview",
  plural: "localsubjectaccessreviews",
  scope: "Namespaced",
  schema: LocalSubjectAccessReview,
  verbs: ["create"],
  handler: "localsubjectaccessreviews",
});
