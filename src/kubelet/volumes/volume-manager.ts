import { errorMessage } from "#base/error-message.ts";
import { join } from "node:path";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Volume } from "#api/core/v1/volume.ts";
import type { Mount } from "../cri/messages.ts";
import { propagation } from "../cri/messages.ts";
import { uidOf } from "../pod/container-list.ts";
import { expand } from "../pod/expand.ts";
import type { FieldContext } from "../pod/field-ref.ts";
import {
  memoryVolumesDirectory,
  type NodeDirectories,
  podDirectory,
  podVolumesDirectory,
  volumeDirectory,
} from "../pod/pod-paths.ts";
import { dataLink } from "./atomic-writer.ts";
import { emptyDir } from "./empty-dir.ts";
import { hostPath } from "./host-path.ts";
import { imageVolume } from "./image-volume.ts";
import { persistentVolume } from "./persistent-volume.ts";
import type { VolumeContext, VolumePlugin } from "./volume-plugin.ts";
import {
  configMapVolume,
  downwardApiVolume,
  projectedVolume,
  secretVolume,
} from "./written-volumes.ts";

/** The first that handles a volume sets it up. */
export const volumePlugins: readonly VolumePlugin[] = [
  configMapVolume,
  secretVolume,
  projectedVolume,
  emptyDir,
  downwardApiVolume,
  hostPath,
  persistentVolume,
  imageVolume,
];

/** Where a Pod's volumes are, by name. */
export type VolumePaths = ReadonlyMap<string, string>;

export interface VolumeManager {
  /** Makes every volume of the Pod or finds it made; rejects with a `VolumeError`. */
  setUp(pod: Pod, fields: FieldContext): Promise<VolumePaths>;
  /** Rewrites what came from the API. */
  refresh(pod: Pod, fields: FieldContext): Promise<void>;
  /** What the runtime shall mount into a container; sub-paths are bound first. */
  mountsOf(request: ContainerMounts): Promise<Mount[]>;
  /** Removes every trace of the Pod's volumes; none of its containers may run. */
  tearDown(uid: string): Promise<void>;
}

export interface ContainerMounts {
  readonly pod: Pod;
  readonly container: Container;
  readonly paths: VolumePaths;
  /** For `subPathExpr`. */
  readonly lookup: (name: string) => string | undefined;
}

