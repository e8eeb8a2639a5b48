import { quantityValue } from "#apimachinery/quantity.ts";
import { podLimits } from "../pod/resources.ts";
import type { VolumePlugin } from "./volume-plugin.ts";

/** A directory of the Pod, on disk or in memory. Source: pkg/volume/emptydir. */
export const emptyDir: VolumePlugin = {
  name: "kubernetes.io~empty-dir",
  handles: (volume) => volume.emptyDir !== undefined,
  async setUp({ pod, volume, directory, context }) {
    const { files } = context.world;
    const { medium = "", sizeLimit } = volume.emptyDir ?? {};
    const { fsGroup } = pod.spec.securityContext ?? {};
    const path = `${context.rootPrefix}${directory}`;
    if (medium === "" && (await files.stat(path)) !== undefined) return directory;
    await files.makeDirectory(path);
    if (medium === "Memory") {
      const limits = [
        sizeLimit === undefined ? 0 : quantityValue(sizeLimit),
        podLimits(pod).memoryBytes ?? 0,
      ];
      const given = limits.filter((bytes) => bytes > 0);
      await context.mounts.tmpfs(directory, given.length > 0 ? Math.min(...given) : undefined);
    } else if (medium !== "") {
      throw new Error(`unsupported storage medium ${JSON.stringify(medium)}`);
    }
    if (fsGroup !== undefined) await files.chown(path, 0, fsGroup);
    // The umask took bits away; with a group, what is made inside belongs to it.
    await files.chmod(path, fsGroup === undefined ? 0o777 : 0o2777);
    return directory;
  },
};
