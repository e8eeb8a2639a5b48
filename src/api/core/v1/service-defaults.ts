import type { Service } from "./service.ts";

/** Source: pkg/apis/core/v1/defaults.go. */
export const clientIpTimeoutSecondsDefault = 10_800;

/** Reached from outside: by a load balancer, a node port or an external address. */
export function isExternallyAccessible({ spec }: Service): boolean {
  const external = spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0;
  return spec.type === "LoadBalancer" || spec.type === "NodePort" || external;
}

/** A load balancer that sends traffic only where there are endpoints asks the nodes. */
export function needsHealthCheck({ spec }: Service): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === "None";
}

export function defaultService(service: Service): void {
  const { spec, status } = service;
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP") {
    if (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
      spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: clientIpTimeoutSecondsDefault } };
    }
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") {
      port.targetPort = port.port;
    }
  }
  if (isExternallyAccessible(service)) spec.externalTrafficPolicy ||= "Cluster";
  if (["ClusterIP", "NodePort", "LoadBalancer"].includes(spec.type)) {
    spec.internalTrafficPolicy ??= "Cluster";
  }
  if (spec.type !== "LoadBalancer") return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status?.loadBalancer?.ingress ?? [])
    if (ingress.ip) ingress.ipMode ??= "VIP";
}
