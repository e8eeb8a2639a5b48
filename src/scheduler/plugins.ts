/** Every plugin there is. The order is the one in which filters judge: the first refusal counts. */
import type { WeightedPlugin } from "./profile.ts";
import { balancedAllocation } from "./plugins/balanced-allocation/plugin.ts";
import { defaultBinder } from "./plugins/default-binder/plugin.ts";
import { defaultPreemption } from "./plugins/default-preemption/plugin.ts";
import { dynamicResources } from "./plugins/dynamic-resources/plugin.ts";
import { gangScheduling } from "./plugins/gang-scheduling/plugin.ts";
import { imageLocality } from "./plugins/image-locality/plugin.ts";
import { interPodAffinity } from "./plugins/inter-pod-affinity/plugin.ts";
import { nodeAffinity } from "./plugins/node-affinity/plugin.ts";
import { nodeDeclaredFeatures } from "./plugins/node-declared-features/plugin.ts";
import { nodeName } from "./plugins/node-name/plugin.ts";
import { nodePorts } from "./plugins/node-ports/plugin.ts";
import { nodeResourcesFit } from "./plugins/node-resources-fit/plugin.ts";
import { nodeUnschedulable } from "./plugins/node-unschedulable/plugin.ts";
import { nodeVolumeLimits } from "./plugins/node-volume-limits/plugin.ts";
import { podTopologySpread } from "./plugins/pod-topology-spread/plugin.ts";
import { prioritySort } from "./plugins/priority-sort/plugin.ts";
import { schedulingGates } from "./plugins/scheduling-gates/plugin.ts";
import { taintToleration } from "./plugins/taint-toleration/plugin.ts";
import { volumeBinding } from "./plugins/volume-binding/plugin.ts";
import { volumeRestrictions } from "./plugins/volume-restrictions/plugin.ts";
import { volumeZone } from "./plugins/volume-zone/plugin.ts";

/** Weights are those of a profile that says nothing. Source: default_plugins.go. */
export const defaultPlugins: readonly (WeightedPlugin & {
  /** There only with this feature. */
  readonly gate?: string;
})[] = [
  { plugin: schedulingGates, weight: 0 },
  { plugin: prioritySort, weight: 0 },
  { plugin: nodeUnschedulable, weight: 0 },
  { plugin: nodeName, weight: 0 },
  { plugin: taintToleration, weight: 3 },
  { plugin: nodeAffinity, weight: 2 },
  { plugin: nodePorts, weight: 0 },
  { plugin: nodeResourcesFit, weight: 1 },
  { plugin: volumeRestrictions, weight: 0 },
  { plugin: nodeVolumeLimits, weight: 0 },
  { plugin: volumeBinding, weight: 0 },
  { plugin: volumeZone, weight: 0 },
  { plugin: podTopologySpread, weight: 2 },
  { plugin: interPodAffinity, weight: 2 },
  // Before preemption: idle devices are given back before a pod has to go.
  { plugin: dynamicResources, weight: 0 },
  { plugin: defaultPreemption, weight: 0 },
  { plugin: balancedAllocation, weight: 1 },
  { plugin: imageLocality, weight: 1 },
  { plugin: gangScheduling, weight: 0, gate: "GangScheduling" },
  { plugin: nodeDeclaredFeatures, weight: 0, gate: "NodeDeclaredFeatures" },
  { plugin: defaultBinder, weight: 0 },
];
