import { validateCsiNode, validateCsiNodeUpdate } from "./storage-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { type Infer, int32, kind, listOf, ptr, req, string, struct } from "#apimachinery/schema.ts";

export const VolumeNodeResources = struct("io.k8s.api.storage.v1.VolumeNodeResources", {
  count: ptr(1, int32),
});
export interface VolumeNodeResources extends Infer<typeof VolumeNodeResources> {}

export const CSINodeDriver = struct("io.k8s.api.storage.v1.CSINodeDriver", {
  name: req(1, string),
  nodeID: req(2, string),
  topologyKeys: req(3, listOf(string), { required: false, listType: "atomic" }),
  allocatable: ptr(4, VolumeNodeResources),
});
export interface CSINodeDriver extends Infer<typeof CSINodeDriver> {}

export const CSINodeSpec = struct("io.k8s.api.storage.v1.CSINodeSpec", {
  drivers: req(1, listOf(CSINodeDriver), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
});
export interface CSINodeSpec extends Infer<typeof CSINodeSpec> {}

export const CSINode = kind("io.k8s.api.storage.v1.CSINode", {
  metadata,
  spec: req(2, CSINodeSpec),
});
export interface CSINode extends Infer<typeof CSINode> {}

export const csiNodes = defineResource<CSINode>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  scope: "Cluster",
  schema: CSINode,
  strategy: {
    deleteReturnsObject: true,
    validate: (node) => [...validateCsiNode(node)],
    validateUpdate: (node, { old }) => [...validateCsiNodeUpdate(node, old)],
  },
  columns: [
    nameColumn,
    column("Drivers", ({ spec }) => spec.drivers.length, { description: "How many drivers the node has.", type: "integer" }),
    ageColumn,
  ],
});
