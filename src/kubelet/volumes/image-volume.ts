import { IoError } from "#base/files.ts";
import type { Processes } from "#base/processes.ts";
import type { VolumePlugin } from "./volume-plugin.ts";

/** Shows the files of images, as a port. */
export interface ImageMounts {
  /** At `path`, read-only; nothing happens when something is mounted there. */
  mount(imageName: string, path: string): Promise<void>;
  unmount(path: string): Promise<void>;
}

/** An image as a read-only volume. Source: KEP-4639; before containerd 2.1 CRI cannot mount images. */
export const imageVolume: VolumePlugin = {
  name: "kubernetes.io~image",
  handles: (volume) => volume.image !== undefined,
  async setUp({ pod, volume, directory, context }) {
    const { reference = "", pullPolicy } = volume.image ?? {};
    const name = await context.pullImage(pod, {
      name: volume.name,
      image: reference,
      ...(pullPolicy !== undefined && { imagePullPolicy: pullPolicy }),
    });
    await context.world.files.makeDirectory(`${context.rootPrefix}${directory}`);
    await context.images.mount(name, directory);
    return directory;
  },
  tearDown: (directory, context) => context.images.unmount(directory),
};

/** Through containerd's own client, in the node's mount namespace. */
export function createImageMounts(
  processes: Processes,
  options: { readonly socketPath: string; readonly enter: readonly string[] },
): ImageMounts {
  async function ctr(...args: string[]): Promise<void> {
    const client = ["ctr", "--address", options.socketPath, "--namespace", "k8s.io"];
    const [command = "", ...rest] = [...options.enter, ...client, ...args];
    const { code, stderr } = await processes.run(command, rest);
    if (code !== 0) throw new IoError("ctr", "EFAILED", { detail: stderr.trim() });
  }

  return {
    async mount(imageName, path) {
      const [command = "mountpoint", ...rest] = [...options.enter, "mountpoint", "-q", path];
      const mounted = await processes.run(command, rest);
      if (mounted.code !== 0) await ctr("images", "mount", imageName, path);
    },
    unmount: (path) => ctr("images", "unmount", "--rm", path),
  };
}
