/** Keeps container logs small. Source: kubelet/logs/container_log_manager.go. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Files } from "#base/files.ts";
import type { World } from "#base/world.ts";
import type { RuntimeService } from "../cri/runtime.ts";
import type { PodManager } from "../pod/pod-manager.ts";
import { runningContainers } from "../pod/pod-runtime.ts";

export interface LogRotationOptions {
  readonly manager: PodManager;
  readonly runtime: RuntimeService;
  readonly world: World;
  readonly sizeMaxBytes: number;
  /** With the one being written. */
  readonly filesMax: number;
}

/** Looks once at the logs of all running containers. */
export async function rotateLogs(options: LogRotationOptions): Promise<void> {
  const { manager, world, sizeMaxBytes } = options;
  for (const worker of manager.list()) {
    for (const { id, logPath } of runningContainers(worker.runtime)) {
      const stat = logPath === "" ? undefined : await world.files.stat(logPath);
      if (stat === undefined || stat.sizeBytes < sizeMaxBytes) continue;
      await rotate(options, id, logPath).catch((error: unknown) =>
        world.log.warn("container log not rotated", { path: logPath, error }),
      );
    }
  }
}

async function rotate(
  { runtime, world, filesMax }: LogRotationOptions,
  id: string,
  path: string,
): Promise<void> {
  const { files, clock } = world;
  // One more is made now, and the one being written counts too.
  const old = await rotatedLogs(files, path);
  const excess = Math.max(0, old.length - (filesMax - 2));
  for (const name of old.slice(0, excess)) await files.remove(name);
  for (const name of old.slice(excess)) if (!name.endsWith(".gz")) await compress(files, name);
  const stamp = new Date(clock.nowMs())
    .toISOString()
    .slice(0, 19)
    .replaceAll(/[-:]/g, "")
    .replace("T", "-");
  const rotated = `${path}.${stamp}`;
  await files.rename(path, rotated);
  try {
    await runtime.reopenContainerLog(id);
  } catch (error) {
    await files.rename(rotated, path);
    throw error;
  }
}

/** Oldest first. */
async function rotatedLogs(files: Files, path: string): Promise<string[]> {
  const slash = path.lastIndexOf("/");
  const prefix = `${path.slice(slash + 1)}.`;
  const names = await files.list(path.slice(0, slash));
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(path.slice(0, slash), name));
}

async function compress(files: Files, path: string): Promise<void> {
  await files.writeAtomic(`${path}.gz`, gzipSync(await files.read(path)));
  await files.remove(path);
}
