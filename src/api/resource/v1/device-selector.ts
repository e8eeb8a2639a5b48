import { type Infer, ptr, rawObject, req, string, struct } from "#apimachinery/schema.ts";

export const CELDeviceSelector = struct("io.k8s.api.resource.v1.CELDeviceSelector", {
  expression: req(1, string),
});
export interface CELDeviceSelector extends Infer<typeof CELDeviceSelector> {}

export const DeviceSelector = struct("io.k8s.api.resource.v1.DeviceSelector", {
  cel: ptr(1, CELDeviceSelector),
});
export interface DeviceSelector extends Infer<typeof DeviceSelector> {}

export const OpaqueDeviceConfiguration = struct(
  "io.k8s.api.resource.v1.OpaqueDeviceConfiguration",
  {
    driver: req(1, string),
    parameters: req(2, rawObject),
  },
);
export interface OpaqueDeviceConfiguration extends Infer<typeof OpaqueDeviceConfiguration> {}

export const DeviceConfiguration = struct("io.k8s.api.resource.v1.DeviceConfiguration", {
  opaque: ptr(1, OpaqueDeviceConfiguration),
});
export interface DeviceConfiguration extends Infer<typeof DeviceConfiguration> {}
