/** Which images to remove when the disk is full. Pure. Source: kubelet/images/image_gc_manager.go. */
import type { RuntimeImage } from "../cri/messages.ts";

export interface ImageRecord {
  readonly image: RuntimeImage;
  /** Monotonic milliseconds. */
  readonly firstSeenMs: number;
  readonly lastUsedMs: number;
  readonly inUse: boolean;
}

export interface ImageCollection {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly nowMs: number;
}

/** Source: kubelet config imageGCHighThresholdPercent, imageGCLowThresholdPercent, imageMinimumGCAge. */
export const highThresholdShare = 0.85;
export const lowThresholdShare = 0.8;
export const imageAgeMinMs = 120_000;

/** Nothing below the high threshold; else the longest unused first, down to the low one. */
export function imagesToRemove(
  records: readonly ImageRecord[],
  { capacityBytes, availableBytes, nowMs }: ImageCollection,
): RuntimeImage[] {
  const usedBytes = capacityBytes - availableBytes;
  if (capacityBytes === 0 || usedBytes / capacityBytes < highThresholdShare) return [];
  return unusedImages(records, nowMs, usedBytes - capacityBytes * lowThresholdShare);
}

/** Unused images that together free at least `wantedBytes`, or all there are. */
export function unusedImages(
  records: readonly ImageRecord[],
  nowMs: number,
  wantedBytes: number,
): RuntimeImage[] {
  const removable = records
    .filter(
      ({ inUse, image, firstSeenMs }) =>
        !inUse && !image.pinned && nowMs - firstSeenMs >= imageAgeMinMs,
    )
    .toSorted((a, b) => a.lastUsedMs - b.lastUsedMs || a.firstSeenMs - b.firstSeenMs);
  const chosen: RuntimeImage[] = [];
  let freedBytes = 0;
  for (const { image } of removable) {
    if (freedBytes >= wantedBytes) break;
    chosen.push(image);
    freedBytes += image.size;
  }
  return chosen;
}
