import { type Infer, struct } from "../schema.ts";

export const Patch = struct("io.k8s.apimachinery.pkg.apis.meta.v1.Patch", {});
export interface Patch extends Infer<typeof Patch> {}
