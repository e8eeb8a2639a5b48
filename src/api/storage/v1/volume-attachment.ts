import { statusSubresource } from "#api/strategies.ts";
import { validateAttachment, validateAttachmentUpdate } from "./storage-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { PersistentVolumeSpec } from "#api/core/v1/persistent-volume.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  type Infer,
  int32,
  kind,
  mapOf,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";

export const VolumeAttachmentSource = struct("io.k8s.api.storage.v1.VolumeAttachmentSource", {
  persistentVolumeName: ptr(1, string),
  inlineVolumeSpec: ptr(2, PersistentVolumeSpec),
});
export interface VolumeAttachmentSource extends Infer<typeof VolumeAttachmentSource> {}

export const VolumeAttachmentSpec = struct("io.k8s.api.storage.v1.VolumeAttachmentSpec", {
  attacher: req(1, string),
  source: req(2, VolumeAttachmentSource),
  nodeName: req(3, string),
});
export interface VolumeAttachmentSpec extends Infer<typeof VolumeAttachmentSpec> {}

export const VolumeError = struct("io.k8s.api.storage.v1.VolumeError", {
  time: opt(1, time),
  message: opt(2, string),
  errorCode: ptr(3, int32),
});
export interface VolumeError extends Infer<typeof VolumeError> {}

export const VolumeAttachmentStatus = struct("io.k8s.api.storage.v1.VolumeAttachmentStatus", {
  attached: req(1, bool),
  attachmentMetadata: opt(2, mapOf(string)),
  attachError: ptr(3, VolumeError),
  detachError: ptr(4, VolumeError),
});
export interface VolumeAttachmentStatus extends Infer<typeof VolumeAttachmentStatus> {}

export const VolumeAttachment = kind("io.k8s.api.storage.v1.VolumeAttachment", {
  metadata,
  spec: req(2, VolumeAttachmentSpec),
  status: opt(3, VolumeAttachmentStatus),
});
export interface VolumeAttachment extends Infer<typeof VolumeAttachment> {}

export const volumeAttachments = defineResource<VolumeAttachment>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  scope: "Cluster",
  schema: VolumeAttachment,
  strategy: {
    deleteReturnsObject: true,
    prepareForCreate: (attachment) => void (attachment.status = { attached: false }),
    prepareForUpdate(attachment, { old }) {
      attachment.status = old.status ?? { attached: false };
    },
    validate: (attachment) => [...validateAttachment(attachment)],
    validateUpdate: (attachment, { old }) => [...validateAttachmentUpdate(attachment, old)],
  },
  columns: [
    nameColumn,
    { ...column("Attacher", ({ spec }) => spec.attacher, { description: "Driver that attaches." }), format: "name" },
    column("PV", ({ spec }) => spec.source.persistentVolumeName ?? "", { description: "Volume to attach." }),
    column("Node", ({ spec }) => spec.nodeName, { description: "Node to attach it to." }),
    column("Attached", ({ status }) => status?.attached === true, { description: "Whether it is attached.", type: "boolean" }),
    ageColumn,
  ],
  subresources: {
    status: statusSubresource(),
  },
});
