import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { IngressClass } from "#api/networking/v1/ingress-class.ts";
import type { Ingress } from "#api/networking/v1/ingress.ts";
import type { StorageClass } from "#api/storage/v1/storage-class.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { isAbout } from "../request.ts";

/**
 * The newest of the classes that an annotation marks as default; of two as old the first by name.
 */
function defaultOf<T extends KubeObject>(
  classes: LiveSet<T>,
  annotations: readonly string[],
): T | undefined {
  const marked = [...classes.values()].filter(({ metadata }) =>
    annotations.some((annotation) => metadata?.annotations?.[annotation] === "true"),
  );
  const keyOf = ({ metadata }: T): string => metadata?.creationTimestamp ?? "";
  return marked.sort((a, b) => {
    if (keyOf(a) !== keyOf(b)) return keyOf(a) > keyOf(b) ? -1 : 1;
    return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
  })[0];
}

/** Source: plugin/pkg/admission/storage/storageclass/setdefault. */
export function defaultStorageClass(classes: LiveSet<StorageClass>): AdmissionPlugin {
  return {
    name: "DefaultStorageClass",
    handles: (request) =>
      request.operation === "CREATE" && isAbout(request, "", "persistentvolumeclaims"),
    mutate({ object }) {
      const claim = object as PersistentVolumeClaim;
      const old = claim.metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"];
      if (claim.spec?.storageClassName !== undefined || old !== undefined) return undefined;
      const found = defaultOf(classes, [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
      ]);
      if (found === undefined) return undefined;
      return {
        ...claim,
        spec: { ...claim.spec, storageClassName: found.metadata?.name },
      } as PersistentVolumeClaim;
    },
  };
}

/** Source: plugin/pkg/admission/network/defaultingressclass. */
export function defaultIngressClass(classes: LiveSet<IngressClass>): AdmissionPlugin {
  return {
    name: "DefaultIngressClass",
    handles: (request) =>
      request.operation === "CREATE" && isAbout(request, "networking.k8s.io", "ingresses"),
    mutate({ object }) {
      const ingress = object as Ingress;
      const old = ingress.metadata?.annotations?.["kubernetes.io/ingress.class"];
      if (ingress.spec?.ingressClassName !== undefined || old !== undefined) return undefined;
      const found = defaultOf(classes, ["ingressclass.kubernetes.io/is-default-class"]);
      if (found === undefined) return undefined;
      return {
        ...ingress,
        spec: { ...ingress.spec, ingressClassName: found.metadata?.name },
      } as Ingress;
    },
  };
}
