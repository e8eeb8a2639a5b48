import { bool, type Infer, opt, ptr, quantity, req, string, struct } from "#apimachinery/schema.ts";
import { LocalObjectReference } from "./object-reference.ts";

export const ObjectFieldSelector = struct(
  "io.k8s.api.core.v1.ObjectFieldSelector",
  {
    apiVersion: opt(1, string),
    fieldPath: req(2, string),
  },
  { atomic: true },
);
export interface ObjectFieldSelector extends Infer<typeof ObjectFieldSelector> {}

export const ResourceFieldSelector = struct(
  "io.k8s.api.core.v1.ResourceFieldSelector",
  {
    containerName: opt(1, string),
    resource: req(2, string),
    divisor: opt(3, quantity),
  },
  { atomic: true },
);
export interface ResourceFieldSelector extends Infer<typeof ResourceFieldSelector> {}

export const ConfigMapKeySelector = struct(
  "io.k8s.api.core.v1.ConfigMapKeySelector",
  {
    localObjectReference: req(1, LocalObjectReference, { inline: true }),
    key: req(2, string),
    optional: ptr(3, bool),
  },
  { atomic: true },
);
export interface ConfigMapKeySelector extends Infer<typeof ConfigMapKeySelector> {}

export const SecretKeySelector = struct(
  "io.k8s.api.core.v1.SecretKeySelector",
  {
    localObjectReference: req(1, LocalObjectReference, { inline: true }),
    key: req(2, string),
    optional: ptr(3, bool),
  },
  { atomic: true },
);
export interface SecretKeySelector extends Infer<typeof SecretKeySelector> {}

export const FileKeySelector = struct(
  "io.k8s.api.core.v1.FileKeySelector",
  {
    volumeName: req(1, string),
    path: req(2, string),
    key: req(3, string),
    optional: ptr(4, bool, { default: false }),
  },
  { atomic: true },
);
export interface FileKeySelector extends Infer<typeof FileKeySelector> {}

export const EnvVarSource = struct("io.k8s.api.core.v1.EnvVarSource", {
  fieldRef: ptr(1, ObjectFieldSelector),
  resourceFieldRef: ptr(2, ResourceFieldSelector),
  configMapKeyRef: ptr(3, ConfigMapKeySelector),
  secretKeyRef: ptr(4, SecretKeySelector),
  fileKeyRef: ptr(5, FileKeySelector),
});
export interface EnvVarSource extends Infer<typeof EnvVarSource> {}

export const EnvVar = struct("io.k8s.api.core.v1.EnvVar", {
  name: req(1, string),
  value: opt(2, string),
  valueFrom: ptr(3, EnvVarSource),
});
export interface EnvVar extends Infer<typeof EnvVar> {}

export const ConfigMapEnvSource = struct("io.k8s.api.core.v1.ConfigMapEnvSource", {
  localObjectReference: req(1, LocalObjectReference, { inline: true }),
  optional: ptr(2, bool),
});
export interface ConfigMapEnvSource extends Infer<typeof ConfigMapEnvSource> {}

export const SecretEnvSource = struct("io.k8s.api.core.v1.SecretEnvSource", {
  localObjectReference: req(1, LocalObjectReference, { inline: true }),
  optional: ptr(2, bool),
});
export interface SecretEnvSource extends Infer<typeof SecretEnvSource> {}

export const EnvFromSource = struct("io.k8s.api.core.v1.EnvFromSource", {
  prefix: opt(1, string),
  configMapRef: ptr(2, ConfigMapEnvSource),
  secretRef: ptr(3, SecretEnvSource),
});
export interface EnvFromSource extends Infer<typeof EnvFromSource> {}
