import {
  type EndpointAddress,
  type Endpoints,
  endpoints,
  type EndpointSubset,
} from "#api/core/v1/endpoints.ts";
import { services } from "#api/core/v1/service.ts";
import {
  type Endpoint,
  type EndpointSlice,
  endpointSlices,
  serviceNameLabel,
} from "#api/discovery/v1/endpoint-slice.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { slicesByService } from "#client/shared-indexes.ts";
import {
  carryOut,
  managedByLabel,
  removeSlices,
} from "../endpointslice/controller.ts";
import { type AddressType, familyOf } from "../endpointslice/endpoints.ts";
import { hasSelector } from "../endpointslice/service-map.ts";
import { type EndpointGroup, planSlices, portsKey } from "../endpointslice/slices.ts";
import { type Context, defineController, done, indexOf, watchOf } from "../framework/controller.ts";
import { controllerRef } from "../framework/owners.ts";
import { isNamespaceTerminating } from "../framework/pods.ts";

const managedBy = "endpointslicemirroring-controller.k8s.io";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/** Most addresses of a subset that are mirrored. */
const addressesMax = 1000;

/**
 * Mirrors hand-written Endpoints into EndpointSlices.
 * Source: pkg/controller/endpointslicemirroring.
 */
export const endpointSliceMirroringController = defineController<Endpoints>({
  name: "endpointslice-mirroring-controller",
  account: "endpointslicemirroring-controller",
  component: "endpoint-slice-mirroring-controller",
  for: endpoints,
  workers: 5,
  indexes: [indexOf(endpointSlices, slicesByService)],
  watches: [
    watchOf(services, { keys: (service) => [keyOfObject(service)] }),
    watchOf(endpointSlices, {
      keys: (slice) =>
        slice.metadata.labels?.[managedByLabel] === managedBy ? slicesByService.valuesOf(slice) : [],
    }),
  ],
  async reconcile(context) {
    const object = context.get();
    const service = context.lister(services).get(context.key);
    const mirrored =
      object !== undefined && service !== undefined && !hasSelector(service) && isMirrored(object);
    const existing = context
      .lister(endpointSlices)
      .by(slicesByService, context.key)
      .filter(({ metadata }) => metadata.labels?.[managedByLabel] === managedBy);
    try {
      if (mirrored) await mirror(context, object, existing);
      else await removeSlices(context, existing);
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error;
    }
    return done;
  },
});

function isMirrored({ metadata }: Endpoints): boolean {
  return (
    metadata.labels?.[skipLabel] !== "true" &&
    metadata.annotations?.[leaderAnnotation] === undefined
  );
}

async function mirror(
  context: Context<Endpoints, undefined>,
  object: Endpoints,
  existing: readonly EndpointSlice[],
): Promise<void> {
  const skipped = (object.subsets ?? []).some((subset) => addressCount(subset) > addressesMax);
  if (skipped) {
    const message =
      `A max of ${addressesMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ` +
      `${skippedCount(object)} addresses were skipped`;
    context.events.warning(object, "TooManyAddressesToMirror", message);
  }
  for (const addressType of ["IPv4", "IPv6"] as const) {
    const current = existing.filter((slice) => slice.addressType === addressType);
    const refresh = (slice: EndpointSlice): EndpointSlice => refreshed(object, slice);
    const plan = planSlices(current, groupsOf(object, addressType), {
      endpointsMax: addressesMax,
      placeholder: false,
      refresh,
    });
    await carryOut(context, plan, (group) => refresh(blankSlice(object, { addressType, group })));
  }
}

function addressCount({ addresses = [], notReadyAddresses = [] }: EndpointSubset): number {
  return addresses.length + notReadyAddresses.length;
}

function skippedCount({ subsets = [] }: Endpoints): number {
  return subsets.reduce((sum, subset) => sum + Math.max(0, addressCount(subset) - addressesMax), 0);
}

function groupsOf({ subsets = [] }: Endpoints, family: AddressType): EndpointGroup[] {
  const groups = new Map<string, { ports: EndpointGroup["ports"]; endpoints: Endpoint[] }>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const mirroredPorts = ports.map(({ name = "", protocol = "TCP", port, appProtocol }) => ({
      name,
      protocol,
      port,
      ...(appProtocol !== undefined && { appProtocol }),
    }));
    const key = portsKey(mirroredPorts);
    const group = groups.get(key) ?? { ports: mirroredPorts, endpoints: [] };
    const all = [
      ...addresses.map((address) => endpointOf(address, true)),
      ...notReadyAddresses.map((address) => endpointOf(address, false)),
    ];
    group.endpoints.push(
      ...all.slice(0, addressesMax).filter(({ addresses: [ip = ""] }) => familyOf(ip) === family),
    );
    if (group.endpoints.length > 0) groups.set(key, group);
  }
  return [...groups.values()];
}

function endpointOf(
  { ip, hostname, nodeName, targetRef }: EndpointAddress,
  ready: boolean,
): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(targetRef && { targetRef }),
    ...(nodeName !== undefined && { nodeName }),
  };
}

function blankSlice(
  object: Endpoints,
  of: { addressType: AddressType; group: EndpointGroup },
): EndpointSlice {
  const { name, namespace } = object.metadata;
  return {
    metadata: {
      generateName: `${name}-`,
      namespace,
      ownerReferences: [controllerRef(endpoints, object)],
    },
    addressType: of.addressType,
    endpoints: [...of.group.endpoints],
    ports: [...of.group.ports],
  };
}

function refreshed(object: Endpoints, slice: EndpointSlice): EndpointSlice {
  const labels = {
    ...object.metadata.labels,
    [serviceNameLabel]: object.metadata.name ?? "",
    [managedByLabel]: managedBy,
  };
  const { [lastAppliedAnnotation]: _, ...annotations } = object.metadata.annotations ?? {};
  const same =
    deepEqual(labels, slice.metadata.labels) &&
    deepEqual(annotations, slice.metadata.annotations ?? {});
  return same ? slice : { ...slice, metadata: { ...slice.metadata, labels, annotations } };
}
