import { rfc3339 } from "#base/clock.ts";
import type { CustomResourceDefinition } from "./custom-resource-definition.ts";

/** Holds a definition until its instances are gone. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

/**
 * A definition as the first delete leaves it: marked, held, its condition told.
 * Source: apiextensions-apiserver pkg/registry/customresourcedefinition/etcd.go.
 */
export function markForDeletion(crd: CustomResourceDefinition, nowMs: number): CustomResourceDefinition {
  const time = rfc3339(nowMs);
  const finalizers = crd.metadata.finalizers ?? [];
  const conditions = (crd.status?.conditions ?? []).filter(({ type }) => type !== "Terminating");
  const terminating = {
    type: "Terminating",
    status: "True",
    lastTransitionTime: time,
    reason: "InstanceDeletionPending",
    message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
  };
  return {
    ...crd,
    metadata: {
      ...crd.metadata,
      deletionTimestamp: time,
      finalizers: finalizers.includes(cleanupFinalizer) ? finalizers : [...finalizers, cleanupFinalizer],
    },
    status: {
      acceptedNames: { plural: "", kind: "" },
      storedVersions: [],
      ...crd.status,
      conditions: [...conditions, terminating],
    },
  };
}
