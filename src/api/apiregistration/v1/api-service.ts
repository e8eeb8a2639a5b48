import { statusSubresource } from "#api/strategies.ts";
import { apiServiceStrategy } from "./api-service-strategy.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  bytes,
  type Infer,
  int32,
  kind,
  listOf,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";

export const ServiceReference = struct(
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference",
  {
    namespace: opt(1, string),
    name: opt(2, string),
    port: ptr(3, int32),
  },
);
export interface ServiceReference extends Infer<typeof ServiceReference> {}

export const APIServiceSpec = struct(
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec",
  {
    service: ptr(1, ServiceReference),
    group: opt(2, string),
    version: opt(3, string),
    insecureSkipTLSVerify: opt(4, bool),
    caBundle: opt(5, bytes, { listType: "atomic" }),
    groupPriorityMinimum: req(7, int32),
    versionPriority: req(8, int32),
  },
);
export interface APIServiceSpec extends Infer<typeof APIServiceSpec> {}

export const APIServiceCondition = struct(
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition",
  {
    type: req(1, string),
    status: req(2, string),
    lastTransitionTime: opt(3, time),
    reason: opt(4, string),
    message: opt(5, string),
  },
);
export interface APIServiceCondition extends Infer<typeof APIServiceCondition> {}

export const APIServiceStatus = struct(
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus",
  {
    conditions: opt(1, listOf(APIServiceCondition), {
      listType: "map",
      mapKeys: ["type"],
      patch: "merge",
      mergeKey: "type",
    }),
  },
);
export interface APIServiceStatus extends Infer<typeof APIServiceStatus> {}

export const APIService = kind("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService", {
  metadata,
  spec: req(2, APIServiceSpec, { required: false }),
  status: opt(3, APIServiceStatus),
});
export interface APIService extends Infer<typeof APIService> {}

export const apiServices = defineResource<APIService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: APIService,
  strategy: apiServiceStrategy,
  columns: [
    nameColumn,
    column("Service", serviceText, {
      description: "The reference to the service that hosts this API endpoint.",
    }),
    column("Available", availableText, { description: "Whether this service is available." }),
    ageColumn,
  ],
  storage: { prefix: "apiregistration.k8s.io/apiservices" },
  subresources: {
    status: statusSubresource(),
  },
});

function serviceText({ spec: { service } }: APIService): string {
  return service === undefined ? "Local" : `${service.namespace ?? ""}/${service.name ?? ""}`;
}

function availableText({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (condition === undefined) return "Unknown";
  const { status: value, reason } = condition;
  return value === "True" || !reason ? value : `${value} (${reason})`;
}
