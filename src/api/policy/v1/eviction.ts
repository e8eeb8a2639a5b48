import { metadata } from "#apimachinery/meta/object-meta.ts";
import { DeleteOptions } from "#apimachinery/meta/options.ts";
import { type Infer, kind, ptr } from "#apimachinery/schema.ts";

export const Eviction = kind("io.k8s.api.policy.v1.Eviction", {
  metadata,
  deleteOptions: ptr(2, DeleteOptions),
});
export interface Eviction extends Infer<typeof Eviction> {}
