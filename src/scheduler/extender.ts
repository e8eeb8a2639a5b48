/** Extenders: parts of a scheduler that answer over HTTP. Source: k8s.io/kube-scheduler/extender/v1. */
import type { Pod } from "#api/core/v1/pod.ts";

export interface Extender {
  readonly urlPrefix: string;
  readonly filterVerb: string;
  readonly prioritizeVerb: string;
  readonly preemptVerb: string;
  readonly bindVerb: string;
  readonly weight: number;
  readonly timeoutMs: number;
  readonly nodeCacheCapable: boolean;
  /** Resources that it manages; empty: it is asked about every pod. */
  readonly resources: ReadonlySet<string>;
  /** Of `resources`: those that the scheduler itself does not count. */
  readonly ignoredResources: ReadonlySet<string>;
  /** Pods go on without it when it fails. */
  readonly ignorable: boolean;
}

interface Given {
  readonly urlPrefix?: string;
  readonly filterVerb?: string;
  readonly prioritizeVerb?: string;
  readonly preemptVerb?: string;
  readonly bindVerb?: string;
  readonly weight?: number;
  readonly httpTimeout?: string;
  readonly nodeCacheCapable?: boolean;
  readonly managedResources?: readonly {
    readonly name: string;
    readonly ignoredByScheduler?: boolean;
  }[];
  readonly ignorable?: boolean;
}

const timeoutMsDefault = 5000;

export function readExtender(given: unknown): Extender {
  const extender = (given ?? {}) as Given;
  const { urlPrefix = "", managedResources = [], weight = 0 } = extender;
  if (extender.prioritizeVerb && weight <= 0) {
    throw new Error(`extenders.weight: Invalid value: ${weight}: must have a positive weight applied to it`);
  }
  return {
    urlPrefix: urlPrefix.replace(/\/+$/, ""),
    filterVerb: extender.filterVerb ?? "",
    prioritizeVerb: extender.prioritizeVerb ?? "",
    preemptVerb: extender.preemptVerb ?? "",
    bindVerb: extender.bindVerb ?? "",
    weight,
    timeoutMs: secondsOf(extender.httpTimeout) ?? timeoutMsDefault,
    nodeCacheCapable: extender.nodeCacheCapable ?? false,
    resources: new Set(managedResources.map(({ name }) => name)),
    ignoredResources: new Set(
      managedResources.filter(({ ignoredByScheduler }) => ignoredByScheduler).map(({ name }) => name),
    ),
    ignorable: extender.ignorable ?? false,
  };
}

function secondsOf(text: string | undefined): number | undefined {
  const match = /^([0-9.]+)(ms|s|m)$/.exec(text ?? "");
  if (match === null) return undefined;
  const factor = match[2] === "ms" ? 1 : match[2] === "s" ? 1000 : 60_000;
  return Number(match[1]) * factor;
}

/** Whether the extender has a say about the pod. */
export function concernsPod({ resources }: Extender, { spec }: Pod): boolean {
  if (resources.size === 0) return true;
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return containers.some(({ resources: own }) =>
    [...Object.keys(own?.requests ?? {}), ...Object.keys(own?.limits ?? {})].some((name) => resources.has(name)),
  );
}
