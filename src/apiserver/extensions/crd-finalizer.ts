import type { CustomResourceDefinition } from "#api/apiextensions/v1/custom-resource-definition.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { statusErrorOf } from "#apimachinery/status.ts";
import type { Client, ResourceClient, ResourceTarget } from "#client/client.ts";
import { isConditionTrue } from "./conditions.ts";
import type { Finding } from "./naming.ts";

const type = "Terminating";

/**
 * Deletes all instances of a definition and waits until they are gone. The finding is True when
 * that failed. Source: apiextensions-apiserver pkg/controller/finalizer.
 */
export async function deleteInstances(
  client: Client,
  crd: CustomResourceDefinition,
  signal: AbortSignal,
): Promise<Finding> {
  if (!isConditionTrue(crd, "Established")) {
    return { type, status: "False", reason: "NeverEstablished", message: "resource was never established" };
  }
  const target = targetOf(crd);
  if (target !== undefined) {
    try {
      await removeAll(client.dynamic(target), signal);
    } catch (error) {
      const { message } = statusErrorOf(error);
      const text = `could not issue all deletes: ${message}`;
      return { type, status: "True", reason: "InstanceDeletionFailed", message: text };
    }
  }
  return { type, status: "False", reason: "InstanceDeletionCompleted", message: "removed all instances" };
}

/** A version that is served; without one there is no door to the instances. */
function targetOf({ spec, status }: CustomResourceDefinition): ResourceTarget | undefined {
  const version =
    spec.versions.find(({ served, storage }) => served && storage) ?? spec.versions.find(({ served }) => served);
  if (version === undefined) return undefined;
  const names = status?.acceptedNames ?? spec.names;
  return {
    group: spec.group,
    version: version.name,
    plural: names.plural,
    kind: names.kind,
    scope: spec.scope === "Namespaced" ? "Namespaced" : "Cluster",
  };
}

async function removeAll(resource: ResourceClient<KubeObject>, signal: AbortSignal): Promise<void> {
  const { items } = await resource.list();
  const namespaces = new Set(items.map(({ metadata }) => metadata?.namespace ?? ""));
  for (const namespace of namespaces) {
    await resource.deleteCollection(namespace === "" ? {} : { namespace });
  }
  await allGone(resource, signal);
}

/** Follows the instances until none is left: some have finalizers of their own. */
async function allGone(resource: ResourceClient<KubeObject>, signal: AbortSignal): Promise<void> {
  const { items, resourceVersion } = await resource.list();
  if (items.length === 0) return;
  const left = new Set(items.map(({ metadata }) => metadata?.uid));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const watch = resource.watch(
    { resourceVersion, signal },
    {
      onEvent(event) {
        if (event.type === "DELETED" && left.delete(event.object.metadata?.uid) && left.size === 0) resolve();
      },
      onClosed: (error) => reject(error ?? new Error("the watch of instances ended")),
    },
  );
  try {
    await promise;
  } finally {
    watch[Symbol.dispose]();
  }
}
