import { type Infer, req, string, struct } from "../schema.ts";

export const GroupResource = struct("io.k8s.apimachinery.pkg.apis.meta.v1.GroupResource", {
  group: req(1, string),
  resource: req(2, string),
});
export interface GroupResource extends Infer<typeof GroupResource> {}

export const GroupVersionResource = struct(
  "io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionResource",
  {
    group: req(1, string),
    version: req(2, string),
    resource: req(3, string),
  },
);
export interface GroupVersionResource extends Infer<typeof GroupVersionResource> {}

export const GroupKind = struct("io.k8s.apimachinery.pkg.apis.meta.v1.GroupKind", {
  group: req(1, string),
  kind: req(2, string),
});
export interface GroupKind extends Infer<typeof GroupKind> {}

export const GroupVersionKind = struct("io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionKind", {
  group: req(1, string),
  version: req(2, string),
  kind: req(3, string),
});
export interface GroupVersionKind extends Infer<typeof GroupVersionKind> {}

export const GroupVersion = struct("io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersion", {
  group: req(1, string),
  version: req(2, string),
});
export interface GroupVersion extends Infer<typeof GroupVersion> {}
