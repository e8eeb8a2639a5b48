import { Condition } from "#apimachinery/meta/condition.ts";
import { GroupResource } from "#apimachinery/meta/group-version.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, kind, listOf, opt, req, string, struct } from "#apimachinery/schema.ts";

export const StorageVersionMigrationSpec = struct(
  "io.k8s.api.storagemigration.v1beta1.StorageVersionMigrationSpec",
  {
    resource: req(1, GroupResource),
  },
);
export interface StorageVersionMigrationSpec extends Infer<typeof StorageVersionMigrationSpec> {}

export const StorageVersionMigrationStatus = struct(
  "io.k8s.api.storagemigration.v1beta1.StorageVersionMigrationStatus",
  {
    conditions: opt(1, listOf(Condition), {
      listType: "map",
      mapKeys: ["type"],
      patch: "merge",
      mergeKey: "type",
    }),
    resourceVersion: opt(2, string),
  },
);
export interface StorageVersionMigrationStatus extends Infer<
  typeof StorageVersionMigrationStatus
> {}

export const StorageVersionMigration = kind(
  "io.k8s.api.storagemigration.v1beta1.StorageVersionMigration",
  {
    metadata,
    spec: req(2, StorageVersionMigrationSpec, { required: false }),
    status: opt(3, StorageVersionMigrationStatus),
  },
);
export interface StorageVersionMigration extends Infer<typeof StorageVersionMigration> {}

export const storageVersionMigrations = defineResource<StorageVersionMigration>({
  group: "storagemigration.k8s.io",
  version: "v1beta1",
  kind: "StorageVersionMigration",
  plural: "storageversionmigrations",
  featureGate: "StorageVersionMigrator",
  scope: "Cluster",
  schema: StorageVersionMigration,
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
