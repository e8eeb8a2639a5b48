/** Devices that have to be made ready for a Pod before it is bound. Source: KEP-5007, scheduler DynamicResources. */
import { type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import type { Context } from "../../framework.ts";

/** Readiness of all devices of a claim; a text: one will never be ready. */
export function readinessOf({ metadata, status }: ResourceClaim): "ready" | "waiting" | { readonly failure: string } {
  let ready = true;
  for (const result of status?.allocation?.devices?.results ?? []) {
    const { bindingConditions = [], bindingFailureConditions = [] } = result;
    if (bindingConditions.length === 0) continue;
    const device = status?.devices?.find(
      ({ driver, pool, device: name, shareID }) =>
        driver === result.driver && pool === result.pool && name === result.device && shareID === result.shareID,
    );
    const conditions = (device?.conditions ?? []).filter((condition) => condition.status === "True");
    const failed = conditions.find(({ type }) => bindingFailureConditions.includes(type));
    if (failed !== undefined) {
      const { reason, message } = failed;
      return { failure: `claim ${metadata?.name} binding failed: reason=${reason}, message=${JSON.stringify(message)}` };
    }
    ready &&= bindingConditions.every((wanted) => conditions.some(({ type }) => type === wanted));
  }
  return ready ? "ready" : "waiting";
}

/** Nobody needs to wait for it any more: to be given back. */
export function isHopeless(claim: ResourceClaim, { nowMs, timeoutMs }: { readonly nowMs: number; readonly timeoutMs: number }): boolean {
  const readiness = readinessOf(claim);
  if (typeof readiness === "object") return true;
  const since = claim.status?.allocation?.allocationTimestamp;
  return readiness === "waiting" && since !== undefined && Date.parse(since) + timeoutMs <= nowMs;
}

/** Throws when a device fails, or is not ready in time. */
export async function devicesReady(
  claims: readonly ResourceClaim[],
  {
    context: { listers, clock },
    timeoutMs,
    signal,
  }: { readonly context: Context; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const informer = listers.informerOf(resourceClaims);
  const keys = new Set(claims.map(keyOfObject));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = (claim: ResourceClaim): void => {
    const key = keyOfObject(claim);
    // Until our own write is seen, nothing was asked of the device.
    if (!keys.has(key) || claim.status?.allocation === undefined) return;
    const readiness = readinessOf(claim);
    if (typeof readiness === "object") return reject(new Error(readiness.failure));
    if (readiness === "ready") keys.delete(key);
    if (keys.size === 0) resolve();
  };
  const gone = (claim: ResourceClaim): void => {
    if (keys.has(keyOfObject(claim))) reject(new Error(`claim ${claim.metadata?.name} was deleted`));
  };
  using _ = informer.subscribe({ onAdd: look, onUpdate: look, onDelete: gone });
  using _timer = clock.after(timeoutMs, () => reject(new Error("device binding timeout")));
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  await promise.finally(() => signal.removeEventListener("abort", abort));
}
