/**
 * Extended resources that no device plugin of a node offers, but a DeviceClass does: the pod gets a claim of
 * its own for them. Source: dynamicresources/extendeddynamicresources.go, KEP-5004.
 */
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { type DeviceClass, deviceClasses } from "#api/resource/v1/device-class.ts";
import type { DeviceRequest } from "#api/resource/v1/resource-claim-spec.ts";
import { type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { quantityValue } from "#apimachinery/quantity.ts";
import type { Listers } from "../../listers.ts";
import type { NodeInfo } from "../../node-info.ts";
import type { PodInfo } from "../../pod-info.ts";

const claimAnnotation = "resource.kubernetes.io/extended-resource-claim";
const implicitPrefix = "deviceclass.resource.kubernetes.io/";

const tables = new WeakMap<readonly DeviceClass[], ReadonlyMap<string, DeviceClass>>();

/** Classes by the resources that they stand for; of several of one resource the newest. */
function classesByResource(listers: Listers): ReadonlyMap<string, DeviceClass> {
  const classes = listers.of(deviceClasses).list();
  let table = tables.get(classes);
  if (table !== undefined) return table;
  const made = new Map<string, DeviceClass>();
  const byAge = classes.toSorted((a, b) => (ageKey(a) < ageKey(b) ? -1 : 1));
  for (const each of byAge) {
    made.set(`${implicitPrefix}${each.metadata?.name}`, each);
    if (each.spec.extendedResourceName) made.set(each.spec.extendedResourceName, each);
  }
  tables.set(classes, (table = made));
  return table;
}

function ageKey({ metadata }: DeviceClass): string {
  return `${metadata?.creationTimestamp ?? ""} ${metadata?.name}`;
}

/** Of what a pod asks for: resources that a class stands for. */
export function classedResources({ spec }: Pod, listers: Listers): string[] {
  const named = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
    Object.keys(resources?.requests ?? {}).filter((name) => name.includes("/")),
  );
  if (named.length === 0) return [];
  const classes = classesByResource(listers);
  return [...new Set(named)].filter((name) => classes.has(name)).toSorted();
}

/** A node that has some of it itself, from a device plugin, is to give it itself. */
export function isDelegated(resource: string, { node }: NodeInfo): boolean {
  return quantityValue(node.status?.allocatable?.[resource] ?? "0") === 0;
}

/** The claim that an earlier attempt made for the pod. */
export function priorClaim({ uid }: Pick<PodInfo, "uid">, listers: Listers): ResourceClaim | undefined {
  const owned = listers.of(resourceClaims).ownedBy(uid);
  return owned.find(({ metadata }) => metadata?.annotations?.[claimAnnotation] === "true");
}

export interface Mapping {
  readonly containerName: string;
  readonly resourceName: string;
  readonly requestName: string;
}

export interface SpecialClaim {
  /** Not made yet: without a name, with a uid of its own for the time being. */
  readonly claim: ResourceClaim;
  readonly mappings: readonly Mapping[];
}

/** The claim for these resources of a pod. */
export function specialClaim(
  { pod, name, namespace, uid }: PodInfo,
  resources: readonly string[],
  { listers, newUid }: { readonly listers: Listers; readonly newUid: () => string },
): SpecialClaim {
  const { requests, mappings } = requestsOf(pod, resources, classesByResource(listers));
  const owner = { apiVersion: "v1", kind: "Pod", name, uid, controller: true };
  const metadata = {
    namespace,
    uid: newUid(),
    generateName: `${name}-extended-resources-`,
    annotations: { [claimAnnotation]: "true" },
    ownerReferences: [owner],
  };
  return { claim: { metadata, spec: { devices: { requests } } }, mappings };
}

interface Requests {
  readonly requests: DeviceRequest[];
  readonly mappings: Mapping[];
}

/** Containers that end before others begin use what those will have; only what is missing is asked for. */
function requestsOf(pod: Pod, resources: readonly string[], classes: ReadonlyMap<string, DeviceClass>): Requests {
  const { initContainers = [], containers } = pod.spec;
  const all = [...initContainers, ...containers];
  const ends = (container: Container, i: number): boolean => i < initContainers.length && container.restartPolicy !== "Always";
  const found: Requests = { requests: [], mappings: [] };
  for (const resourceName of resources) {
    const deviceClassName = classes.get(resourceName)?.metadata?.name ?? "";
    const own: DeviceRequest[] = [];
    const ask = (container: Container, i: number, shared: readonly DeviceRequest[]): void => {
      let missing = quantityValue(container.resources?.requests?.[resourceName] ?? "0");
      const use = (requestName: string): void => void found.mappings.push({ containerName: container.name, resourceName, requestName });
      for (const { name, exactly } of shared) {
        if (missing <= 0) return;
        use(name);
        missing -= Number(exactly?.count ?? 0);
      }
      if (missing <= 0) return;
      const at = Object.keys(container.resources?.requests ?? {}).toSorted().indexOf(resourceName);
      const name = `container-${i}-request-${at}`;
      own.push({ name, exactly: { deviceClassName, allocationMode: "ExactCount", count: missing } });
      use(name);
    };
    for (const [i, container] of all.entries()) if (!ends(container, i)) ask(container, i, []);
    for (const [i, container] of all.entries()) if (ends(container, i)) ask(container, i, [...own]);
    found.requests.push(...own);
  }
  return found;
}
