import { metadata } from "#apimachinery/meta/object-meta.ts";
import { type Infer, int32, kind, opt, req, string, struct } from "#apimachinery/schema.ts";

export const ScaleSpec = struct("io.k8s.api.autoscaling.v1.ScaleSpec", {
  replicas: opt(1, int32, { default: 0 }),
});
export interface ScaleSpec extends Infer<typeof ScaleSpec> {}

export const ScaleStatus = struct("io.k8s.api.autoscaling.v1.ScaleStatus", {
  replicas: req(1, int32),
  selector: opt(2, string),
});
export interface ScaleStatus extends Infer<typeof ScaleStatus> {}

export const Scale = kind("io.k8s.api.autoscaling.v1.Scale", {
  metadata,
  spec: req(2, ScaleSpec, { required: false }),
  status: opt(3, ScaleStatus),
});
export interface Scale extends Infer<typeof Scale> {}
