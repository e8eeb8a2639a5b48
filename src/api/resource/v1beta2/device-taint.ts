import { type Infer, named, opt, ptr, req, string, struct, time } from "#apimachinery/schema.ts";

export const DeviceTaint = struct("io.k8s.api.resource.v1beta2.DeviceTaint", {
  key: req(1, string),
  value: opt(2, string),
  effect: req(3, named("v1beta2.DeviceTaintEffect", string)),
  timeAdded: ptr(4, time),
});
export interface DeviceTaint extends Infer<typeof DeviceTaint> {}
