import { errorMessage } from "#base/error-message.ts";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { objectKey } from "#apimachinery/object.ts";
import { isAlreadyExists } from "#apimachinery/status.ts";
import { all, isTerminal } from "../framework/pods.ts";
import { type Context, defineController, done, indexOf, watchOf } from "../framework/controller.ts";
import { controllerRef, isControlledBy } from "../framework/owners.ts";
import { byClaim } from "../pvc-protection/controller.ts";

type PodContext = Context<Pod, undefined>;
type Volume = NonNullable<Pod["spec"]["volumes"]>[number];

/** Makes the claims of generic ephemeral volumes. Source: pkg/controller/volume/ephemeral. */
export const ephemeralVolumeController = defineController<Pod>({
  name: "ephemeral-volume-controller",
  component: "ephemeral_volume",
  for: pods,
  indexes: [indexOf(pods, byClaim)],
  watches: [
    watchOf(persistentVolumeClaims, {
      on: ["delete"],
      keys: (claim, context) => {
        const key = objectKey(claim.metadata.namespace, claim.metadata.name ?? "");
        return context
          .lister(pods)
          .by(byClaim, key)
          .map(({ metadata }) => objectKey(metadata.namespace, metadata.name ?? ""));
      },
    }),
  ],
  async reconcile(context) {
    const pod = context.get();
    if (pod === undefined || isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) return done;
    const volumes = (pod.spec.volumes ?? []).filter(({ ephemeral }) => ephemeral?.volumeClaimTemplate !== undefined);
    await all(volumes.map((volume) => ensureClaim(context, pod, volume)));
    return done;
  },
});

async function ensureClaim(context: PodContext, pod: Pod, volume: Volume): Promise<void> {
  const template = volume.ephemeral?.volumeClaimTemplate;
  const name = `${pod.metadata.name}-${volume.name}`;
  const namespace = pod.metadata.namespace ?? "";
  const known = context.lister(persistentVolumeClaims).get(objectKey(namespace, name));
  if (known !== undefined) {
    if (isControlledBy(known, pod)) return;
    throw new Error(`PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`);
  }
  if (template === undefined) return;
  const { annotations, labels } = template.metadata ?? {};
  const claim: PersistentVolumeClaim = {
    metadata: {
      namespace,
      name,
      ...(annotations && { annotations }),
      ...(labels && { labels }),
      ownerReferences: [controllerRef(pods, pod)],
    },
    spec: template.spec,
  };
  try {
    await context.resource(persistentVolumeClaims).create(claim);
  } catch (error) {
    if (isAlreadyExists(error)) return;
    context.events.warning(pod, "FailedCreate", `ephemeral volume ${volume.name}: create PVC ${name}: ${errorMessage(error)}`);
    throw error;
  }
}
