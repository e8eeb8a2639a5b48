import type { World } from "#base/world.ts";
import type { ContainerRuntime } from "../cri/runtime.ts";
import { type ImageRecord, imagesToRemove, unusedImages } from "./image-collection.ts";

export interface ImageCollector {
  /** Notes what is there, and removes what is too much. */
  collect(): Promise<void>;
  /** Frees as much as it can. */
  reclaim(): Promise<void>;
}

export interface ImageCollectorOptions {
  readonly cri: ContainerRuntime;
  readonly world: World;
  /** Where images are kept. */
  readonly directory: string;
  readonly capacityBytes: number;
  /** Never removed: sandboxes need it. */
  readonly sandboxImage: string;
}

export function createImageCollector(options: ImageCollectorOptions): ImageCollector {
  const { cri, world, directory, capacityBytes, sandboxImage } = options;
  const { clock, log } = world;
  const seen = new Map<string, { readonly firstSeenMs: number; lastUsedMs: number }>();

  async function observe(): Promise<ImageRecord[]> {
    const [images, containers] = await Promise.all([
      cri.images.listImages(),
      cri.runtime.listContainers(),
    ]);
    const nowMs = clock.monotonicMs();
    const used = new Set(
      containers.flatMap(({ imageRef, image }) => [imageRef, image?.image ?? ""]),
    );
    const ids = new Set(images.map(({ id }) => id));
    for (const id of seen.keys()) if (!ids.has(id)) seen.delete(id);
    return images.map((image) => {
      const times = seen.get(image.id) ?? { firstSeenMs: nowMs, lastUsedMs: 0 };
      seen.set(image.id, times);
      const inUse =
        used.has(image.id) ||
        image.repoTags.includes(sandboxImage) ||
        [...image.repoTags, ...image.repoDigests].some((name) => used.has(name));
      if (inUse) times.lastUsedMs = nowMs;
      return { image, inUse, ...times };
    });
  }

  async function remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await cri.images
        .removeImage(id)
        .catch((error: unknown) => log.warn("image not removed", { image: id, error }));
    }
  }

  return {
    async collect() {
      const records = await observe();
      const availableBytes = await world.files.freeBytes(directory);
      const nowMs = clock.monotonicMs();
      const images = imagesToRemove(records, { capacityBytes, availableBytes, nowMs });
      await remove(images.map(({ id }) => id));
    },
    async reclaim() {
      const records = await observe();
      await remove(unusedImages(records, clock.monotonicMs(), Infinity).map(({ id }) => id));
    },
  };
}
