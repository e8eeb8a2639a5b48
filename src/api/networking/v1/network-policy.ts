import { validateNetworkPolicy } from "./network-policy-validation.ts";
import { describeLabelSelector } from "#apimachinery/selectors.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  intOrString,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";

export const NetworkPolicyPort = struct("io.k8s.api.networking.v1.NetworkPolicyPort", {
  protocol: ptr(1, named("v1.Protocol", string)),
  port: ptr(2, intOrString),
  endPort: ptr(3, int32),
});
export interface NetworkPolicyPort extends Infer<typeof NetworkPolicyPort> {}

export const IPBlock = struct("io.k8s.api.networking.v1.IPBlock", {
  cidr: req(1, string),
  except: opt(2, listOf(string), { listType: "atomic" }),
});
export interface IPBlock extends Infer<typeof IPBlock> {}

export const NetworkPolicyPeer = struct("io.k8s.api.networking.v1.NetworkPolicyPeer", {
  podSelector: ptr(1, LabelSelector),
  namespaceSelector: ptr(2, LabelSelector),
  ipBlock: ptr(3, IPBlock),
});
export interface NetworkPolicyPeer extends Infer<typeof NetworkPolicyPeer> {}

export const NetworkPolicyIngressRule = struct(
  "io.k8s.api.networking.v1.NetworkPolicyIngressRule",
  {
    ports: opt(1, listOf(NetworkPolicyPort), { listType: "atomic" }),
    from: opt(2, listOf(NetworkPolicyPeer), { listType: "atomic" }),
  },
);
export interface NetworkPolicyIngressRule extends Infer<typeof NetworkPolicyIngressRule> {}

export const NetworkPolicyEgressRule = struct("io.k8s.api.networking.v1.NetworkPolicyEgressRule", {
  ports: opt(1, listOf(NetworkPolicyPort), { listType: "atomic" }),
  to: opt(2, listOf(NetworkPolicyPeer), { listType: "atomic" }),
});
export interface NetworkPolicyEgressRule extends Infer<typeof NetworkPolicyEgressRule> {}

export const NetworkPolicySpec = struct("io.k8s.api.networking.v1.NetworkPolicySpec", {
  podSelector: req(1, LabelSelector, { required: false }),
  ingress: opt(2, listOf(NetworkPolicyIngressRule), { listType: "atomic" }),
  egress: opt(3, listOf(NetworkPolicyEgressRule), { listType: "atomic" }),
  policyTypes: opt(4, listOf(named("v1.PolicyType", string)), { listType: "atomic" }),
});
export interface NetworkPolicySpec extends Infer<typeof NetworkPolicySpec> {}

export const NetworkPolicy = kind("io.k8s.api.networking.v1.NetworkPolicy", {
  metadata,
  spec: req(2, NetworkPolicySpec, { required: false }),
});
export interface NetworkPolicy extends Infer<typeof NetworkPolicy> {}

export const networkPolicies = defineResource<NetworkPolicy>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  shortNames: ["netpol"],
  scope: "Namespaced",
  schema: NetworkPolicy,
  strategy: {
    generation: true,
    default({ spec }) {
      for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
        for (const port of rule.ports ?? []) port.protocol ??= "TCP";
      }
      if ((spec.policyTypes ?? []).length > 0) return;
      spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
    },
    validate: (policy) => [...validateNetworkPolicy(policy)],
    validateUpdate: (policy, { old }) => [...validateNetworkPolicy(policy, old)],
  },
  columns: [
    nameColumn,
    column("Pod-Selector", ({ spec }) => describeLabelSelector(spec.podSelector), {
      description: "The Pods that it protects.",
    }),
    ageColumn,
  ],
});
