import type { Namespace } from "#api/core/v1/namespace.ts";
import type { ServiceAccount } from "#api/core/v1/service-account.ts";
import type { PriorityClass } from "#api/scheduling/v1/priority-class.ts";
import type { Random } from "#base/random.ts";
import type { ServerParts } from "../server.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { defaultTolerationSeconds } from "./plugins/default-toleration-seconds.ts";
import { namespaceLifecycle } from "./plugins/namespace-lifecycle.ts";
import { priorityAdmission } from "./plugins/priority.ts";
import { serviceAccountAdmission } from "./plugins/service-account.ts";

export interface PluginSelection {
  readonly enable: readonly string[];
  readonly disable: readonly string[];
}

/**
 * The admission chain; its order is upstream's (pkg/kubeapiserver/options/plugins.go), so that what
 * a plugin sets is there for those that check it.
 */
export function admissionPlugins(
  { live }: ServerParts,
  { random, selection }: { readonly random: Random; readonly selection: PluginSelection },
): AdmissionPlugin[] {
  const all: AdmissionPlugin[] = [
    namespaceLifecycle(live<Namespace>("", "v1", "namespaces")),
    serviceAccountAdmission(live<ServiceAccount>("", "v1", "serviceaccounts"), random),
    priorityAdmission(live<PriorityClass>("scheduling.k8s.io", "v1", "priorityclasses")),
    defaultTolerationSeconds,
  ];
  return all.filter(
    ({ name, enabledByDefault }) =>
      selection.enable.includes(name) || (enabledByDefault && !selection.disable.includes(name)),
  );
}
