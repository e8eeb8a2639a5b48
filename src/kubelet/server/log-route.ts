import { join } from "node:path";
import type { ContainerStatus } from "#api/core/v1/container-status.ts";
import { findContainer } from "../pod/container-list.ts";
import { podLogDirectory } from "../pod/pod-paths.ts";
import { isRunning } from "../pod/pod-runtime.ts";
import type { PodWorker } from "../pod/pod-worker.ts";
import { type LogOptions, readContainerLog } from "./container-log.ts";
import { refuse, type Routed } from "./kubelet-server.ts";

const plain = { "content-type": "text/plain", "transfer-encoding": "chunked" };

/** `/containerLogs/{namespace}/{pod}/{container}`. Source: server.go getContainerLogs. */
export async function serveContainerLog({
  exchange,
  parts,
  query,
  options,
}: Routed): Promise<void> {
  const [namespace = "", name = "", container = ""] = parts;
  const { pods, services } = options.kubelet;
  const worker = pods.find(`${namespace}/${name}`);
  if (worker === undefined)
    return refuse(exchange, 404, `pod ${JSON.stringify(name)} does not exist\n`);
  if (findContainer(worker.pod, container) === undefined) {
    const message = `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(name)}\n`;
    return refuse(exchange, 404, message);
  }
  const logOptions = parseLogOptions(query, services.world.clock.nowMs());
  if (logOptions === undefined)
    return refuse(exchange, 400, `{"message": "Unable to decode query."}`);
  const id = instanceOf(worker, container, query.get("previous") === "true");
  if ("problem" in id) return refuse(exchange, 400, id.problem);
  const instance = worker.runtime.containers.find((each) => each.id === id.containerId);
  const directory = podLogDirectory(services.directories, worker.pod);
  const path = instance?.logPath || join(directory, container, `${id.restartCount}.log`);
  const chunks = readContainerLog(
    {
      path,
      files: services.world.files,
      isLive: () => isRunning(worker.runtime.containers.find((each) => each.id === id.containerId)),
      onChange: worker.onLook,
      signal: exchange.signal,
    },
    logOptions,
  );
  const { "transfer-encoding": _, ...headers } = plain;
  await exchange.respondStream(200, headers, chunks);
}

/** Source: server.go, core/v1 PodLogOptions. */
function parseLogOptions(query: URLSearchParams, nowMs: number): LogOptions | undefined {
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    return text === null ? undefined : Number(text);
  };
  const sinceSeconds = number("sinceSeconds");
  const sinceTime = query.get("sinceTime");
  const sinceMs =
    sinceSeconds !== undefined
      ? nowMs - sinceSeconds * 1000
      : sinceTime !== null
        ? Date.parse(sinceTime)
        : undefined;
  const tailLines = number("tailLines");
  const limitBytes = number("limitBytes");
  for (const value of [sinceMs, tailLines, limitBytes]) if (Number.isNaN(value)) return undefined;
  const stream = query.get("stream");
  return {
    follow: query.get("follow") === "true",
    timestamps: query.get("timestamps") === "true",
    tailLines,
    limitBytes,
    sinceMs,
    ...((stream === "Stdout" || stream === "Stderr") && { stream }),
  };
}

type Instance =
  | { readonly containerId: string; readonly restartCount: number }
  | { readonly problem: string };

/** Which instance's log is meant. Source: kubelet_pods.go validateContainerLogStatus. */
function instanceOf(worker: PodWorker, container: string, previous: boolean): Instance {
  const { status: told, pod } = worker;
  const name = pod.metadata?.name ?? "";
  const where = `container ${JSON.stringify(container)} in pod ${JSON.stringify(name)}`;
  const status = [
    ...(told?.containerStatuses ?? []),
    ...(told?.initContainerStatuses ?? []),
    ...(told?.ephemeralContainerStatuses ?? []),
  ].find((each) => each.name === container);
  if (status === undefined) return { problem: `${where} is not available` };
  const last = status.lastState?.terminated?.containerID ?? "";
  if (previous) {
    const missing = `previous terminated ${where} not found`;
    return last === "" ? { problem: missing } : instance(last, status.restartCount - 1);
  }
  return currentInstance(status, { where, last });
}

function currentInstance(
  { state, containerID = "", restartCount }: ContainerStatus,
  { where, last }: { readonly where: string; readonly last: string },
): Instance {
  if (state?.running) return instance(containerID, restartCount);
  const ended = state?.terminated?.containerID ?? "";
  if (ended !== "") return instance(ended, restartCount);
  if (last !== "") return instance(last, Math.max(0, restartCount - 1));
  if (state?.terminated) return { problem: `${where} is terminated` };
  const reason = state?.waiting?.reason ?? "";
  const why =
    reason === "ErrImagePull"
      ? ": image can't be pulled"
      : reason === "ImagePullBackOff"
        ? ": trying and failing to pull image"
        : `: ${reason}`;
  return { problem: `${where} is waiting to start${why}` };
}

function instance(containerId: string, restartCount: number): Instance {
  return { containerId: containerId.split("//")[1] ?? containerId, restartCount };
}
