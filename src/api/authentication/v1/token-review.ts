import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, type Infer, kind, listOf, opt, req, string, struct } from "#apimachinery/schema.ts";
import { UserInfo } from "./user-info.ts";

export const TokenReviewSpec = struct("io.k8s.api.authentication.v1.TokenReviewSpec", {
  token: opt(1, string, { required: true }),
  audiences: opt(2, listOf(string), { listType: "atomic" }),
});
export interface TokenReviewSpec extends Infer<typeof TokenReviewSpec> {}

export const TokenReviewStatus = struct("io.k8s.api.authentication.v1.TokenReviewStatus", {
  authenticated: opt(1, bool),
  user: opt(2, UserInfo),
  audiences: opt(4, listOf(string), { listType: "atomic" }),
  error: opt(3, string),
});
export interface TokenReviewStatus extends Infer<typeof TokenReviewStatus> {}

export const TokenReview = kind("io.k8s.api.authentication.v1.TokenReview", {
  metadata,
  spec: req(2, TokenReviewSpec),
  status: opt(3, TokenReviewStatus),
});
export interface TokenReview extends Infer<typeof TokenReview> {}

export const tokenReviews = defineResource<TokenReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  plural: "tokenreviews",
  scope: "Cluster",
  schema: TokenReview,
  verbs: ["create"],
  handler: "tokenreviews",
});
