import type { Pod } from "#api/core/v1/pod.ts";
import { type AdmissionRequest, forbid } from "../request.ts";

const mirrorAnnotation = "kubernetes.io/config.mirror";

/**
 * A kubelet creates pods only as images of those it runs from files, which refer to no object.
 * Source: plugin/pkg/admission/noderestriction admitPodCreate.
 */
export function refuseMirrorPod(request: AdmissionRequest, node: string): void {
  const pod = request.object as Pod;
  const shown = JSON.stringify(node);
  const refuse = (text: string): never => {
    throw forbid(request, text);
  };
  if (pod.metadata?.annotations?.[mirrorAnnotation] === undefined) {
    refuse(
      `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, node ${shown} can only create mirror pods`,
    );
  }
  if (pod.spec?.nodeName !== node)
    refuse(`node ${shown} can only create pods with spec.nodeName set to itself`);
  const owners = pod.metadata?.ownerReferences ?? [];
  const [owner] = owners;
  if (owners.length > 1)
    refuse(`node ${shown} can only create pods with a single owner reference set to itself`);
  if (owner !== undefined) {
    const isSelf = owner.apiVersion === "v1" && owner.kind === "Node" && owner.name === node;
    if (!isSelf) refuse(`node ${shown} can only create pods with an owner reference set to itself`);
    if (owner.controller !== true) {
      refuse(`node ${shown} can only create pods with a controller owner reference set to itself`);
    }
    if (owner.blockOwnerDeletion === true) {
      refuse(`node ${shown} must not set blockOwnerDeletion on an owner reference`);
    }
  }
  if (pod.spec?.serviceAccountName)
    refuse(`node ${shown} can not create pods that reference a service account`);
  const referred = references(pod);
  if (referred !== undefined)
    refuse(`node ${shown} can not create pods that reference ${referred}`);
}

function references({ spec }: Pod): string | undefined {
  for (const { secret, configMap, persistentVolumeClaim } of spec?.volumes ?? []) {
    if (secret !== undefined) return "secrets";
    if (configMap !== undefined) return "configmaps";
    if (persistentVolumeClaim !== undefined) return "persistentvolumeclaims";
  }
  for (const { env = [], envFrom = [] } of [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
  ]) {
    if (
      env.some(({ valueFrom }) => valueFrom?.secretKeyRef) ||
      envFrom.some(({ secretRef }) => secretRef)
    ) {
      return "secrets";
    }
    if (
      env.some(({ valueFrom }) => valueFrom?.configMapKeyRef) ||
      envFrom.some(({ configMapRef }) => configMapRef)
    ) {
      return "configmaps";
    }
  }
  return undefined;
}
