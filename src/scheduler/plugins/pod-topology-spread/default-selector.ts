/** The kin of a pod that says nothing of whom to spread from. Source: plugins/helper/spread.go. */
import { type ReplicationController, replicationControllers } from "#api/core/v1/replication-controller.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { type ReplicaSet, replicaSets } from "#api/apps/v1/replica-set.ts";
import { type StatefulSet, statefulSets } from "#api/apps/v1/stateful-set.ts";
import type { Requirement } from "#apimachinery/label-requirement.ts";
import { labelSelectorOf, type Selector, selectorFromLabels, selectorOf } from "#apimachinery/selectors.ts";
import type { Listers } from "../../listers.ts";
import type { PodInfo } from "../../pod-info.ts";

/** Of the services that lead to the pod, and of its controller; undefined: it has no kin. */
export function defaultSelector(pod: PodInfo, listers: Listers): Selector | undefined {
  const requirements: Requirement[] = [];
  for (const { spec } of servicesOf(pod, listers)) {
    requirements.push(...selectorFromLabels(spec.selector).requirements);
  }
  requirements.push(...(controllerSelector(pod, listers)?.requirements ?? []));
  return requirements.length === 0 ? undefined : selectorOf(requirements);
}

function servicesOf(pod: PodInfo, listers: Listers): Service[] {
  const all = listers.of(services).inNamespace(pod.namespace);
  return all.filter(({ spec }) => {
    const selector = spec.selector;
    return (
      selector !== undefined && Object.keys(selector).length > 0 && selectorFromLabels(selector).matches(pod.labels)
    );
  });
}

function controllerSelector({ pod, namespace }: PodInfo, listers: Listers): Selector | undefined {
  const owner = pod.metadata?.ownerReferences?.find(({ controller }) => controller);
  if (owner === undefined) return undefined;
  const key = `${namespace}/${owner.name}`;
  switch (`${owner.apiVersion}/${owner.kind}`) {
    case "v1/ReplicationController": {
      const found: ReplicationController | undefined = listers.of(replicationControllers).get(key);
      return found && selectorFromLabels(found.spec.selector);
    }
    case "apps/v1/ReplicaSet": {
      const found: ReplicaSet | undefined = listers.of(replicaSets).get(key);
      return found && labelSelectorOf(found.spec.selector);
    }
    case "apps/v1/StatefulSet": {
      const found: StatefulSet | undefined = listers.of(statefulSets).get(key);
      return found && labelSelectorOf(found.spec.selector);
    }
    default:
      return undefined;
  }
}
