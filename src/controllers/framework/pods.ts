import { errorMessage } from "#base/error-message.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { PodTemplateSpec } from "#api/core/v1/pod-spec.ts";
import { keyOfObject, type KubeObject, type OwnerReference } from "#apimachinery/object.ts";
import { isForbidden, isNotFound, isStatusError } from "#apimachinery/status.ts";
import type { Context } from "./controller.ts";

/** Neither ended nor being deleted. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata?.deletionTimestamp === undefined;
}

export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Being deleted, and not yet ended. */
export function isTerminating(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata?.deletionTimestamp !== undefined;
}

function readyCondition(pod: Pod) {
  return pod.status?.conditions?.find(({ type }) => type === "Ready");
}

export function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === "True";
}

/** Epoch milliseconds of the change to ready; undefined when it is not. */
export function readySinceMs(pod: Pod): number | undefined {
  const condition = readyCondition(pod);
  if (condition?.status !== "True") return undefined;
  return condition.lastTransitionTime ? Date.parse(condition.lastTransitionTime) : 0;
}

/** Ready for `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return isReady(pod) && availableInMs(pod, minReadySeconds, nowMs) === 0;
}

/** Until a ready Pod counts as available: 0 when it does; undefined when it is not ready. */
export function availableInMs(
  pod: Pod,
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  const sinceMs = readySinceMs(pod);
  if (sinceMs === undefined) return undefined;
  if (minReadySeconds === 0) return 0;
  return Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

/** The next moment at which some ready Pod of `all` becomes available; undefined when none will. */
export function nextAvailableMs(
  all: readonly Pod[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  let next: number | undefined;
  for (const pod of all) {
    const waitMs = availableInMs(pod, minReadySeconds, nowMs) ?? 0;
    if (waitMs > 0 && (next === undefined || waitMs < next)) next = waitMs;
  }
  return next;
}

export const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Order of deletion, first to go first: unassigned, then pending, then not ready, then of low
 * deletion cost, then on crowded nodes (`crowdOf`), then lately ready, then often restarted, then
 * young. Source: pkg/controller/controller_utils.go ActivePodsWithRanks.
 */
export function byDeletionPreference(
  crowdOf: (pod: Pod) => number = () => 0,
  nowMs = 0,
): (a: Pod, b: Pod) => number {
  return (a, b) =>
    Number(Boolean(a.spec.nodeName)) - Number(Boolean(b.spec.nodeName)) ||
    (phaseRank[a.status?.phase ?? ""] ?? 0) - (phaseRank[b.status?.phase ?? ""] ?? 0) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    crowdOf(b) - crowdOf(a) ||
    (isReady(a) ? byLogarithm(readySinceMs(a), readySinceMs(b), nowMs) : 0) ||
    restarts(b) - restarts(a) ||
    byLogarithm(createdMs(a), createdMs(b), nowMs) ||
    (a.metadata?.uid ?? "").localeCompare(b.metadata?.uid ?? "");
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.[deletionCostAnnotation];
  return text !== undefined && /^-?\d{1,10}$/.test(text) ? Number(text) : 0;
}

/**
 * Younger before older; ages are compared by their binary logarithms, so that among Pods of about
 * the same age the victim is not predictable (LogarithmicScaleDown). Unset times go first.
 */
function byLogarithm(a: number | undefined, b: number | undefined, nowMs: number): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const rank = (sinceMs: number): number => {
    const age = Math.floor((nowMs - sinceMs) / 1000);
    return age <= 0 ? 0 : Math.floor(Math.log2(age * 1e9));
  };
  if (nowMs === 0) return b - a;
  return rank(a) - rank(b);
}

function restarts(pod: Pod): number {
  const counts = (pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount);
  return Math.max(0, ...counts);
}

export function createdMs(object: KubeObject): number {
  return Date.parse(object.metadata?.creationTimestamp ?? "1970-01-01T00:00:00Z");
}

/** Longest prefix that leaves room for the five random characters. */
const prefixLengthMax = 253 - 5;

/** A new Pod as the template has it, controlled by `owner`. Its name is generated. */
export function podFromTemplate(
  template: PodTemplateSpec,
  owner: KubeObject,
  reference: OwnerReference,
): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const prefix = `${owner.metadata?.name}-`;
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: {
      generateName: prefix.length <= prefixLengthMax ? prefix : (owner.metadata?.name ?? ""),
      namespace: owner.metadata?.namespace,
      ...(labels && { labels: { ...labels } }),
      ...(annotations && { annotations: { ...annotations } }),
      ...(finalizers && { finalizers: [...finalizers] }),
      ownerReferences: [reference],
    },
    spec: template.spec ?? { containers: [] },
  };
}

/** The namespace is going: nothing can be created in it, and nobody needs to hear of it. */
export function isNamespaceTerminating(error: unknown): boolean {
  const causes =
    isForbidden(error) && isStatusError(error) ? (error.status.details?.causes ?? []) : [];
  return causes.some(({ reason }) => reason === "NamespaceTerminating");
}

/** Creates a Pod and tells it by an event about `owner`. */
export async function createPod<T extends KubeObject, S>(
  context: Context<T, S>,
  owner: KubeObject,
  pod: Pod,
): Promise<Pod> {
  try {
    const created = await context.resource(pods).create(pod);
    context.events.normal(owner, "SuccessfulCreate", `Created pod: ${created.metadata?.name}`);
    return created;
  } catch (error) {
    if (!isNamespaceTerminating(error)) {
      context.events.warning(owner, "FailedCreate", `Error creating: ${errorMessage(error)}`);
    }
    throw error;
  }
}

/** Deletes a Pod (this one, by uid) and tells it by an event about `owner`. A Pod that is gone is fine. */
export async function deletePod<T extends KubeObject, S>(
  context: Context<T, S>,
  owner: KubeObject,
  pod: Pod,
): Promise<void> {
  const uid = pod.metadata?.uid ?? "";
  try {
    await context.resource(pods).delete(keyOfObject(pod), { preconditions: { uid } });
    context.events.normal(owner, "SuccessfulDelete", `Deleted pod: ${pod.metadata?.name}`);
  } catch (error) {
    if (isNotFound(error)) return;
    context.events.warning(owner, "FailedDelete", `Error deleting: ${errorMessage(error)}`);
    throw error;
  }
}

/**
 * Calls `run` for 0 .. count-1 in batches of 1, 2, 4 ...: a first failure (quota, webhook) then
 * costs few calls. Rejects with the first error of the batch that failed; later ones never start.
 */
export async function slowStart(
  count: number,
  run: (index: number) => Promise<unknown>,
): Promise<void> {
  let started = 0;
  for (let batch = 1; started < count; batch *= 2) {
    const size = Math.min(batch, count - started);
    const first = started;
    started += size;
    await all(Array.from({ length: size }, (_, i) => run(first + i)));
  }
}

/** Waits for every promise to settle, then rejects with the first error there was. */
export async function all(promises: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(promises);
  for (const result of settled) if (result.status === "rejected") throw result.reason;
}
