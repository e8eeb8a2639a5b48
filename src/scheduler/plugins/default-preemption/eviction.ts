/** Removes the victims, beside the scheduling of others. Source: framework/preemption. */
import { pods } from "#api/core/v1/pod.ts";
import { isNotFound } from "#apimachinery/status.ts";
import type { Context } from "../../framework.ts";
import { conditionPatch, patchPodStatus } from "../../pod-condition.ts";
import type { PodInfo } from "../../pod-info.ts";
import type { Victims } from "./victims.ts";

/** Returns at once; until all victims were told to go, the pod stays out of the queue. */
export function evict(preemptor: PodInfo, { node, pods: victims }: Victims, context: Context): void {
  const { preempting, nominator, log } = context;
  preempting.add(preemptor.uid);
  // Less important pods that waited for the same room have to look elsewhere.
  for (const waiting of [...nominator.on(node.name)]) {
    if (waiting.priority < preemptor.priority) void withdraw(waiting, context);
  }
  Promise.all(victims.map((victim) => evictOne(victim, { preemptor, nodeName: node.name, context })))
    .catch((error: unknown) => log.error("preemption failed", error, { pod: preemptor.key, node: node.name }))
    .finally(() => {
      preempting.delete(preemptor.uid);
      context.reconsider(preemptor.uid);
    });
}

async function evictOne(
  victim: PodInfo,
  {
    preemptor,
    nodeName,
    context,
  }: { readonly preemptor: PodInfo; readonly nodeName: string; readonly context: Context },
): Promise<void> {
  const { client, clock, events, waiting } = context;
  const held = waiting.get(victim.uid);
  // It is not bound yet: its place is taken from it, not its life.
  if (held !== undefined) return held.reject("DefaultPreemption", "preempted");
  const schedulerName = preemptor.pod.spec.schedulerName ?? "";
  const patch = conditionPatch(
    victim.pod,
    {
      type: "DisruptionTarget",
      status: "True",
      reason: "PreemptionByScheduler",
      message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    },
    { nowMs: clock.nowMs() },
  );
  try {
    if (patch !== undefined) await patchPodStatus(client, victim.key, patch);
    await client.resource(pods).delete(victim.key);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  events.record({
    regarding: victim.pod,
    related: preemptor.pod,
    type: "Normal",
    reason: "Preempted",
    action: "Preempting",
    note: `Preempted by pod ${preemptor.uid} on node ${nodeName}`,
  });
}

async function withdraw(waiting: PodInfo, { client, nominator, log }: Context): Promise<void> {
  nominator.remove(waiting.uid);
  const body = { status: { nominatedNodeName: null } };
  await patchPodStatus(client, waiting.key, body).catch((error: unknown) =>
    log.debug("nomination not withdrawn", { pod: waiting.key, error }),
  );
}
