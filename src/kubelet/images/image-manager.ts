import { errorMessage } from "#base/error-message.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Secret } from "#api/core/v1/secret.ts";
import { goQuote } from "#apimachinery/field-error.ts";
import { createKeyedBackoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import type { AuthConfig, PodSandboxConfig, RuntimeImage } from "../cri/messages.ts";
import type { ImageService } from "../cri/runtime.ts";
import type { PodEvents } from "../pod/pod-events.ts";
import { uidOf } from "../pod/container-list.ts";
import type { ImageUser } from "../pod/security.ts";
import { credentialsFor } from "./docker-config.ts";
import { withDefaultTag } from "./image-name.ts";

export interface ImageManager {
  /** Sees to it that the container's image is on the node; rejects with an `ImageError`. */
  ensure(request: EnsureImage): Promise<PulledImage>;
}

export interface EnsureImage {
  readonly pod: Pod;
  readonly container: Container;
  readonly sandboxConfig: PodSandboxConfig;
  readonly pullSecrets: readonly Secret[];
}

export interface PulledImage {
  /** What to create the container from. */
  readonly ref: string;
  readonly user: ImageUser;
}

export type ImageErrorReason =
  | "ErrImagePull"
  | "ImagePullBackOff"
  | "ErrImageNeverPull"
  | "ImageInspectError"
  | "InvalidImageName";

/** Reason and message are those of the waiting container. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly reason: ImageErrorReason;
  /** When trying again can make a difference. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: ImageErrorReason, message: string, options: { retryAfterMs?: number } = {}) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Source: kubelet.go imageBackOffPeriod, MaxImageBackOff. */
const backoffInitialMs = 10_000;
const backoffMaxMs = 300_000;
/** After a failure the next look comes soon, and shows that the image is backing off. */
const soonMs = 1000;

export function createImageManager(options: {
  readonly images: ImageService;
  readonly events: PodEvents;
  readonly clock: Clock;
}): ImageManager {
  const { images, events, clock } = options;
  const backoff = createKeyedBackoff({ initialMs: backoffInitialMs, maxMs: backoffMaxMs }, clock);
  const lastErrors = new Map<string, string>();
  /** One pull at a time, as the kubelet does by default. */
  let lastPull: Promise<unknown> = Promise.resolve();

  async function look(
    image: string,
    { pod, container }: EnsureImage,
  ): Promise<RuntimeImage | undefined> {
    try {
      return await images.imageStatus(image);
    } catch (error) {
      const message = `Failed to inspect image ${goQuote(image)}: ${errorMessage(error)}`;
      events.warning(pod, "InspectFailed", message, container.name);
      throw new ImageError("ImageInspectError", message);
    }
  }

  async function pull(image: string, request: EnsureImage): Promise<RuntimeImage | undefined> {
    const { pod, container } = request;
    const key = `${uidOf(pod)}_${image}`;
    const remainingMs = backoff.remainingMs(key);
    if (remainingMs > 0) {
      const message = `Back-off pulling image ${goQuote(image)}`;
      events.normal(pod, "BackOff", message, container.name);
      const cause = lastErrors.get(key);
      throw new ImageError(
        "ImagePullBackOff",
        cause === undefined ? message : `${message}: ErrImagePull: ${cause}`,
        {
          retryAfterMs: remainingMs,
        },
      );
    }
    const askedMs = clock.monotonicMs();
    const mine = lastPull.then(() => pullNow(image, request, askedMs));
    lastPull = mine.catch(() => undefined);
    try {
      const pulled = await mine;
      backoff.forget(key);
      lastErrors.delete(key);
      return pulled;
    } catch (error) {
      const message = errorMessage(error);
      events.warning(
        pod,
        "Failed",
        `Failed to pull image ${goQuote(image)}: ${message}`,
        container.name,
      );
      lastErrors.set(key, message);
      throw new ImageError("ErrImagePull", message, {
        retryAfterMs: Math.min(soonMs, backoff.next(key)),
      });
    }
  }

  async function pullNow(
    image: string,
    request: EnsureImage,
    askedMs: number,
  ): Promise<RuntimeImage | undefined> {
    const { pod, container, sandboxConfig, pullSecrets } = request;
    events.normal(pod, "Pulling", `Pulling image ${goQuote(image)}`, container.name);
    const startedMs = clock.monotonicMs();
    const credentials = credentialsFor(image, pullSecrets);
    await pullWith(image, sandboxConfig, credentials);
    const pulled = await images.imageStatus(image);
    const nowMs = clock.monotonicMs();
    const took = `${seconds(nowMs - startedMs)} (${seconds(nowMs - askedMs)} including waiting)`;
    const message = `Successfully pulled image ${goQuote(image)} in ${took}. Image size: ${pulled?.size ?? 0} bytes.`;
    events.normal(pod, "Pulled", message, container.name);
    return pulled;
  }

  /** Tries each credential; the last failure counts. */
  async function pullWith(
    image: string,
    sandboxConfig: PodSandboxConfig,
    credentials: readonly AuthConfig[],
  ): Promise<void> {
    if (credentials.length === 0) return void (await images.pullImage({ image, sandboxConfig }));
    const failures: unknown[] = [];
    for (const auth of credentials) {
      try {
        await images.pullImage({ image, sandboxConfig, auth });
        return;
      } catch (error) {
        failures.push(error);
      }
    }
    throw failures.at(-1);
  }

  return {
    async ensure(request) {
      const { pod, container } = request;
      const image = withDefaultTag(container.image ?? "");
      if (image === undefined) {
        const message =
          `Failed to apply default image tag ${goQuote(container.image ?? "")}: couldn't parse image ` +
          `name ${goQuote(container.image ?? "")}: invalid reference format`;
        events.warning(pod, "InspectFailed", message, container.name);
        throw new ImageError("InvalidImageName", message);
      }
      const present = await look(image, request);
      const policy = container.imagePullPolicy ?? "IfNotPresent";
      if (present !== undefined && policy !== "Always") {
        const message = `Container image ${goQuote(image)} already present on machine and can be accessed by the pod`;
        events.normal(pod, "Pulled", message, container.name);
        return pulledImage(present);
      }
      if (policy === "Never") {
        const message = `Container image ${goQuote(image)} is not present with pull policy of Never`;
        events.warning(pod, "ErrImageNeverPull", message, container.name);
        throw new ImageError("ErrImageNeverPull", message);
      }
      const pulled = await pull(image, request);
      if (pulled === undefined)
        throw new ImageError("ErrImagePull", `image ${image} vanished after the pull`);
      return pulledImage(pulled);
    },
  };
}

/** An image that names no user runs as root. */
function pulledImage({ id, uid, username }: RuntimeImage): PulledImage {
  const named = uid?.value ?? (username === "" ? 0 : undefined);
  return { ref: id, user: { uid: named, username } };
}

function seconds(durationMs: number): string {
  return durationMs < 1000 ? `${Math.round(durationMs)}ms` : `${(durationMs / 1000).toFixed(3)}s`;
}
