/** Writes what was decided about a pod's claims, and waits until it is so. */
import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import type { Context } from "../../framework.ts";
import { boundByControllerAnnotation, isFullyBound, selectedNodeAnnotation } from "../../pod-claims.ts";
import type { Decision } from "./decision.ts";

/** Throws when it cannot be done, or takes longer than `timeoutMs`. */
export async function bindVolumes(
  decision: Decision,
  nodeName: string,
  {
    context,
    timeoutMs,
    signal,
  }: { readonly context: Context; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { client } = context;
  for (const { claim, volume } of decision.bindings) {
    const { namespace, name, uid, resourceVersion } = claim.metadata ?? {};
    const claimRef = {
      kind: "PersistentVolumeClaim",
      apiVersion: "v1",
      namespace,
      name,
      uid,
      resourceVersion,
    };
    const annotations = { ...volume.metadata?.annotations, [boundByControllerAnnotation]: "yes" };
    await client.resource(persistentVolumes).update({
      ...volume,
      metadata: { ...volume.metadata, annotations },
      spec: { ...volume.spec, claimRef },
    });
  }
  for (const claim of decision.provisions) {
    const annotations = { ...claim.metadata?.annotations, [selectedNodeAnnotation]: nodeName };
    if (claim.metadata?.annotations?.[selectedNodeAnnotation] === nodeName) continue;
    await client.resource(persistentVolumeClaims).update({ ...claim, metadata: { ...claim.metadata, annotations } });
  }
  await allBound(decision, nodeName, { context, timeoutMs, signal });
}

function allBound(
  { bindings, provisions }: Decision,
  nodeName: string,
  {
    context,
    timeoutMs,
    signal,
  }: { readonly context: Context; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const informer = context.listers.informerOf(persistentVolumeClaims);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const provisioned = new Set(provisions.map(keyOfObject));
  const waiting = new Set([...bindings.map(({ claim }) => keyOfObject(claim)), ...provisioned]);
  /** Until our own write is seen, the annotation is missing for that reason. */
  const selected = new Set<string>();

  function look(claim: PersistentVolumeClaim): void {
    const key = keyOfObject(claim);
    if (!waiting.has(key)) return;
    if (isFullyBound(claim)) waiting.delete(key);
    if (waiting.size === 0) return resolve();
    if (!provisioned.has(key)) return;
    const on = claim.metadata?.annotations?.[selectedNodeAnnotation];
    if (on === nodeName) selected.add(key);
    else if (selected.has(key))
      reject(new Error(`provisioning failed for PVC ${JSON.stringify(claim.metadata?.name)}`));
  }

  const ends: Disposable[] = [
    informer.subscribe({
      onAdd: look,
      onUpdate: look,
      onDelete: (claim) => {
        if (waiting.has(keyOfObject(claim)))
          reject(new Error(`pvc ${JSON.stringify(claim.metadata?.name)} was deleted`));
      },
    }),
    context.clock.after(timeoutMs, () => reject(new Error("timed out waiting for the condition"))),
  ];
  const aborted = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", aborted, { once: true });
  return promise.finally(() => {
    signal.removeEventListener("abort", aborted);
    for (const end of ends) end[Symbol.dispose]();
  });
}
