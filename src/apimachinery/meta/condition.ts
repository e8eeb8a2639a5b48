import { type Infer, int64, named, opt, req, string, struct, time } from "../schema.ts";

export const Condition = struct("io.k8s.apimachinery.pkg.apis.meta.v1.Condition", {
  type: req(1, string),
  status: req(2, named("v1.ConditionStatus", string)),
  observedGeneration: opt(3, int64),
  lastTransitionTime: req(4, time),
  reason: req(5, string),
  message: req(6, string),
});
export interface Condition extends Infer<typeof Condition> {}
