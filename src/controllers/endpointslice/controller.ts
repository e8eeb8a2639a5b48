import { errorMessage } from "#base/error-message.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { pods } from "#api/core/v1/pod.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { type EndpointSlice, endpointSlices, serviceNameLabel } from "#api/discovery/v1/endpoint-slice.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { slicesByService } from "#client/shared-indexes.ts";
import { type Context, defineController, done, indexOf, watchOf } from "../framework/controller.ts";
import { controllerRef } from "../framework/owners.ts";
import { all, isNamespaceTerminating } from "../framework/pods.ts";
import { type AddressType, addressTypesOf, endpointGroups } from "./endpoints.ts";
import { hasSelector, podsOfServices, selectedPods } from "./service-map.ts";
import { type EndpointGroup, planSlices, type SlicePlan } from "./slices.ts";

export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const headlessLabel = "service.kubernetes.io/headless";
const managedBy = "endpointslice-controller.k8s.io";

/** Most endpoints in a slice. Source: --max-endpoints-per-slice. */
const endpointsMax = 100;

/** Keeps EndpointSlices of Services that select Pods. Source: pkg/controller/endpointslice. */
export const endpointSliceController = defineController<Service>({
  name: "endpointslice-controller",
  component: "endpoint-slice-controller",
  for: services,
  workers: 5,
  indexes: [indexOf(endpointSlices, slicesByService)],
  watches: [
    podsOfServices,
    watchOf(endpointSlices, {
      keys: (slice) =>
        slice.metadata.labels?.[managedByLabel] === managedBy ? slicesByService.valuesOf(slice) : [],
    }),
    watchOf(nodes, {
      changed: (node, old) => zoneOf(node) !== zoneOf(old),
      keys: (node, context) => {
        const here = context
          .lister(pods)
          .list()
          .filter(({ spec }) => spec.nodeName === node.metadata.name);
        const namespaces = new Set(here.map(({ metadata }) => metadata.namespace ?? ""));
        return [...namespaces].flatMap((namespace) =>
          context.lister(services).inNamespace(namespace).map(keyOfObject),
        );
      },
    }),
  ],
  async reconcile(context) {
    const service = context.get();
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return done;
    if (service.spec.type === "ExternalName" || !hasSelector(service)) return done;
    try {
      await sync(context, service);
    } catch (error) {
      if (isNamespaceTerminating(error)) return done;
      const message = `Error updating Endpoint Slices for Service ${context.key}: ${errorMessage(error)}`;
      context.events.warning(service, "FailedToUpdateEndpointSlices", message);
      throw error;
    }
    return done;
  },
});

function zoneOf({ metadata }: Node): string | undefined {
  return metadata.labels?.["topology.kubernetes.io/zone"];
}

async function sync(context: Context<Service, undefined>, service: Service): Promise<void> {
  const selected = selectedPods(
    service,
    context.lister(pods).inNamespace(service.metadata.namespace ?? ""),
  );
  const managed = context
    .lister(endpointSlices)
    .by(slicesByService, context.key)
    .filter(
      ({ metadata }) =>
        metadata.labels?.[managedByLabel] === managedBy && metadata.deletionTimestamp === undefined,
    );
  const types = addressTypesOf(service);
  const nodeOf = (name: string): Node | undefined => context.lister(nodes).get(name);
  for (const addressType of types) {
    const existing = managed.filter((slice) => slice.addressType === addressType);
    const groups = endpointGroups(service, selected, { addressType, nodeOf });
    const refresh = (slice: EndpointSlice): EndpointSlice => refreshed(service, slice);
    const plan = planSlices(existing, groups, { endpointsMax, placeholder: true, refresh });
    await carryOut(context, plan, (group) =>
      refreshed(service, blankSlice(service, { addressType, group })),
    );
  }
  const stale = managed.filter((slice) => !types.includes(slice.addressType as AddressType));
  await removeSlices(context, stale);
}

/** Creates, updates and deletes what the plan says. */
export async function carryOut<T extends object>(
  context: Context<T, undefined>,
  plan: SlicePlan,
  sliceOf: (group: EndpointGroup) => EndpointSlice,
): Promise<void> {
  const resource = context.resource(endpointSlices);
  await all(plan.create.map((group) => resource.create(sliceOf(group))));
  await all(plan.update.map((slice) => resource.update(slice)));
  await removeSlices(context, plan.remove);
}

export async function removeSlices<T extends object>(
  context: Context<T, undefined>,
  slices: readonly EndpointSlice[],
): Promise<void> {
  const resource = context.resource(endpointSlices);
  await all(
    slices.map(async (slice) => {
      const { uid = "" } = slice.metadata;
      await resource
        .delete(keyOfObject(slice), { preconditions: { uid } })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    }),
  );
}

function blankSlice(
  service: Service,
  of: { addressType: AddressType; group: EndpointGroup },
): EndpointSlice {
  return {
    metadata: {
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace,
      ownerReferences: [controllerRef(services, service)],
    },
    addressType: of.addressType,
    endpoints: [...of.group.endpoints],
    ports: [...of.group.ports],
  };
}

/** With the labels that it is to have: the Service's own and ours. */
function refreshed(service: Service, slice: EndpointSlice): EndpointSlice {
  const own = Object.entries(service.metadata.labels ?? {}).filter(([key]) => !reserved.has(key));
  const labels = {
    ...Object.fromEntries(own),
    ...(service.spec.clusterIP === "None" && { [headlessLabel]: "" }),
    [serviceNameLabel]: service.metadata.name ?? "",
    [managedByLabel]: managedBy,
  };
  if (deepEqual(labels, slice.metadata.labels)) return slice;
  return { ...slice, metadata: { ...slice.metadata, labels } };
}

const reserved: ReadonlySet<string> = new Set([serviceNameLabel, managedByLabel, headlessLabel]);
