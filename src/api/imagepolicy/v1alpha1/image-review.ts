import { metadata } from "#apimachinery/meta/object-meta.ts";
import {
  bool,
  type Infer,
  kind,
  listOf,
  mapOf,
  opt,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const ImageReviewContainerSpec = struct(
  "io.k8s.api.imagepolicy.v1alpha1.ImageReviewContainerSpec",
  {
    image: opt(1, string),
  },
);
export interface ImageReviewContainerSpec extends Infer<typeof ImageReviewContainerSpec> {}

export const ImageReviewSpec = struct("io.k8s.api.imagepolicy.v1alpha1.ImageReviewSpec", {
  containers: opt(1, listOf(ImageReviewContainerSpec), { listType: "atomic" }),
  annotations: opt(2, mapOf(string)),
  namespace: opt(3, string),
});
export interface ImageReviewSpec extends Infer<typeof ImageReviewSpec> {}

export const ImageReviewStatus = struct("io.k8s.api.imagepolicy.v1alpha1.ImageReviewStatus", {
  allowed: req(1, bool, { required: false }),
  reason: opt(2, string),
  auditAnnotations: opt(3, mapOf(string)),
});
export interface ImageReviewStatus extends Infer<typeof ImageReviewStatus> {}

export const ImageReview = kind("io.k8s.api.imagepolicy.v1alpha1.ImageReview", {
  metadata,
  spec: req(2, ImageReviewSpec, { required: false }),
  status: opt(3, ImageReviewStatus),
});
export interface ImageReview extends Infer<typeof ImageReview> {}
