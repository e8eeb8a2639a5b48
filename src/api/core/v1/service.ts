import { ipWarnings } from "#apimachinery/validation/ip.ts";
import { validateLoadBalancerStatus } from "./service-validation.ts";
import { statusSubresource } from "#api/strategies.ts";
import { serviceColumns } from "./service-columns.ts";
import { ServicePort } from "./service-port.ts";
import { serviceStrategy } from "./service-strategy.ts";
import { Condition } from "#apimachinery/meta/condition.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  type Infer,
  int32,
  kind,
  listOf,
  mapOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";
import { ServiceProxyOptions } from "./connect-options.ts";

export const ClientIPConfig = struct("io.k8s.api.core.v1.ClientIPConfig", {
  timeoutSeconds: ptr(1, int32),
});
export interface ClientIPConfig extends Infer<typeof ClientIPConfig> {}

export const SessionAffinityConfig = struct("io.k8s.api.core.v1.SessionAffinityConfig", {
  clientIP: ptr(1, ClientIPConfig),
});
export interface SessionAffinityConfig extends Infer<typeof SessionAffinityConfig> {}

export const PortStatus = struct("io.k8s.api.core.v1.PortStatus", {
  port: req(1, int32),
  protocol: req(2, named("v1.Protocol", string)),
  error: ptr(3, string),
});
export interface PortStatus extends Infer<typeof PortStatus> {}

export const LoadBalancerIngress = struct("io.k8s.api.core.v1.LoadBalancerIngress", {
  ip: opt(1, string),
  hostname: opt(2, string),
  ipMode: ptr(3, named("v1.LoadBalancerIPMode", string)),
  ports: opt(4, listOf(PortStatus), { listType: "atomic" }),
});
export interface LoadBalancerIngress extends Infer<typeof LoadBalancerIngress> {}

export const LoadBalancerStatus = struct("io.k8s.api.core.v1.LoadBalancerStatus", {
  ingress: opt(1, listOf(LoadBalancerIngress), { listType: "atomic" }),
});
export interface LoadBalancerStatus extends Infer<typeof LoadBalancerStatus> {}

export const ServiceStatus = struct("io.k8s.api.core.v1.ServiceStatus", {
  loadBalancer: opt(1, LoadBalancerStatus),
  conditions: opt(2, listOf(Condition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface ServiceStatus extends Infer<typeof ServiceStatus> {}

export const ServiceSpec = struct("io.k8s.api.core.v1.ServiceSpec", {
  ports: opt(1, listOf(ServicePort), {
    listType: "map",
    mapKeys: ["port", "protocol"],
    patch: "merge",
    mergeKey: "port",
  }),
  selector: opt(2, mapOf(string), { mapType: "atomic" }),
  clusterIP: opt(3, string),
  clusterIPs: opt(18, listOf(string), { listType: "atomic" }),
  type: opt(4, named("v1.ServiceType", string)),
  externalIPs: opt(5, listOf(string), { listType: "atomic" }),
  sessionAffinity: opt(7, named("v1.ServiceAffinity", string)),
  loadBalancerIP: opt(8, string),
  loadBalancerSourceRanges: opt(9, listOf(string), { listType: "atomic" }),
  externalName: opt(10, string),
  externalTrafficPolicy: opt(11, named("v1.ServiceExternalTrafficPolicy", string)),
  healthCheckNodePort: opt(12, int32),
  publishNotReadyAddresses: opt(13, bool),
  sessionAffinityConfig: ptr(14, SessionAffinityConfig),
  ipFamilies: opt(19, listOf(named("v1.IPFamily", string)), { listType: "atomic" }),
  ipFamilyPolicy: ptr(17, named("v1.IPFamilyPolicy", string)),
  allocateLoadBalancerNodePorts: ptr(20, bool),
  loadBalancerClass: ptr(21, string),
  internalTrafficPolicy: ptr(22, named("v1.ServiceInternalTrafficPolicy", string)),
  trafficDistribution: ptr(23, string),
});
export interface ServiceSpec extends Infer<typeof ServiceSpec> {}

export const Service = kind("io.k8s.api.core.v1.Service", {
  metadata,
  spec: req(2, ServiceSpec, { required: false }),
  status: opt(3, ServiceStatus),
});
export interface Service extends Infer<typeof Service> {}

export const services = defineResource<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  scope: "Namespaced",
  schema: Service,
  strategy: serviceStrategy,
  fieldSelectors: {
    "spec.clusterIP": ({ spec }) => spec.clusterIP ?? "",
    "spec.type": ({ spec }) => spec.type ?? "",
  },
  columns: serviceColumns,
  storage: { prefix: "services/specs" },
  subresources: {
    proxy: {
      verbs: ["create", "delete", "get", "patch", "update"],
      kind: { group: "", version: "v1", kind: "ServiceProxyOptions" },
      schema: ServiceProxyOptions,
      handler: "services/proxy",
    },
    status: statusSubresource<Service>({
      validate: (service, { old }) => [...validateLoadBalancerStatus(service, old)],
      warnings: ({ status }) =>
        (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, i) =>
          ip ? ipWarnings(ip, `status.loadBalancer.ingress[${i}].ip`) : [],
        ),
    }),
  },
});
