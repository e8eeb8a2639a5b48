import { errorMessage } from "#base/error-message.ts";
import type { Files } from "#base/files.ts";
import type { RuntimeContainerStatus } from "../cri/messages.ts";
import { containerState } from "../cri/messages.ts";
import type { PodRuntime } from "./pod-runtime.ts";
import { annotationNames } from "./runtime-labels.ts";

/** Source: kuberuntime types MaxContainerTerminationMessage*. */
const messageBytesMax = 4096;
const logBytesMax = 2048;
const logLinesMax = 80;

/** Adds to `known` what containers that ended since left behind, by container id. */
export async function readTerminationMessages(
  runtime: PodRuntime,
  { known, files }: { readonly known: Map<string, string>; readonly files: Files },
): Promise<void> {
  for (const container of runtime.containers) {
    if (container.state !== containerState.exited || known.has(container.id)) continue;
    known.set(container.id, await messageOf(container, files));
  }
  const present = new Set(runtime.containers.map(({ id }) => id));
  for (const id of known.keys()) if (!present.has(id)) known.delete(id);
}

async function messageOf(container: RuntimeContainerStatus, files: Files): Promise<string> {
  const path = container.annotations[annotationNames.terminationMessagePath] ?? "";
  const mount = container.mounts.find(({ containerPath }) => containerPath === path);
  const written = path === "" || mount === undefined ? "" : await readStart(files, mount.hostPath);
  if (written !== "") return written;
  const policy = container.annotations[annotationNames.terminationMessagePolicy];
  if (policy === "FallbackToLogsOnError" && container.exitCode !== 0) {
    return lastLogLines(files, container.logPath);
  }
  return container.message;
}

async function readStart(files: Files, path: string): Promise<string> {
  try {
    await using handle = await files.open(path, {});
    return Buffer.from(await handle.read(0, messageBytesMax)).toString("utf8");
  } catch (error) {
    const why = errorMessage(error);
    return `Error on reading termination log ${path}: ${why}`;
  }
}

async function lastLogLines(files: Files, path: string): Promise<string> {
  try {
    await using handle = await files.open(path, {});
    const sizeBytes = await handle.sizeBytes();
    const wantedBytes = Math.min(sizeBytes, logBytesMax * 4);
    const tail = Buffer.from(await handle.read(sizeBytes - wantedBytes, wantedBytes)).toString(
      "utf8",
    );
    const lines = tail.split("\n");
    if (wantedBytes < sizeBytes) lines.shift();
    const wanted = lines.filter((line) => line !== "").slice(-logLinesMax);
    return Buffer.from(wanted.map(writtenText).join("")).subarray(-logBytesMax).toString("utf8");
  } catch {
    // Without a log there is nothing to say.
    return "";
  }
}

/** Of `TIME stdout F text`: the fourth word on; `P` has no newline of its own. */
function writtenText(line: string): string {
  const [, , tags = "", ...text] = line.split(" ");
  return `${text.join(" ")}${tags.split(":").includes("P") ? "" : "\n"}`;
}
