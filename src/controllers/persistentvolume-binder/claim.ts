import { claimClass } from "#api/core/v1/persistent-volume-claim-strategy.ts";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { pods } from "#api/core/v1/pod.ts";
import { type StorageClass, storageClasses } from "#api/storage/v1/storage-class.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import { type Context, done, type Outcome } from "../framework/controller.ts";
import { createdMs, isTerminal } from "../framework/pods.ts";
import { byClaim } from "../pvc-protection/controller.ts";
import { bind, bindCompleted, boundByController, setClaimPhase } from "./binding.ts";
import { findVolume, isClaimedBy, mismatchOf } from "./match.ts";

const selectedNode = "volume.kubernetes.io/selected-node";
const provisionerAnnotations = ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];
const defaultClassAnnotations = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

type ClaimContext = Context<PersistentVolumeClaim, undefined>;

/** Source: syncClaim in pkg/controller/volume/persistentvolume/pv_controller.go. */
export async function reconcileClaim(context: ClaimContext): Promise<Outcome> {
  const claim = context.get();
  if (claim === undefined) return done;
  if (claim.metadata.annotations?.[bindCompleted] !== undefined) await reconcileBound(context, claim);
  else if (claim.spec.volumeName) await reconcileNamed(context, claim, claim.spec.volumeName);
  else await reconcileOpen(context, claim);
  return done;
}

async function reconcileBound(context: ClaimContext, claim: PersistentVolumeClaim): Promise<void> {
  const { volumeName } = claim.spec;
  const volume = volumeName ? context.lister(persistentVolumes).get(volumeName) : undefined;
  if (!volumeName) {
    return await lose(context, claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  }
  if (volume === undefined) {
    return await lose(context, claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  }
  const holder = volume.spec.claimRef;
  if (holder === undefined || holder.uid === claim.metadata.uid) return await bind(context, volume, claim);
  const message = "Two claims are bound to the same volume, this one is bound incorrectly";
  await lose(context, claim, "ClaimMisbound", message);
}

async function lose(context: ClaimContext, claim: PersistentVolumeClaim, ...said: [reason: string, message: string]): Promise<void> {
  if (claim.status?.phase === "Lost") return;
  await setClaimPhase(context, claim, "Lost");
  context.events.warning(claim, ...said);
}

async function reconcileNamed(context: ClaimContext, claim: PersistentVolumeClaim, name: string): Promise<void> {
  const volume = context.lister(persistentVolumes).get(name);
  if (volume === undefined) return await setClaimPhase(context, claim, "Pending");
  if (isClaimedBy(volume, claim)) return await bind(context, volume, claim);
  if (volume.spec.claimRef === undefined) {
    const mismatch = mismatchOf(volume, claim);
    if (mismatch === undefined) return await bind(context, volume, claim);
    context.events.warning(claim, "VolumeMismatch", `Cannot bind to requested volume "${name}": ${mismatch}`);
    return await setClaimPhase(context, claim, "Pending");
  }
  if (claim.metadata.annotations?.[boundByController] !== undefined) {
    const holder = `${volume.spec.claimRef.namespace}/${volume.spec.claimRef.name}`;
    throw new Error(`invalid binding of claim "${context.key}" to volume "${name}": volume already claimed by "${holder}"`);
  }
  context.events.warning(claim, "FailedBinding", `volume "${name}" already bound to a different claim.`);
  await setClaimPhase(context, claim, "Pending");
}

async function reconcileOpen(context: ClaimContext, claim: PersistentVolumeClaim): Promise<void> {
  const storageClass = context.lister(storageClasses).get(claimClass(claim));
  const waits = storageClass?.volumeBindingMode === "WaitForFirstConsumer" && !claim.metadata.annotations?.[selectedNode];
  const volume = findVolume(claim, context.lister(persistentVolumes).list(), waits);
  if (volume !== undefined) return await bind(context, volume, claim);
  if (await assignDefaultClass(context, claim)) return;
  if (waits) sayWaiting(context, claim);
  else if (claimClass(claim) !== "") {
    if (await requestProvisioning(context, claim, storageClass)) return;
  } else {
    context.events.normal(claim, "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
  }
  await setClaimPhase(context, claim, "Pending");
}

/** The newest default class wins, then the first by name. */
async function assignDefaultClass(context: ClaimContext, claim: PersistentVolumeClaim): Promise<boolean> {
  if (claim.spec.storageClassName !== undefined || claimClass(claim) !== "") return false;
  const [chosen] = context
    .lister(storageClasses)
    .list()
    .filter(({ metadata }) => defaultClassAnnotations.some((key) => metadata.annotations?.[key] === "true"))
    .toSorted((a, b) => createdMs(b) - createdMs(a) || compareBytes(a.metadata.name ?? "", b.metadata.name ?? ""));
  if (chosen?.metadata.name === undefined) return false;
  const spec = { ...claim.spec, storageClassName: chosen.metadata.name };
  await context.resource(persistentVolumeClaims).update({ ...claim, spec });
  return true;
}

function sayWaiting(context: ClaimContext, claim: PersistentVolumeClaim): void {
  const waiting = context
    .lister(pods)
    .by(byClaim, context.key)
    .filter((pod) => !isTerminal(pod))
    .map(({ metadata }) => metadata.name)
    .toSorted();
  if (waiting.length > 0) {
    context.events.normal(claim, "WaitForPodScheduled", `waiting for pod ${waiting.join(",")} to be scheduled`);
  } else {
    context.events.normal(claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  }
}

/** Names the provisioner in the claim: that is how external ones find their work. True when it wrote. */
async function requestProvisioning(
  context: ClaimContext,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
): Promise<boolean> {
  if (storageClass === undefined) {
    context.events.warning(claim, "ProvisioningFailed", `storageclass.storage.k8s.io "${claimClass(claim)}" not found`);
    return false;
  }
  const { provisioner } = storageClass;
  if (provisioner.startsWith("kubernetes.io/")) {
    context.events.warning(claim, "ProvisioningFailed", `no volume plugin matched name: ${provisioner}`);
    return false;
  }
  if (provisionerAnnotations.some((key) => claim.metadata.annotations?.[key] !== provisioner)) {
    const added = Object.fromEntries(provisionerAnnotations.map((key) => [key, provisioner]));
    const metadata = { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...added } };
    await context.resource(persistentVolumeClaims).update({ ...claim, metadata });
    return true;
  }
  context.events.normal(
    claim,
    "ExternalProvisioning",
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
      "If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
  );
  return false;
}
