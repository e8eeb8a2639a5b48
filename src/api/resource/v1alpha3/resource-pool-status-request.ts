import { Condition } from "#apimachinery/meta/condition.ts";
import { ObjectMeta } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  int64,
  kind,
  listOf,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const ResourcePoolStatusRequestSpec = struct(
  "io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestSpec",
  {
    driver: req(1, string),
    poolName: ptr(2, string),
    limit: ptr(3, int32, { default: 100 }),
  },
);
export interface ResourcePoolStatusRequestSpec extends Infer<
  typeof ResourcePoolStatusRequestSpec
> {}

export const PoolStatus = struct("io.k8s.api.resource.v1alpha3.PoolStatus", {
  driver: opt(1, string, { required: true }),
  poolName: opt(2, string, { required: true }),
  generation: req(9, int64),
  resourceSliceCount: ptr(8, int32),
  totalDevices: ptr(4, int32),
  allocatedDevices: ptr(5, int32),
  availableDevices: ptr(6, int32),
  unavailableDevices: ptr(7, int32),
  nodeName: ptr(3, string),
  validationError: ptr(10, string),
});
export interface PoolStatus extends Infer<typeof PoolStatus> {}

export const ResourcePoolStatusRequestStatus = struct(
  "io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestStatus",
  {
    poolCount: ptr(6, int32, { required: true }),
    pools: opt(2, listOf(PoolStatus), { listType: "atomic" }),
    conditions: opt(3, listOf(Condition), {
      listType: "map",
      mapKeys: ["type"],
      patch: "merge",
      mergeKey: "type",
    }),
  },
);
export interface ResourcePoolStatusRequestStatus extends Infer<
  typeof ResourcePoolStatusRequestStatus
> {}

export const ResourcePoolStatusRequest = kind(
  "io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequest",
  {
    metadata: req(1, ObjectMeta),
    spec: req(2, ResourcePoolStatusRequestSpec),
    status: ptr(3, ResourcePoolStatusRequestStatus),
  },
);
export interface ResourcePoolStatusRequest extends Infer<typeof ResourcePoolStatusRequest> {}

export const resourcePoolStatusRequests = defineResource<ResourcePoolStatusRequest>({
  group: "resource.k8s.io",
  version: "v1alpha3",
  kind: "ResourcePoolStatusRequest",
  plural: "resourcepoolstatusrequests",
  featureGate: "DRAResourcePoolStatus",
  scope: "Cluster",
  schema: ResourcePoolStatusRequest,
  strategy: { deleteReturnsObject: true },
  subresources: {
    status: { verbs: ["get", "patch", "update"] },
  },
});
