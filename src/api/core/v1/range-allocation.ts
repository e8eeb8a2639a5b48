import { metadata } from "#apimachinery/meta/object-meta.ts";
import { bytes, type Infer, kind, req, string } from "#apimachinery/schema.ts";

export const RangeAllocation = kind("io.k8s.api.core.v1.RangeAllocation", {
  metadata,
  range: req(2, string),
  data: req(3, bytes),
});
export interface RangeAllocation extends Infer<typeof RangeAllocation> {}
