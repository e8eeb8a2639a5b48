/** Conditions of pods, as a patch of their status. Source: pkg/api/v1/pod UpdatePodCondition. */
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { rfc3339 } from "#base/clock.ts";
import type { Client } from "#client/client.ts";

export interface ConditionChange {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** Upstream cuts messages of conditions and events there. */
export const messageLengthMax = 1024;

/** The patch that brings a condition (and a nominated node) about; undefined: it is so already. */
export function conditionPatch(
  pod: Pod,
  change: ConditionChange,
  { nowMs, nominatedNodeName }: { readonly nowMs: number; readonly nominatedNodeName?: string | undefined },
): object | undefined {
  const { type, status, reason } = change;
  const message = truncated(change.message);
  const old = pod.status?.conditions?.find((condition) => condition.type === type);
  const nominated = nominatedNodeName ?? pod.status?.nominatedNodeName ?? "";
  const renominated = nominated !== (pod.status?.nominatedNodeName ?? "");
  const same = old?.status === status && old.reason === reason && old.message === message;
  const generation = pod.metadata?.generation;
  if (same && old.observedGeneration === generation && !renominated) return undefined;
  const condition = {
    type,
    status,
    reason,
    message,
    lastProbeTime: null,
    lastTransitionTime: old?.status === status ? old.lastTransitionTime : rfc3339(nowMs),
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  return {
    metadata: { uid: pod.metadata?.uid },
    status: {
      conditions: [condition],
      ...(renominated && { nominatedNodeName: nominated === "" ? null : nominated }),
    },
  };
}

export function truncated(message: string): string {
  return message.length <= messageLengthMax ? message : `${message.slice(0, messageLengthMax - 4)} ...`;
}

export async function patchPodStatus(client: Client, key: string, body: object): Promise<void> {
  await client.resource(pods).patch(key, { type: "strategic", body, subresource: "status" });
}
