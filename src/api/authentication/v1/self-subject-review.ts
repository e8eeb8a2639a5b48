import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, opt, struct } from "#apimachinery/schema.ts";
import { UserInfo } from "./user-info.ts";

export const SelfSubjectReviewStatus = struct(
  "io.k8s.api.authentication.v1.SelfSubjectReviewStatus",
  {
    userInfo: opt(1, UserInfo),
  },
);
export interface SelfSubjectReviewStatus extends Infer<typeof SelfSubjectReviewStatus> {}

export const SelfSubjectReview = kind("io.k8s.api.authentication.v1.SelfSubjectReview", {
  metadata,
  status: opt(2, SelfSubjectReviewStatus),
});
export interface SelfSubjectReview extends Infer<typeof SelfSubjectReview> {}

export const selfSubjectReviews = defineResource<SelfSubjectReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  scope: "Cluster",
  schema: SelfSubjectReview,
  verbs: ["create"],
  handler: "selfsubjectreviews",
});
