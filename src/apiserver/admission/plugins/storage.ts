import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { StorageClass } from "#api/storage/v1/storage-class.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { compareQuantities } from "#apimachinery/quantity.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { forbid, isAbout } from "../request.ts";

/** Finalizers that hold storage while it is used, by group and plural. */
const protections = new Map([
  ["/persistentvolumeclaims", "kubernetes.io/pvc-protection"],
  ["/persistentvolumes", "kubernetes.io/pv-protection"],
  ["storage.k8s.io/volumeattributesclasses", "kubernetes.io/vac-protection"],
]);

/** Source: plugin/pkg/admission/storage/storageobjectinuseprotection. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  handles: ({ operation, call, definition }) =>
    operation === "CREATE" &&
    call.subresource === "" &&
    protections.has(`${definition.group}/${definition.plural}`),
  mutate({ object, definition }) {
    const finalizer = protections.get(`${definition.group}/${definition.plural}`);
    const { metadata } = object as KubeObject;
    const finalizers = metadata?.finalizers ?? [];
    if (finalizer === undefined || finalizers.includes(finalizer)) return undefined;
    return { ...object, metadata: { ...metadata, finalizers: [...finalizers, finalizer] } };
  },
};

/** Source: plugin/pkg/admission/storage/persistentvolume/resize. */
export function persistentVolumeClaimResize(classes: LiveSet<StorageClass>): AdmissionPlugin {
  return {
    name: "PersistentVolumeClaimResize",
    handles: (request) =>
      request.operation === "UPDATE" && isAbout(request, "", "persistentvolumeclaims"),
    validate(request) {
      const [claim, old] = [
        request.object as PersistentVolumeClaim,
        request.oldObject as PersistentVolumeClaim,
      ];
      const [size, before] = [claim, old].map(
        (one) => one.spec?.resources?.requests?.["storage"] ?? "0",
      );
      if (compareQuantities(size ?? "0", before ?? "0") <= 0) return;
      if (old.status?.phase !== "Bound") {
        throw forbid(request, "Only bound persistent volume claims can be expanded");
      }
      const annotated = claim.metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"];
      const name = annotated ?? claim.spec?.storageClassName ?? "";
      if (classes.get("", name)?.allowVolumeExpansion === true) return;
      throw forbid(
        request,
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
      );
    },
  };
}
