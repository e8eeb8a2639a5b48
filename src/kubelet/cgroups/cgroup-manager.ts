import { join } from "node:path";
import type { Pod } from "#api/core/v1/pod.ts";
import type { World } from "#base/world.ts";
import { podCgroup, podCgroupSettings } from "./pod-cgroup.ts";

/** The cgroups of a node's Pods; the runtime makes those of containers below them. */
export interface CgroupManager {
  readonly version: 1 | 2;
  /** Makes or updates the Pod's cgroup; returns what the runtime takes as its parent. */
  ensurePod(pod: Pod): Promise<string>;
  removePod(pod: Pod): Promise<void>;
  /** Removes those of Pods whose uid is not among `uids`: left by an earlier life. */
  removeOrphans(uids: ReadonlySet<string>): Promise<void>;
}

export interface CgroupOptions {
  /** `kubepods` of a node, relative to the hierarchy: `kubets-node-1`. */
  readonly root: string;
  readonly podPidsMax: number;
  readonly world: World;
  /** @default "/sys/fs/cgroup" */
  readonly mountPoint?: string;
}

/** The controllers that limits of Pods are written to. */
const controllers = ["cpu", "memory", "pids"] as const;

export async function createCgroupManager(options: CgroupOptions): Promise<CgroupManager> {
  const { root, world, podPidsMax, mountPoint = "/sys/fs/cgroup" } = options;
  const { files, processes } = world;
  const version = (await files.stat(join(mountPoint, "cgroup.controllers"))) === undefined ? 1 : 2;
  const pathOf = (controller: string, cgroup: string): string =>
    version === 1 ? join(mountPoint, controller, cgroup) : join(mountPoint, cgroup);

  async function make(cgroup: string): Promise<void> {
    if (version === 1) {
      for (const controller of controllers) await files.makeDirectory(pathOf(controller, cgroup));
      return;
    }
    // Each level must hand the controllers on to the next.
    let at = mountPoint;
    for (const part of cgroup.split("/").filter((name) => name !== "")) {
      await files.write(join(at, "cgroup.subtree_control"), "+cpu +memory +pids +cpuset +io");
      at = join(at, part);
      await files.makeDirectory(at);
    }
  }

  async function removeTree(cgroup: string): Promise<void> {
    const script = `
for tree in "$1" "$1"/*; do
  [ -d "$tree/$2" ] && find "$tree/$2" -depth -type d -exec rmdir {} + 2>/dev/null
done
exit 0`;
    await processes.run("sh", ["-c", script, "sh", mountPoint, cgroup]);
  }

  return {
    version,
    async ensurePod(pod) {
      const cgroup = podCgroup(root, pod);
      await make(cgroup);
      for (const { controller, file, value } of podCgroupSettings(pod, version, podPidsMax)) {
        await files.write(join(pathOf(controller, cgroup), file), value);
      }
      return cgroup;
    },
    removePod: (pod) => removeTree(podCgroup(root, pod)),
    async removeOrphans(uids) {
      for (const parent of ["", "burstable", "besteffort"]) {
        const directory = pathOf("memory", join(root, parent));
        if ((await files.stat(directory)) === undefined) continue;
        const orphans = (await files.list(directory)).filter(
          (name) => name.startsWith("pod") && !uids.has(name.slice(3)),
        );
        for (const name of orphans) await removeTree(join(root, parent, name));
      }
    },
  };
}
