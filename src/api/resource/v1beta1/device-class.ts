import { deviceClasses as stored } from "../v1/device-class.ts";
import { sameShape } from "#api/strategies.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";
import { DeviceConfiguration, DeviceSelector } from "./device-selector.ts";

export const DeviceClassConfiguration = struct(
  "io.k8s.api.resource.v1beta1.DeviceClassConfiguration",
  {
    deviceConfiguration: req(1, DeviceConfiguration, { inline: true }),
  },
);
export interface DeviceClassConfiguration extends Infer<typeof DeviceClassConfiguration> {}

export const DeviceClassSpec = struct("io.k8s.api.resource.v1beta1.DeviceClassSpec", {
  selectors: opt(1, listOf(DeviceSelector), { listType: "atomic" }),
  config: opt(2, listOf(DeviceClassConfiguration), { listType: "atomic" }),
  extendedResourceName: ptr(4, string),
});
export interface DeviceClassSpec extends Infer<typeof DeviceClassSpec> {}

export const DeviceClass = kind("io.k8s.api.resource.v1beta1.DeviceClass", {
  metadata,
  spec: req(2, DeviceClassSpec),
});
export interface DeviceClass extends Infer<typeof DeviceClass> {}

export const deviceClasses = defineResource<DeviceClass>({
  group: "resource.k8s.io",
  version: "v1beta1",
  kind: "DeviceClass",
  plural: "deviceclasses",
  scope: "Cluster",
  schema: DeviceClass,
  conversion: sameShape,
  strategy: stored.strategy,
  columns: stored.columns,
  storage: { version: "v1" },
});
