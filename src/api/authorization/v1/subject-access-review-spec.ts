import {
  FieldSelectorRequirement,
  LabelSelectorRequirement,
} from "#apimachinery/meta/label-selector.ts";
import {
  bool,
  type Infer,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
  wrappedListOf,
} from "#apimachinery/schema.ts";

export const FieldSelectorAttributes = struct(
  "io.k8s.api.authorization.v1.FieldSelectorAttributes",
  {
    rawSelector: opt(1, string),
    requirements: opt(2, listOf(FieldSelectorRequirement), { listType: "atomic" }),
  },
);
export interface FieldSelectorAttributes extends Infer<typeof FieldSelectorAttributes> {}

export const LabelSelectorAttributes = struct(
  "io.k8s.api.authorization.v1.LabelSelectorAttributes",
  {
    rawSelector: opt(1, string),
    requirements: opt(2, listOf(LabelSelectorRequirement), { listType: "atomic" }),
  },
);
export interface LabelSelectorAttributes extends Infer<typeof LabelSelectorAttributes> {}

export const ResourceAttributes = struct("io.k8s.api.authorization.v1.ResourceAttributes", {
  namespace: opt(1, string),
  verb: opt(2, string),
  group: opt(3, string),
  version: opt(4, string),
  resource: opt(5, string),
  subresource: opt(6, string),
  name: opt(7, string),
  fieldSelector: ptr(8, FieldSelectorAttributes),
  labelSelector: ptr(9, LabelSelectorAttributes),
});
export interface ResourceAttributes extends Infer<typeof ResourceAttributes> {}

export const NonResourceAttributes = struct("io.k8s.api.authorization.v1.NonResourceAttributes", {
  path: opt(1, string),
  verb: opt(2, string),
});
export interface NonResourceAttributes extends Infer<typeof NonResourceAttributes> {}

export const SubjectAccessReviewSpec = struct(
  "io.k8s.api.authorization.v1.SubjectAccessReviewSpec",
  {
    resourceAttributes: ptr(1, ResourceAttributes),
    nonResourceAttributes: ptr(2, NonResourceAttributes),
    user: opt(3, string),
    groups: opt(4, listOf(string), { listType: "atomic" }),
    extra: opt(5, mapOf(named("v1.ExtraValue", wrappedListOf(string)))),
    uid: opt(6, string),
  },
);
export interface SubjectAccessReviewSpec extends Infer<typeof SubjectAccessReviewSpec> {}

export const SubjectAccessReviewStatus = struct(
  "io.k8s.api.authorization.v1.SubjectAccessReviewStatus",
  {
    allowed: req(1, bool),
    denied: opt(4, bool),
    reason: opt(2, string),
    evaluationError: opt(3, string),
  },
);
export interface SubjectAccessReviewStatus extends Infer<typeof SubjectAccessReviewStatus> {}