/** One volume could not be made; the message is that of the FailedMount event. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
  readonly volume: string;

  constructor(volume: string, cause: unknown) {
    const why = errorMessage(cause);
    super(`MountVolume.SetUp failed for volume ${JSON.stringify(volume)} : ${why}`, { cause });
    this.volume = volume;
  }
}

export function createVolumeManager(
  directories: NodeDirectories,
  context: VolumeContext,
): VolumeManager {
  async function setUpOne(pod: Pod, volume: Volume, fields: FieldContext): Promise<string> {
    try {
      const plugin = volumePlugins.find(({ handles }) => handles(volume));
      if (plugin === undefined) throw new Error("no volume plugin matched");
      const directory = directoryOf(pod, volume, plugin);
      return await plugin.setUp({ pod, volume, directory, context, fields });
    } catch (error) {
      throw new VolumeError(volume.name, error);
    }
  }

  function directoryOf(pod: Pod, { name }: Volume, plugin: VolumePlugin): string {
    const uid = uidOf(pod);
    return plugin.written
      ? join(memoryVolumesDirectory(directories, uid), plugin.name, name)
      : volumeDirectory(directories, uid, { plugin: plugin.name, name });
  }

  /** What was written before serves when it cannot be written anew: its source may be gone. */
  async function setUpOrKeep(pod: Pod, volume: Volume, fields: FieldContext): Promise<string> {
    try {
      return await setUpOne(pod, volume, fields);
    } catch (error) {
      const plugin = volumePlugins.find(({ handles }) => handles(volume));
      if (plugin?.written !== true) throw error;
      const directory = directoryOf(pod, volume, plugin);
      const written = await context.world.files.stat(join(directory, dataLink));
      if (written === undefined) throw error;
      return directory;
    }
  }

  async function setUp(pod: Pod, fields: FieldContext): Promise<VolumePaths> {
    const volumes = pod.spec.volumes ?? [];
    const made = await Promise.allSettled(
      volumes.map((volume) => setUpOrKeep(pod, volume, fields)),
    );
    const paths = new Map<string, string>();
    for (const [i, result] of made.entries()) {
      if (result.status === "rejected") throw result.reason;
      paths.set(volumes[i]?.name ?? "", result.value);
    }
    return paths;
  }

  async function tearDownPlugins(uid: string): Promise<void> {
    const { files } = context.world;
    for (const { name, tearDown } of volumePlugins) {
      if (tearDown === undefined) continue;
      const parent = join(podVolumesDirectory(directories, uid), name);
      if ((await files.stat(parent)) === undefined) continue;
      for (const volume of await files.list(parent)) {
        const directory = join(parent, volume);
        await tearDown(directory, context).catch((error: unknown) =>
          context.world.log.warn("volume not torn down", { directory, error }),
        );
      }
    }
  }

  return {
    setUp,
    async refresh(pod, fields) {
      const written = (pod.spec.volumes ?? []).filter((volume) =>
        volumePlugins.some((plugin) => plugin.written === true && plugin.handles(volume)),
      );
      await Promise.all(written.map((volume) => setUpOne(pod, volume, fields)));
    },
    mountsOf: (request) => mountsOf(request, { directories, context }),
    async tearDown(uid) {
      const { files } = context.world;
      const directory = podDirectory(directories, uid);
      await tearDownPlugins(uid);
      if ((await files.stat(directory)) !== undefined) await context.mounts.unmountBelow(directory);
      await files.remove(directory);
      await files.remove(memoryVolumesDirectory(directories, uid));
    },
  };
}

async function mountsOf(
  { pod, container, paths, lookup }: ContainerMounts,
  {
    directories,
    context,
  }: { readonly directories: NodeDirectories; readonly context: VolumeContext },
): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = paths.get(mount.name);
    if (volume === undefined)
      throw new Error(
        `cannot find volume ${JSON.stringify(mount.name)} to mount into container ${JSON.stringify(container.name)}`,
      );
    const subPath = subPathOf(mount, lookup);
    let hostPath = volume;
    if (subPath !== "") {
      const directory = join(podDirectory(directories, uidOf(pod)), "volume-subpaths");
      hostPath = join(directory, mount.name, container.name, String(i));
      await context.mounts.bindInside({ volume, subPath, target: hostPath });
    }
    mounts.push({
      hostPath,
      containerPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`,
      readonly: mount.readOnly === true || isImage(pod, mount.name),
      propagation: propagation[(mount.mountPropagation ?? "None") as keyof typeof propagation],
    });
  }
  return mounts;
}

function isImage({ spec }: Pod, volumeName: string): boolean {
  return (
    spec.volumes?.some(({ name, image }) => name === volumeName && image !== undefined) === true
  );
}

function subPathOf(
  {
    subPath = "",
    subPathExpr = "",
  }: { subPath?: string | undefined; subPathExpr?: string | undefined },
  lookup: (name: string) => string | undefined,
): string {
  const missing: string[] = [];
  const path =
    subPathExpr === ""
      ? subPath
      : expand(subPathExpr, (name) => {
          const value = lookup(name);
          if (value === undefined) missing.push(name);
          return value;
        });
  const [first] = missing;
  if (first !== undefined) throw new Error(`missing value for ${JSON.stringify(first)}`);
  if (path.startsWith("/"))
    throw new Error(`error SubPath \`${path}\` must not be an absolute path`);
  if (path.split("/").includes(".."))
    throw new Error(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  return path;
}
