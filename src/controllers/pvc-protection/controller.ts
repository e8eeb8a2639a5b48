import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
} from "#api/core/v1/persistent-volume-claim.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { Index } from "#client/indexer.ts";
import { type Context, defineController, done, indexOf, watchOf } from "../framework/controller.ts";
import { isTerminal } from "../framework/pods.ts";

export const pvcProtectionFinalizer = "kubernetes.io/pvc-protection";

/** Pods by `namespace/name` of the claims that they use, generic ephemeral ones too. */
export const byClaim: Index<Pod> = {
  name: "claim",
  valuesOf: ({ metadata, spec }) =>
    (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
      if (persistentVolumeClaim)
        return [`${metadata.namespace}/${persistentVolumeClaim.claimName}`];
      return ephemeral ? [`${metadata.namespace}/${metadata.name}-${name}`] : [];
    }),
};

/** Keeps claims that Pods use from going. Source: pkg/controller/volume/pvcprotection. */
export const pvcProtectionController = defineController<PersistentVolumeClaim>({
  name: "persistentvolumeclaim-protection-controller",
  account: "pvc-protection-controller",
  for: persistentVolumeClaims,
  indexes: [indexOf(pods, byClaim)],
  watches: [
    watchOf(pods, {
      on: ["update", "delete"],
      changed: (pod, old) =>
        isTerminal(pod) !== isTerminal(old) || pod.spec.nodeName !== old.spec.nodeName,
      keys: (pod) => byClaim.valuesOf(pod),
    }),
  ],
  async reconcile(context) {
    const claim = context.get();
    if (claim === undefined) return done;
    const { finalizers = [], deletionTimestamp } = claim.metadata;
    const held = finalizers.includes(pvcProtectionFinalizer);
    if (deletionTimestamp === undefined) {
      if (!held) await setFinalizers(context, claim, [...finalizers, pvcProtectionFinalizer]);
      return done;
    }
    if (held && !(await isUsed(context))) {
      await setFinalizers(
        context,
        claim,
        finalizers.filter((name) => name !== pvcProtectionFinalizer),
      );
    }
    return done;
  },
});

/** The cache may not show the newest Pod: a free claim is checked on the server. */
async function isUsed(context: Context<PersistentVolumeClaim, undefined>): Promise<boolean> {
  const uses = (pod: Pod): boolean =>
    (pod.spec.nodeName ?? "") !== "" && byClaim.valuesOf(pod).includes(context.key);
  if (context.lister(pods).by(byClaim, context.key).some(uses)) return true;
  const [namespace = ""] = context.key.split("/");
  const { items } = await context.resource(pods).list({ namespace });
  return items.some(uses);
}

async function setFinalizers(
  context: Context<PersistentVolumeClaim, undefined>,
  claim: PersistentVolumeClaim,
  finalizers: string[],
): Promise<void> {
  await context
    .resource(persistentVolumeClaims)
    .update({ ...claim, metadata: { ...claim.metadata, finalizers } });
}
