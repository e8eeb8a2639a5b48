import { type Node, nodes } from "#api/core/v1/node.ts";
import { persistentVolumeClaims } from "#api/core/v1/persistent-volume-claim.ts";
import { persistentVolumes } from "#api/core/v1/persistent-volume.ts";
import { pods } from "#api/core/v1/pod.ts";
import { csiDrivers } from "#api/storage/v1/csi-driver.ts";
import { type VolumeAttachment, volumeAttachments } from "#api/storage/v1/volume-attachment.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/status.ts";
import { attachmentsByNode } from "#client/shared-indexes.ts";
import { type Context, defineController, done, indexOf, type MapContext, watchOf } from "../framework/controller.ts";
import { byNode } from "../framework/node-index.ts";
import { byClaim } from "../pvc-protection/controller.ts";
import { attachmentName, uniqueVolumeName, type WantedVolume, wantedVolumes } from "./volumes.ts";

type NodeContext = Context<Node, undefined>;

/** Source: pkg/controller/volume/attachdetach and the CSI attacher. */
export const attachDetachController = defineController<Node>({
  name: "persistentvolume-attach-detach-controller",
  account: "attachdetach-controller",
  component: "attachdetach-controller",
  for: nodes,
  changed: (node, old) => !semanticEqual(node.status?.volumesInUse, old.status?.volumesInUse),
  reads: [persistentVolumes, csiDrivers],
  indexes: [indexOf(pods, byNode), indexOf(pods, byClaim), indexOf(volumeAttachments, attachmentsByNode)],
  watches: [
    watchOf(pods, {
      changed: (pod, old) => pod.spec.nodeName !== old.spec.nodeName || pod.status?.phase !== old.status?.phase,
      keys: (pod) => (pod.spec.nodeName && byClaim.valuesOf(pod).length > 0 ? [pod.spec.nodeName] : []),
    }),
    watchOf(persistentVolumeClaims, {
      changed: (claim, old) => claim.status?.phase !== old.status?.phase,
      keys: (claim, context) => nodesOfClaim(keyOfObject(claim), context),
    }),
    watchOf(volumeAttachments, { keys: ({ spec }) => [spec.nodeName] }),
  ],
  async reconcile(context) {
    const node = context.get();
    const known = {
      claims: context.lister(persistentVolumeClaims),
      volumes: context.lister(persistentVolumes),
      drivers: context.lister(csiDrivers),
    };
    const users = node === undefined ? [] : context.lister(pods).by(byNode, context.key);
    const wanted = wantedVolumes(context.key, users, known);
    const existing = context.lister(volumeAttachments).by(attachmentsByNode, context.key);
    for (const [name, volume] of wanted) {
      if (!existing.some(({ metadata }) => metadata.name === name)) await attach(context, name, volume);
    }
    const unused = existing.filter((attachment) => isUnused(context, { node, attachment, wanted }));
    // First off the list, then detached: the kubelet must not mount what is about to go.
    const kept = existing.filter((attachment) => !unused.includes(attachment));
    if (node !== undefined) await reportAttached(context, node, kept);
    for (const attachment of unused) await detach(context, attachment);
    return done;
  },
});

function nodesOfClaim(key: string, context: MapContext): string[] {
  const users = context.lister(pods).by(byClaim, key);
  return users.map(({ spec }) => spec.nodeName ?? "").filter((name) => name !== "");
}

async function attach(context: NodeContext, name: string, { volume, driver }: WantedVolume): Promise<void> {
  const source = { persistentVolumeName: volume.metadata.name ?? "" };
  const attachment: VolumeAttachment = { metadata: { name }, spec: { attacher: driver, nodeName: context.key, source } };
  try {
    await context.resource(volumeAttachments).create(attachment);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** Attachments of others have other names. What the kubelet has still mounted stays, while there is a node. */
function isUnused(
  context: NodeContext,
  spec: { readonly node: Node | undefined; readonly attachment: VolumeAttachment; readonly wanted: ReadonlyMap<string, WantedVolume> },
): boolean {
  const { node, attachment, wanted } = spec;
  const { name = "", deletionTimestamp } = attachment.metadata;
  const volumeName = volumeNameOf(context, attachment);
  if (volumeName === undefined || wanted.has(name) || deletionTimestamp !== undefined) return false;
  return node?.status?.volumesInUse?.includes(volumeName) !== true;
}

async function detach(context: NodeContext, { metadata }: VolumeAttachment): Promise<void> {
  const { name = "", uid = "" } = metadata;
  try {
    await context.resource(volumeAttachments).delete(name, { preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The volume of an attachment that we made; nothing for others, and for volumes that are gone. */
function volumeNameOf(context: NodeContext, { metadata, spec }: VolumeAttachment): string | undefined {
  const csi = context.lister(persistentVolumes).get(spec.source.persistentVolumeName ?? "")?.spec.csi;
  if (csi === undefined || attachmentName(csi.volumeHandle, csi.driver, spec.nodeName) !== metadata.name) return undefined;
  return uniqueVolumeName(csi.driver, csi.volumeHandle);
}

/** Kubelets wait for their volumes to be listed. */
async function reportAttached(context: NodeContext, node: Node, attachments: readonly VolumeAttachment[]): Promise<void> {
  const ready = attachments.filter(({ metadata, status }) => status?.attached === true && metadata.deletionTimestamp === undefined);
  const names = ready.map((attachment) => volumeNameOf(context, attachment)).filter((name) => name !== undefined);
  const volumesAttached = names.toSorted().map((name) => ({ name, devicePath: "" }));
  if (semanticEqual(volumesAttached, node.status?.volumesAttached ?? [])) return;
  const body = { status: { volumesAttached } };
  await context.resource(nodes).patch(context.key, { type: "merge", body, subresource: "status" });
}
