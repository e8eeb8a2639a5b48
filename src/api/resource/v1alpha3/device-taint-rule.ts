import { Condition } from "#apimachinery/meta/condition.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";

export const DeviceTaint = struct("io.k8s.api.resource.v1alpha3.DeviceTaint", {
  key: req(1, string),
  value: opt(2, string),
  effect: req(3, named("v1alpha3.DeviceTaintEffect", string)),
  timeAdded: ptr(4, time),
});
export interface DeviceTaint extends Infer<typeof DeviceTaint> {}

export const DeviceTaintSelector = struct("io.k8s.api.resource.v1alpha3.DeviceTaintSelector", {
  driver: ptr(2, string),
  pool: ptr(3, string),
  device: ptr(4, string),
});
export interface DeviceTaintSelector extends Infer<typeof DeviceTaintSelector> {}

export const DeviceTaintRuleSpec = struct("io.k8s.api.resource.v1alpha3.DeviceTaintRuleSpec", {
  deviceSelector: ptr(1, DeviceTaintSelector),
  taint: opt(2, DeviceTaint, { required: true }),
});
export interface DeviceTaintRuleSpec extends Infer<typeof DeviceTaintRuleSpec> {}

export const DeviceTaintRuleStatus = struct("io.k8s.api.resource.v1alpha3.DeviceTaintRuleStatus", {
  conditions: opt(1, listOf(Condition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface DeviceTaintRuleStatus extends Infer<typeof DeviceTaintRuleStatus> {}

export const DeviceTaintRule = kind("io.k8s.api.resource.v1alpha3.DeviceTaintRule", {
  metadata,
  spec: req(2, DeviceTaintRuleSpec),
  status: opt(3, DeviceTaintRuleStatus),
});
export interface DeviceTaintRule extends Infer<typeof DeviceTaintRule> {}

export const deviceTaintRules = defineResource<DeviceTaintRule>({
  group: "resource.k8s.io",
  version: "v1alpha3",
  kind: "DeviceTaintRule",
  plural: "devicetaintrules",
  featureGate: "DRADeviceTaintRules",
  scope: "Cluster",
  schema: DeviceTaintRule,
  strategy: { deleteReturnsObject: true },
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
