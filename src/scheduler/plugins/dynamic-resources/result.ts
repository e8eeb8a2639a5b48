/** The allocation that is written into a claim. Source: structured allocator. */
import type { NodeSelector, NodeSelectorRequirement } from "#api/core/v1/node-selector.ts";
import type { DeviceClass } from "#api/resource/v1/device-class.ts";
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  ResourceClaim,
} from "#api/resource/v1/resource-claim.ts";
import type { Pick } from "./allocator.ts";

export interface ResultOptions {
  readonly classOf: (name: string) => DeviceClass | undefined;
  /** Tells apart the users of a device that may be allocated many times. */
  readonly newShareId: () => string;
  /** Where the pod is to run: devices may bind themselves to it. */
  readonly nodeName: string;
}

export function allocationOf(
  claim: ResourceClaim,
  picks: readonly Pick[],
  { classOf, newShareId, nodeName }: ResultOptions,
): AllocationResult {
  const own = picks.filter((pick) => pick.claim === claim);
  const binds = own.some(({ device }) => device.device.bindsToNode === true);
  const nodeSelector = binds ? nodeNamed(nodeName) : commonSelector(own);
  const config = configurationOf(claim, own, classOf);
  return {
    devices: {
      results: own.map(({ request, device, consumed }) => ({
        request: request.fullName,
        driver: device.driver,
        pool: device.pool,
        device: device.device.name,
        ...(request.adminAccess === true && { adminAccess: true }),
        ...(request.tolerations && { tolerations: request.tolerations }),
        ...(device.device.bindingConditions && {
          bindingConditions: device.device.bindingConditions,
        }),
        ...(device.device.bindingFailureConditions && {
          bindingFailureConditions: device.device.bindingFailureConditions,
        }),
        ...(device.device.allowMultipleAllocations === true && {
          shareID: newShareId(),
          consumedCapacity: { ...consumed },
        }),
      })),
      ...(config.length > 0 && { config }),
    },
    ...(nodeSelector && { nodeSelector }),
  };
}

function configurationOf(
  claim: ResourceClaim,
  picks: readonly Pick[],
  classOf: (name: string) => DeviceClass | undefined,
): DeviceAllocationConfiguration[] {
  const names = new Set(picks.map(({ request }) => request.fullName));
  const classes = new Map(picks.map(({ request }) => [request.fullName, request.deviceClassName]));
  const ofClasses = [...classes].flatMap(([request, name]) =>
    (classOf(name)?.spec.config ?? []).map((config) => ({
      ...config,
      source: "FromClass",
      requests: [request],
    })),
  );
  const ofClaim = (claim.spec.devices?.config ?? [])
    .filter(
      ({ requests = [] }) =>
        requests.length === 0 ||
        requests.some((name) => names.has(name) || [...names].some((full) => full.startsWith(`${name}/`))),
    )
    .map((config) => ({ ...config, source: "FromClaim" }));
  return [...ofClasses, ...ofClaim];
}

function nodeNamed(name: string): NodeSelector {
  return { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] }] };
}

/** Where all the devices can be used. Each selector has one term: the API server sees to that. */
function commonSelector(picks: readonly Pick[]): NodeSelector | undefined {
  const matchFields: NodeSelectorRequirement[] = [];
  const matchExpressions: NodeSelectorRequirement[] = [];
  const add = (to: NodeSelectorRequirement[], from: readonly NodeSelectorRequirement[] = []): void => {
    for (const each of from) if (!to.some((other) => JSON.stringify(other) === JSON.stringify(each))) to.push(each);
  };
  for (const { device } of picks) {
    const [term] = device.nodeSelector?.nodeSelectorTerms ?? [];
    add(matchFields, term?.matchFields);
    add(matchExpressions, term?.matchExpressions);
  }
  if (matchFields.length > 0) return { nodeSelectorTerms: [{ matchFields: matchFields.slice(0, 1) }] };
  return matchExpressions.length === 0 ? undefined : { nodeSelectorTerms: [{ matchExpressions }] };
}
