import { deviceTaintRules as stored } from "../v1alpha3/device-taint-rule.ts";
import { sameShape } from "#api/strategies.ts";
import { Condition } from "#apimachinery/meta/condition.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";
import { DeviceTaint } from "./device-taint.ts";

export const DeviceTaintSelector = struct("io.k8s.api.resource.v1beta2.DeviceTaintSelector", {
  driver: ptr(2, string),
  pool: ptr(3, string),
  device: ptr(4, string),
});
export interface DeviceTaintSelector extends Infer<typeof DeviceTaintSelector> {}

export const DeviceTaintRuleSpec = struct("io.k8s.api.resource.v1beta2.DeviceTaintRuleSpec", {
  deviceSelector: ptr(1, DeviceTaintSelector),
  taint: opt(2, DeviceTaint, { required: true }),
});
export interface DeviceTaintRuleSpec extends Infer<typeof DeviceTaintRuleSpec> {}

export const DeviceTaintRuleStatus = struct("io.k8s.api.resource.v1beta2.DeviceTaintRuleStatus", {
  conditions: opt(1, listOf(Condition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface DeviceTaintRuleStatus extends Infer<typeof DeviceTaintRuleStatus> {}

export const DeviceTaintRule = kind("io.k8s.api.resource.v1beta2.DeviceTaintRule", {
  metadata,
  spec: req(2, DeviceTaintRuleSpec),
  status: opt(3, DeviceTaintRuleStatus),
});
export interface DeviceTaintRule extends Infer<typeof DeviceTaintRule> {}

export const deviceTaintRules = defineResource<DeviceTaintRule>({
  group: "resource.k8s.io",
  version: "v1beta2",
  kind: "DeviceTaintRule",
  plural: "devicetaintrules",
  featureGate: "DRADeviceTaintRules",
  scope: "Cluster",
  schema: DeviceTaintRule,
  conversion: sameShape,
  strategy: stored.strategy,
  columns: stored.columns,
  fieldSelectors: stored.fieldSelectors,
  storage: { version: "v1alpha3" },
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
