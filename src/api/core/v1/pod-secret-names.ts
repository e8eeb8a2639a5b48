import type { Pod } from "./pod.ts";

/** Secrets that a Pod names: of its images, its containers' environment, its volumes. Source: pkg/api/v1/pod VisitPodSecretNames. */
export function podSecretNames({ spec }: Pod): Set<string> {
  const names: (string | undefined)[] = (spec?.imagePullSecrets ?? []).map(({ name }) => name);
  for (const { env, envFrom } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])]) {
    names.push(...(env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name));
    names.push(...(envFrom ?? []).map(({ secretRef }) => secretRef?.name));
  }
  for (const volume of spec?.volumes ?? []) {
    names.push(volume.secret?.secretName, volume.csi?.nodePublishSecretRef?.name);
    names.push(...(volume.projected?.sources ?? []).map(({ secret }) => secret?.name));
    names.push(volume.cephfs?.secretRef?.name, volume.iscsi?.secretRef?.name, volume.flexVolume?.secretRef?.name);
    names.push(
      volume.azureFile?.secretName,
      volume.rbd?.secretRef?.name,
      volume.scaleIO?.secretRef?.name,
      volume.storageos?.secretRef?.name,
    );
  }
  return new Set(names.filter((name): name is string => name !== undefined && name !== ""));
}
