import { dropStatus, keepStatus, statusSubresource } from "#api/strategies.ts";
import {
  classAnnotation,
  validateIngress,
  validateIngressStatus,
  validateNewIngress,
} from "./ingress-validation.ts";
import { ageColumn, column, listText, nameColumn } from "#apimachinery/columns.ts";
import { TypedLocalObjectReference } from "#api/core/v1/object-reference.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const ServiceBackendPort = struct(
  "io.k8s.api.networking.v1.ServiceBackendPort",
  {
    name: opt(1, string),
    number: opt(2, int32),
  },
  { atomic: true },
);
export interface ServiceBackendPort extends Infer<typeof ServiceBackendPort> {}

export const IngressServiceBackend = struct("io.k8s.api.networking.v1.IngressServiceBackend", {
  name: req(1, string),
  port: opt(2, ServiceBackendPort),
});
export interface IngressServiceBackend extends Infer<typeof IngressServiceBackend> {}

export const IngressBackend = struct("io.k8s.api.networking.v1.IngressBackend", {
  service: ptr(4, IngressServiceBackend),
  resource: ptr(3, TypedLocalObjectReference),
});
export interface IngressBackend extends Infer<typeof IngressBackend> {}

export const IngressTLS = struct("io.k8s.api.networking.v1.IngressTLS", {
  hosts: opt(1, listOf(string), { listType: "atomic" }),
  secretName: opt(2, string),
});
export interface IngressTLS extends Infer<typeof IngressTLS> {}

export const HTTPIngressPath = struct("io.k8s.api.networking.v1.HTTPIngressPath", {
  path: opt(1, string),
  pathType: ptr(3, named("v1.PathType", string), { nullable: true, required: true }),
  backend: req(2, IngressBackend),
});
export interface HTTPIngressPath extends Infer<typeof HTTPIngressPath> {}

export const HTTPIngressRuleValue = struct("io.k8s.api.networking.v1.HTTPIngressRuleValue", {
  paths: req(1, listOf(HTTPIngressPath), { listType: "atomic" }),
});
export interface HTTPIngressRuleValue extends Infer<typeof HTTPIngressRuleValue> {}

export const IngressRuleValue = struct("io.k8s.api.networking.v1.IngressRuleValue", {
  http: ptr(1, HTTPIngressRuleValue),
});
export interface IngressRuleValue extends Infer<typeof IngressRuleValue> {}

export const IngressRule = struct("io.k8s.api.networking.v1.IngressRule", {
  host: opt(1, string),
  ingressRuleValue: req(2, IngressRuleValue, { inline: true }),
});
export interface IngressRule extends Infer<typeof IngressRule> {}

export const IngressSpec = struct("io.k8s.api.networking.v1.IngressSpec", {
  ingressClassName: ptr(4, string),
  defaultBackend: ptr(1, IngressBackend),
  tls: opt(2, listOf(IngressTLS), { listType: "atomic" }),
  rules: opt(3, listOf(IngressRule), { listType: "atomic" }),
});
export interface IngressSpec extends Infer<typeof IngressSpec> {}

export const IngressPortStatus = struct("io.k8s.api.networking.v1.IngressPortStatus", {
  port: req(1, int32),
  protocol: req(2, named("v1.Protocol", string)),
  error: ptr(3, string),
});
export interface IngressPortStatus extends Infer<typeof IngressPortStatus> {}

export const IngressLoadBalancerIngress = struct(
  "io.k8s.api.networking.v1.IngressLoadBalancerIngress",
  {
    ip: opt(1, string),
    hostname: opt(2, string),
    ports: opt(4, listOf(IngressPortStatus), { listType: "atomic" }),
  },
);
export interface IngressLoadBalancerIngress extends Infer<typeof IngressLoadBalancerIngress> {}

export const IngressLoadBalancerStatus = struct(
  "io.k8s.api.networking.v1.IngressLoadBalancerStatus",
  {
    ingress: opt(1, listOf(IngressLoadBalancerIngress), { listType: "atomic" }),
  },
);
export interface IngressLoadBalancerStatus extends Infer<typeof IngressLoadBalancerStatus> {}

export const IngressStatus = struct("io.k8s.api.networking.v1.IngressStatus", {
  loadBalancer: opt(1, IngressLoadBalancerStatus),
});
export interface IngressStatus extends Infer<typeof IngressStatus> {}

export const Ingress = kind("io.k8s.api.networking.v1.Ingress", {
  metadata,
  spec: req(2, IngressSpec, { required: false }),
  status: opt(3, IngressStatus),
});
export interface Ingress extends Infer<typeof Ingress> {}

export const ingresses = defineResource<Ingress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["ing"],
  scope: "Namespaced",
  schema: Ingress,
  strategy: {
    generation: true,
    prepareForCreate: dropStatus,
    prepareForUpdate: keepStatus,
    validate: (ingress) => [...validateNewIngress(ingress)],
    validateUpdate: (ingress) => [...validateIngress(ingress)],
    warnings({ metadata: meta, spec }, { old }) {
      const annotated = meta.annotations?.[classAnnotation] !== undefined;
      if (old !== undefined || !annotated || spec.ingressClassName !== undefined) return [];
      return [
        `annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`,
      ];
    },
  },
  columns: [
    nameColumn,
    column("Class", ({ spec }) => spec.ingressClassName ?? "<none>", {
      description: "Who serves it.",
    }),
    column("Hosts", hostsText, { description: "Names that it serves." }),
    column("Address", addressText, { description: "Where it is reached." }),
    column("Ports", ({ spec }) => ((spec.tls ?? []).length > 0 ? "80, 443" : "80"), {
      description: "443 with certificates.",
    }),
    ageColumn,
  ],
  storage: { prefix: "ingress" },
  subresources: {
    status: statusSubresource({
      validate: (ingress, { old }) => [...validateIngressStatus(ingress, old)],
    }),
  },
});

const hostsShownMax = 3;

function hostsText({ spec }: Ingress): string {
  const hosts = (spec.rules ?? []).map(({ host = "" }) => host).filter((host) => host !== "");
  return hosts.length === 0 ? "*" : listText(hosts, hostsShownMax);
}

function addressText({ status }: Ingress): string {
  const points = status?.loadBalancer?.ingress ?? [];
  return points
    .map(({ ip, hostname }) => ip || (hostname ?? ""))
    .filter(Boolean)
    .join(",");
}
