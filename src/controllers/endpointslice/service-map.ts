import { type Pod, pods } from "#api/core/v1/pod.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { selectorFromLabels } from "#apimachinery/selectors.ts";
import { type MapContext, type Watch, watchOf } from "../framework/controller.ts";
import { isReady } from "../framework/pods.ts";

/** A Service without a selector has its endpoints written by somebody else. */
export function hasSelector({ spec }: Service): boolean {
  return Object.keys(spec.selector ?? {}).length > 0;
}

export function selects(service: Service, pod: Pod): boolean {
  const selector = service.spec.selector ?? {};
  const labels = pod.metadata.labels ?? {};
  return (
    hasSelector(service) && Object.entries(selector).every(([key, value]) => labels[key] === value)
  );
}

export function selectedPods(service: Service, all: readonly Pod[]): Pod[] {
  const selector = selectorFromLabels(service.spec.selector);
  return hasSelector(service)
    ? all.filter(({ metadata }) => selector.matches(metadata.labels))
    : [];
}

/** Changes of Pods wake the Services that select them, before or after. */
export const podsOfServices: Watch = watchOf(pods, {
  changed: endpointMayChange,
  keys: (pod, context: MapContext) =>
    context
      .lister(services)
      .inNamespace(pod.metadata.namespace ?? "")
      .filter((service) => selects(service, pod))
      .map(keyOfObject),
});

function endpointMayChange(pod: Pod, old: Pod): boolean {
  return !deepEqual(relevantParts(pod), relevantParts(old));
}

function relevantParts(pod: Pod): unknown[] {
  const { labels, deletionTimestamp } = pod.metadata;
  const { nodeName, hostname, subdomain } = pod.spec;
  return [
    labels ?? {},
    deletionTimestamp,
    nodeName,
    hostname,
    subdomain,
    pod.status?.phase,
    pod.status?.podIP,
    pod.status?.podIPs,
    isReady(pod),
  ];
}
