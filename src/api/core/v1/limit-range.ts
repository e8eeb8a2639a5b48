import { defaultLimitRange, validateLimitRange } from "./limit-range-validation.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  kind,
  listOf,
  mapOf,
  named,
  opt,
  quantity,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const LimitRangeItem = struct("io.k8s.api.core.v1.LimitRangeItem", {
  type: req(1, named("v1.LimitType", string)),
  max: opt(2, named("v1.ResourceList", mapOf(quantity))),
  min: opt(3, named("v1.ResourceList", mapOf(quantity))),
  default: opt(4, named("v1.ResourceList", mapOf(quantity))),
  defaultRequest: opt(5, named("v1.ResourceList", mapOf(quantity))),
  maxLimitRequestRatio: opt(6, named("v1.ResourceList", mapOf(quantity))),
});
export interface LimitRangeItem extends Infer<typeof LimitRangeItem> {}

export const LimitRangeSpec = struct("io.k8s.api.core.v1.LimitRangeSpec", {
  limits: req(1, listOf(LimitRangeItem), { listType: "atomic" }),
});
export interface LimitRangeSpec extends Infer<typeof LimitRangeSpec> {}

export const LimitRange = kind("io.k8s.api.core.v1.LimitRange", {
  metadata,
  spec: req(2, LimitRangeSpec, { required: false }),
});
export interface LimitRange extends Infer<typeof LimitRange> {}

export const limitRanges = defineResource<LimitRange>({
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  shortNames: ["limits"],
  scope: "Namespaced",
  schema: LimitRange,
  strategy: {
    allowCreateOnUpdate: true,
    default: defaultLimitRange,
    validate: (range) => [...validateLimitRange(range)],
    validateUpdate: (range) => [...validateLimitRange(range)],
  },
});
