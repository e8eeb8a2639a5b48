import { type Infer, named, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const TypedObjectReference = struct("io.k8s.api.core.v1.TypedObjectReference", {
  apiGroup: ptr(1, string, { nullable: true }),
  kind: req(2, string),
  name: req(3, string),
  namespace: ptr(4, string),
});
export interface TypedObjectReference extends Infer<typeof TypedObjectReference> {}

export const SecretReference = struct(
  "io.k8s.api.core.v1.SecretReference",
  {
    name: opt(1, string),
    namespace: opt(2, string),
  },
  { atomic: true },
);
export interface SecretReference extends Infer<typeof SecretReference> {}

export const ObjectReference = struct(
  "io.k8s.api.core.v1.ObjectReference",
  {
    kind: opt(1, string),
    namespace: opt(2, string),
    name: opt(3, string),
    uid: opt(4, named("types.UID", string)),
    apiVersion: opt(5, string),
    resourceVersion: opt(6, string),
    fieldPath: opt(7, string),
  },
  { atomic: true },
);
export interface ObjectReference extends Infer<typeof ObjectReference> {}

export const LocalObjectReference = struct(
  "io.k8s.api.core.v1.LocalObjectReference",
  {
    name: opt(1, string, { default: "" }),
  },
  { atomic: true },
);
export interface LocalObjectReference extends Infer<typeof LocalObjectReference> {}

export const TypedLocalObjectReference = struct(
  "io.k8s.api.core.v1.TypedLocalObjectReference",
  {
    apiGroup: ptr(1, string, { nullable: true }),
    kind: req(2, string),
    name: req(3, string),
  },
  { atomic: true },
);
export interface TypedLocalObjectReference extends Infer<typeof TypedLocalObjectReference> {}
