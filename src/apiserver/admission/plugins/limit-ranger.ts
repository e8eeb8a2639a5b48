import type { Container } from "#api/core/v1/container.ts";
import type { LimitRange, LimitRangeItem } from "#api/core/v1/limit-range.ts";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import { podLimits, podRequests } from "#api/core/v1/pod-resources.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { ResourceList } from "#api/core/v1/resource-name.ts";
import { sortedEntries } from "#apimachinery/validation/checks.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { type AdmissionRequest, forbid, isAbout } from "../request.ts";
import { maximumFault, minimumFault, ratioFault } from "./limit-checks.ts";

const annotation = "kubernetes.io/limit-ranger";

/** Fills in and checks requests and limits. Source: plugin/pkg/admission/limitranger. */
export function limitRanger(ranges: LiveSet<LimitRange>): AdmissionPlugin {
  return {
    name: "LimitRanger",
    handles: isLimited,
    mutate(request) {
      const { object, call } = request;
      if (!isPod(request) || object === undefined) return undefined;
      let pod = object as Pod;
      for (const range of ranges.inNamespace(call.namespace)) pod = withDefaults(pod, range);
      return pod;
    },
    validate(request) {
      for (const range of ranges.inNamespace(request.call.namespace)) {
        const faults = isPod(request)
          ? podFaults(request.object as Pod, range)
          : claimFaults(request.object as PersistentVolumeClaim, range);
        const texts = [...new Set(faults)];
        if (texts.length > 0)
          throw forbid(request, texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`);
      }
    },
  };
}

function isPod({ definition }: AdmissionRequest): boolean {
  return definition.group === "" && definition.plural === "pods";
}

/** Containers of a pod change only by a resize; what is being deleted is left alone. */
function isLimited(request: AdmissionRequest): boolean {
  const { operation, oldObject } = request;
  if (operation !== "CREATE" && operation !== "UPDATE") return false;
  if (oldObject?.metadata?.deletionTimestamp !== undefined) return false;
  if (isAbout(request, "", "persistentvolumeclaims")) return true;
  return operation === "CREATE"
    ? isAbout(request, "", "pods")
    : isAbout(request, "", "pods", "resize");
}

function withDefaults(pod: Pod, { spec }: LimitRange): Pod {
  const items = (spec?.limits ?? []).filter(({ type }) => type === "Container");
  const limits = Object.assign({}, ...items.map((item) => item.default)) as ResourceList;
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest)) as ResourceList;
  const notes: string[] = [];
  const filled = <C extends Container>(container: C, kind: string): C => {
    const own = container.resources ?? {};
    const note = (
      what: string,
      asked: ResourceList,
      present: ResourceList | undefined,
    ): ResourceList => {
      const missing = Object.keys(asked)
        .filter((name) => present?.[name] === undefined)
        .sort();
      if (missing.length > 0)
        notes.push(`${missing.join(", ")} ${what} for ${kind} ${container.name}`);
      return { ...asked, ...present };
    };
    const allRequests = note("request", requests, own.requests);
    const allLimits = note("limit", limits, own.limits);
    return {
      ...container,
      resources: {
        ...own,
        ...(Object.keys(allLimits).length > 0 && { limits: allLimits }),
        ...(Object.keys(allRequests).length > 0 && { requests: allRequests }),
      },
    };
  };
  const containers = (pod.spec?.containers ?? []).map((one) => filled(one, "container"));
  const initContainers = pod.spec?.initContainers?.map((one) => filled(one, "init container"));
  if (notes.length === 0) return pod;
  const annotations = {
    ...pod.metadata?.annotations,
    [annotation]: `LimitRanger plugin set: ${notes.join("; ")}`,
  };
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: { ...pod.spec, containers, ...(initContainers && { initContainers }) },
  } as Pod;
}

function* podFaults(pod: Pod, { spec }: LimitRange): Generator<string> {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  for (const item of spec?.limits ?? []) {
    if (item.type === "Container")
      for (const { resources } of all) yield* itemFaults(item, resources ?? {});
    if (item.type === "Pod" && pod.spec !== undefined) {
      yield* itemFaults(item, { requests: podRequests(pod.spec), limits: podLimits(pod.spec) });
    }
  }
}

interface Resources {
  readonly requests?: ResourceList | undefined;
  readonly limits?: ResourceList | undefined;
}

function* itemFaults(
  item: LimitRangeItem,
  { requests = {}, limits = {} }: Resources,
): Generator<string> {
  const { type } = item;
  const observedOf = (name: string): { request?: string; limit?: string } => ({
    ...(requests[name] !== undefined && { request: requests[name] }),
    ...(limits[name] !== undefined && { limit: limits[name] }),
  });
  for (const [name, enforced] of sortedEntries(item.min)) {
    yield* minimumFault({ type, name, enforced, ...observedOf(name) });
  }
  for (const [name, enforced] of sortedEntries(item.max)) {
    yield* maximumFault({ type, name, enforced, needs: "limit", ...observedOf(name) });
  }
  for (const [name, enforced] of sortedEntries(item.maxLimitRequestRatio)) {
    yield* ratioFault({ type, name, enforced, ...observedOf(name) });
  }
}

function* claimFaults(claim: PersistentVolumeClaim, { spec }: LimitRange): Generator<string> {
  const request = claim.spec?.resources?.requests?.["storage"];
  const observed = request === undefined ? {} : { request };
  for (const { type, min, max } of spec?.limits ?? []) {
    if (type !== "PersistentVolumeClaim") continue;
    for (const [name, enforced] of sortedEntries(min)) {
      if (name === "storage") yield* minimumFault({ type, name, enforced, ...observed });
    }
    for (const [name, enforced] of sortedEntries(max)) {
      if (name === "storage")
        yield* maximumFault({ type, name, enforced, needs: "request", ...observed });
    }
  }
}
