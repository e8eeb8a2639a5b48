import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { validateCsiDriver } from "./storage-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  type Infer,
  int64,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const TokenRequest = struct("io.k8s.api.storage.v1.TokenRequest", {
  audience: req(1, string),
  expirationSeconds: ptr(2, int64),
});
export interface TokenRequest extends Infer<typeof TokenRequest> {}

export const CSIDriverSpec = struct("io.k8s.api.storage.v1.CSIDriverSpec", {
  attachRequired: ptr(1, bool),
  podInfoOnMount: ptr(2, bool),
  volumeLifecycleModes: opt(3, listOf(named("v1.VolumeLifecycleMode", string)), { listType: "set" }),
  storageCapacity: ptr(4, bool),
  fsGroupPolicy: ptr(5, named("v1.FSGroupPolicy", string)),
  tokenRequests: opt(6, listOf(TokenRequest), { listType: "atomic" }),
  requiresRepublish: ptr(7, bool),
  seLinuxMount: ptr(8, bool),
  nodeAllocatableUpdatePeriodSeconds: ptr(9, int64),
  serviceAccountTokenInSecrets: ptr(10, bool),
  preventPodSchedulingIfMissing: ptr(11, bool),
});
export interface CSIDriverSpec extends Infer<typeof CSIDriverSpec> {}

export const CSIDriver = kind("io.k8s.api.storage.v1.CSIDriver", {
  metadata,
  spec: req(2, CSIDriverSpec),
});
export interface CSIDriver extends Infer<typeof CSIDriver> {}

export const csiDrivers = defineResource<CSIDriver>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  scope: "Cluster",
  schema: CSIDriver,
  strategy: {
    deleteReturnsObject: true,
    nameRule: "path",
    default({ spec }) {
      spec.attachRequired ??= true;
      spec.podInfoOnMount ??= false;
      spec.storageCapacity ??= false;
      spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
      if ((spec.volumeLifecycleModes ?? []).length === 0)
        spec.volumeLifecycleModes = ["Persistent"];
      spec.requiresRepublish ??= false;
      spec.seLinuxMount ??= false;
    },
    prepareForUpdate({ metadata: meta, spec }, { old }) {
      if (!semanticEqual(spec, old.spec)) meta.generation = (old.metadata.generation ?? 0) + 1;
    },
    validate: (driver) => [...validateCsiDriver(driver)],
    validateUpdate: (driver) => [...validateCsiDriver(driver)],
  },
  columns: [
    nameColumn,
    column("AttachRequired", ({ spec }) => spec.attachRequired !== false, {
      description: "Whether volumes are attached before mounting.",
      type: "boolean",
    }),
    column("PodInfoOnMount", ({ spec }) => spec.podInfoOnMount === true, {
      description: "Whether the driver is told about the Pod.",
      type: "boolean",
    }),
    column("StorageCapacity", ({ spec }) => spec.storageCapacity === true, {
      description: "Whether the scheduler looks at its capacity.",
      type: "boolean",
    }),
    column(
      "TokenRequests",
      ({ spec }) =>
        (spec.tokenRequests ?? []).map(({ audience }) => audience).join(",") || "<unset>", {
          description: "Audiences of the tokens that the driver gets.",
        }),
    column("RequiresRepublish", ({ spec }) => spec.requiresRepublish === true, {
      description: "Whether mounts are renewed now and then.",
      type: "boolean",
    }),
    column("Modes", ({ spec }) => (spec.volumeLifecycleModes ?? []).join(",") || "<none>", {
      description: "Persistent, Ephemeral, or both.",
    }),
    ageColumn,
  ],
});
