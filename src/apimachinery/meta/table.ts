import {
  anyJson,
  type Infer,
  int32,
  kind,
  listOf,
  named,
  opt,
  rawObject,
  req,
  string,
  struct,
} from "../schema.ts";
import { ListMeta } from "./list-meta.ts";
import { metadata } from "./object-meta.ts";

export const TableColumnDefinition = struct(
  "io.k8s.apimachinery.pkg.apis.meta.v1.TableColumnDefinition",
  {
    name: req(0, string),
    type: req(0, string),
    format: req(0, string),
    description: req(0, string),
    priority: req(0, int32),
  },
);
export interface TableColumnDefinition extends Infer<typeof TableColumnDefinition> {}

export const TableRowCondition = struct("io.k8s.apimachinery.pkg.apis.meta.v1.TableRowCondition", {
  type: req(0, named("v1.RowConditionType", string)),
  status: req(0, named("v1.ConditionStatus", string)),
  reason: opt(0, string),
  message: opt(0, string),
});
export interface TableRowCondition extends Infer<typeof TableRowCondition> {}

export const TableRow = struct("io.k8s.apimachinery.pkg.apis.meta.v1.TableRow", {
  cells: req(0, listOf(anyJson), { listType: "atomic" }),
  conditions: opt(0, listOf(TableRowCondition), { listType: "atomic" }),
  object: opt(0, rawObject),
});
export interface TableRow extends Infer<typeof TableRow> {}

export const Table = kind("io.k8s.apimachinery.pkg.apis.meta.v1.Table", {
  metadata: req(0, ListMeta, { required: false }),
  columnDefinitions: req(0, listOf(TableColumnDefinition), { listType: "atomic" }),
  rows: req(0, listOf(TableRow), { listType: "atomic" }),
});
export interface Table extends Infer<typeof Table> {}

export const TableOptions = kind("io.k8s.apimachinery.pkg.apis.meta.v1.TableOptions", {
  includeObject: opt(1, named("v1.IncludeObjectPolicy", string)),
});
export interface TableOptions extends Infer<typeof TableOptions> {}

export const PartialObjectMetadata = kind(
  "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata",
  {
    metadata,
  },
);
export interface PartialObjectMetadata extends Infer<typeof PartialObjectMetadata> {}

export const PartialObjectMetadataList = kind(
  "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList",
  {
    metadata: req(1, ListMeta, { required: false }),
    items: req(2, listOf(PartialObjectMetadata)),
  },
);
export interface PartialObjectMetadataList extends Infer<typeof PartialObjectMetadataList> {}
