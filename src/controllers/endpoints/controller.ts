import { errorMessage } from "#base/error-message.ts";
import { type Endpoints, endpoints } from "#api/core/v1/endpoints.ts";
import { pods } from "#api/core/v1/pod.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { hasSelector, podsOfServices, selectedPods } from "../endpointslice/service-map.ts";
import { type Context, defineController, done, watchOf } from "../framework/controller.ts";
import { isNamespaceTerminating } from "../framework/pods.ts";
import { subsetsOf, truncate } from "./subsets.ts";

const managedByLabel = "endpoints.kubernetes.io/managed-by";
const managedBy = "endpoint-controller";
const headlessLabel = "service.kubernetes.io/headless";
const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";

/** Keeps the older Endpoints objects of Services that select Pods. Source: pkg/controller/endpoint. */
export const endpointsController = defineController<Service>({
  name: "endpoints-controller",
  account: "endpoint-controller",
  component: "endpoint-controller",
  for: services,
  workers: 5,
  watches: [podsOfServices, watchOf(endpoints, { keys: (object) => [keyOfObject(object)] })],
  async reconcile(context) {
    const service = context.get();
    if (service === undefined) return remove(context);
    if (service.spec.type === "ExternalName" || !hasSelector(service)) return done;
    try {
      await write(context, service);
    } catch (error) {
      if (isNamespaceTerminating(error)) return done;
      const current = context.lister(endpoints).get(context.key);
      const reason = current ? "FailedToUpdateEndpoint" : "FailedToCreateEndpoint";
      const verb = current ? "update" : "create";
      context.events.warning(
        current ?? service,
        reason,
        `Failed to ${verb} endpoint ${context.key}: ${errorMessage(error)}`,
      );
      throw error;
    }
    return done;
  },
});

/** The Service is gone; Endpoints that this controller made go too. */
async function remove(context: Context<Service, undefined>): Promise<typeof done> {
  const current = context.lister(endpoints).get(context.key);
  if (current?.metadata.labels?.[managedByLabel] !== managedBy) return done;
  const { uid = "" } = current.metadata;
  await context
    .resource(endpoints)
    .delete(context.key, { preconditions: { uid } })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  return done;
}

async function write(context: Context<Service, undefined>, service: Service): Promise<void> {
  const { namespace = "", name = "" } = service.metadata;
  const selected = selectedPods(service, context.lister(pods).inNamespace(namespace));
  const { subsets, overCapacity } = truncate(subsetsOf(service, selected));
  const current = context.lister(endpoints).get(context.key);
  const labels = {
    ...service.metadata.labels,
    ...(service.spec.clusterIP === "None" && { [headlessLabel]: "" }),
    [managedByLabel]: managedBy,
  };
  const { [overCapacityAnnotation]: _, ...others } = current?.metadata.annotations ?? {};
  const annotations = overCapacity ? { ...others, [overCapacityAnnotation]: "truncated" } : others;
  const next: Endpoints = {
    ...current,
    metadata: { ...(current?.metadata ?? { namespace, name }), labels, annotations },
    subsets,
  };
  if (current === undefined) await context.resource(endpoints).create(next);
  else if (!semanticEqual(current, next)) await context.resource(endpoints).update(next);
}
