import type { Container } from "#api/core/v1/container.ts";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { PersistentVolume } from "#api/core/v1/persistent-volume.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Volume } from "#api/core/v1/volume.ts";
import type { World } from "#base/world.ts";
import type { FieldContext } from "../pod/field-ref.ts";
import type { ImageMounts } from "./image-volume.ts";
import type { Mounts } from "./mounts.ts";
import type { PayloadSources } from "./payload.ts";

/** One kind of volume. `volumePlugins` is the list of them. */
export interface VolumePlugin {
  /** As directories are named: `kubernetes.io~empty-dir`. */
  readonly name: string;
  readonly handles: (volume: Volume) => boolean;
  /** The kubelet writes its files and keeps them up to date. */
  readonly written?: boolean;
  /** Makes the volume, or finds it made; returns the path to mount. Rejects with upstream's text. */
  readonly setUp: (setup: VolumeSetup) => Promise<string>;
  /** Undoes what unmounting and removing the directory do not. */
  readonly tearDown?: (directory: string, context: VolumeContext) => Promise<void>;
}

export interface VolumeSetup {
  readonly pod: Pod;
  readonly volume: Volume;
  /** The volume's own; made by the plugin when it needs one. */
  readonly directory: string;
  readonly context: VolumeContext;
  readonly fields: FieldContext;
}

export interface VolumeContext {
  readonly world: World;
  readonly mounts: Mounts;
  /** Put before a path to see what the node sees there. */
  readonly rootPrefix: string;
  readonly sources: Omit<PayloadSources, "fields">;
  readonly claims: ClaimSource;
  readonly images: ImageMounts;
  /** Brings an image onto the node as for a container; returns the runtime's name of it. */
  readonly pullImage: (pod: Pod, container: Container) => Promise<string>;
}

/** Reads of the API server; undefined when it has none of that name. */
export interface ClaimSource {
  claim(namespace: string, name: string): Promise<PersistentVolumeClaim | undefined>;
  volume(name: string): Promise<PersistentVolume | undefined>;
}
