import type { PersistentVolume } from "#api/core/v1/persistent-volume.ts";
import type { Volume } from "#api/core/v1/volume.ts";
import { checkHostPath } from "./host-path.ts";
import type { VolumePlugin, VolumeSetup } from "./volume-plugin.ts";

/** A volume that is claimed, by a claim that is there or by one made for the Pod alone. */
export const persistentVolume: VolumePlugin = {
  name: "kubernetes.io~persistent-volume",
  handles: (volume) => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined,
  async setUp(setup) {
    const volume = await boundVolume(setup);
    const { hostPath, local } = volume.spec ?? {};
    if (hostPath !== undefined) {
      await checkHostPath(setup, hostPath.path, hostPath.type ?? "");
      return hostPath.path;
    }
    if (local !== undefined) {
      await shareWithGroup(setup, local.path);
      return local.path;
    }
    throw new Error(`no volume plugin matched name: ${volume.metadata?.name ?? ""}`);
  },
};

/** Source: volumemanager/populator getPVCExtractPV. */
async function boundVolume({ pod, volume, context }: VolumeSetup): Promise<PersistentVolume> {
  const namespace = pod.metadata?.namespace ?? "";
  const name = claimName(volume, pod.metadata?.name ?? "");
  const where = `error processing PVC ${namespace}/${name}`;
  const claim = await context.claims.claim(namespace, name);
  if (claim === undefined) {
    throw new Error(
      `${where}: failed to fetch PVC from API server: persistentvolumeclaims ${JSON.stringify(name)} not found`,
    );
  }
  if (claim.metadata?.deletionTimestamp !== undefined && !claim.metadata.finalizers?.length) {
    throw new Error(`${where}: PVC is being deleted`);
  }
  const { volumeName = "" } = claim.spec ?? {};
  if (claim.status?.phase !== "Bound" || volumeName === "")
    throw new Error(`${where}: PVC is not bound`);
  const found = await context.claims.volume(volumeName);
  if (found === undefined) {
    throw new Error(`${where}: failed to fetch PV ${volumeName} from API server: not found`);
  }
  return found;
}

export function claimName(volume: Volume, podName: string): string {
  return volume.persistentVolumeClaim?.claimName ?? `${podName}-${volume.name}`;
}

/** Source: pkg/volume/volume_linux.go SetVolumeOwnership. */
async function shareWithGroup({ pod, context }: VolumeSetup, path: string): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {};
  if (fsGroup === undefined) return;
  const whole = fsGroupChangePolicy === "OnRootMismatch" ? "0" : "1";
  const script = `
[ "$3" = 0 ] && [ "$(stat -c %g "$1")" = "$2" ] && exit 0
chgrp -hR "$2" "$1"
find "$1" -type d -exec chmod g+rwxs {} + -o -type f -exec chmod g+rw {} +`;
  const args = [`${context.rootPrefix}${path}`, String(fsGroup), whole];
  await context.world.processes.run("sh", ["-c", script, "sh", ...args]);
}
