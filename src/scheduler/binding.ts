/** From the decision to the written binding. */
import type { NamedFilter } from "./evaluation.ts";
import type { ExtenderCalls } from "./extender-calls.ts";
import { failed, type Status } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import type { ProfileRuntime } from "./profile-runtime.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { askPermits, type Rejection, type WaitingPods } from "./waiting-pods.ts";

export interface BindFailure {
  readonly plugin: string;
  readonly status: Status;
  /** As it is told. */
  readonly message: string;
}

/** Takes what the pod needs on the node; all or nothing. */
export function reserve(filters: readonly NamedFilter[], node: NodeInfo): BindFailure | undefined {
  for (const { name, filter } of filters) {
    const status = filter.reserve?.(node);
    if (status === undefined) continue;
    const message = `running Reserve plugin "${name}": ${status.reasons.join(", ")}`;
    return { plugin: name, status, message };
  }
  return undefined;
}

/** Asks for leave to bind. A promise: the pod has to wait for it. */
export function permit(
  pod: PodInfo,
  node: NodeInfo,
  { runtime, waiting }: { readonly runtime: ProfileRuntime; readonly waiting: WaitingPods },
): BindFailure | undefined | Promise<BindFailure | undefined> {
  const { profile, contextOf } = runtime;
  if (profile.permits.length === 0) return undefined;
  const answer = askPermits(
    profile.permits.map((plugin) => ({
      name: plugin.name,
      ask: () => plugin.permit?.(pod, node, contextOf(plugin.name)),
    })),
  );
  if ("plugin" in answer) return refused(answer);
  if (answer.size === 0) return undefined;
  return waiting.wait(pod, node, answer).then((rejection) => rejection && refused(rejection));
}

function refused({ plugin, status }: Rejection): BindFailure {
  return { plugin, status, message: status.reasons.join(", ") };
}

export interface BindOptions {
  readonly node: NodeInfo;
  readonly filters: readonly NamedFilter[];
  readonly runtime: ProfileRuntime;
  readonly extenders: ExtenderCalls | undefined;
  readonly signal: AbortSignal;
  readonly stopwatch: Stopwatch;
}

/** Undefined: the pod is bound. */
export async function bindPod(pod: PodInfo, options: BindOptions): Promise<BindFailure | undefined> {
  const { node, filters, signal, stopwatch } = options;
  for (const { name, filter } of filters) {
    if (filter.preBind === undefined) continue;
    const status = await filter.preBind(node, signal).catch(failed);
    if (status === undefined) continue;
    stopwatch.lap("PreBind", status.code === "Error" ? "Error" : "Unschedulable");
    return failure(name, status, `running PreBind plugin "${name}"`);
  }
  stopwatch.lap("PreBind", "Success");
  const failing = await writeBinding(pod, options);
  stopwatch.lap("Bind", failing === undefined ? "Success" : "Error");
  return failing;
}

async function writeBinding(pod: PodInfo, options: BindOptions): Promise<BindFailure | undefined> {
  const { node, runtime } = options;
  const { profile, contextOf } = runtime;
  try {
    if ((await options.extenders?.bind(pod, node.name)) !== undefined) return undefined;
  } catch (error) {
    return failure("Extender", failed(error), "binding rejected");
  }
  for (const plugin of profile.binders) {
    try {
      if ((await plugin.bind?.(pod, node.name, contextOf(plugin.name))) === undefined) continue;
    } catch (error) {
      return failure(plugin.name, failed(error), `binding rejected: running Bind plugin "${plugin.name}"`);
    }
    for (const after of profile.postBinds) after.postBind?.(pod, node.name, contextOf(after.name));
    return undefined;
  }
  return failure("", failed(new Error("no plugin binds the pod")), "binding rejected");
}

function failure(plugin: string, status: Status, doing: string): BindFailure {
  return { plugin, status, message: `${doing}: ${status.reasons.join(", ")}` };
}
