import { type Infer, rawObject, req, string, struct } from "../schema.ts";

export const WatchEvent = struct("io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent", {
  type: req(1, string),
  object: req(2, rawObject),
});
export interface WatchEvent extends Infer<typeof WatchEvent> {}
