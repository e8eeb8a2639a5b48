import { validateDeviceClass } from "./device-class-validation.ts";
import { ageColumn, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";
import { DeviceConfiguration, DeviceSelector } from "./device-selector.ts";

export const DeviceClassConfiguration = struct("io.k8s.api.resource.v1.DeviceClassConfiguration", {
  deviceConfiguration: req(1, DeviceConfiguration, { inline: true }),
});
export interface DeviceClassConfiguration extends Infer<typeof DeviceClassConfiguration> {}

export const DeviceClassSpec = struct("io.k8s.api.resource.v1.DeviceClassSpec", {
  selectors: opt(1, listOf(DeviceSelector), { listType: "atomic" }),
  config: opt(2, listOf(DeviceClassConfiguration), { listType: "atomic" }),
  extendedResourceName: ptr(4, string),
});
export interface DeviceClassSpec extends Infer<typeof DeviceClassSpec> {}

export const DeviceClass = kind("io.k8s.api.resource.v1.DeviceClass", {
  metadata,
  spec: req(2, DeviceClassSpec),
});
export interface DeviceClass extends Infer<typeof DeviceClass> {}

export const deviceClasses = defineResource<DeviceClass>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "DeviceClass",
  plural: "deviceclasses",
  scope: "Cluster",
  schema: DeviceClass,
  strategy: {
    deleteReturnsObject: true,
    generation: true,
    validate: (deviceClass) => [...validateDeviceClass(deviceClass)],
    validateUpdate: (deviceClass) => [...validateDeviceClass(deviceClass)],
  },
  columns: [nameColumn, ageColumn],
});
