import type { Pod } from "#api/core/v1/pod.ts";

/** Longest hostname of Linux. */
const hostnameMax = 63;
const fqdnMax = 64;

export interface PodHostname {
  readonly hostname: string;
  /** `subdomain.namespace.svc.cluster.local`; "" without a subdomain. */
  readonly domain: string;
}

/** Source: kubelet_pods.go GeneratePodHostNameAndDomain. */
export function podHostname(pod: Pod, clusterDomain: string): PodHostname {
  const { hostname, hostnameOverride, subdomain } = pod.spec;
  const { name = "", namespace = "" } = pod.metadata ?? {};
  if (hostnameOverride !== undefined && hostnameOverride !== "") {
    return { hostname: hostnameOverride, domain: "" };
  }
  const chosen = hostname !== undefined && hostname !== "" ? hostname : name;
  const domain = subdomain ? `${subdomain}.${namespace}.svc.${clusterDomain}` : "";
  return { hostname: chosen.slice(0, hostnameMax).replace(/[-.]+$/, ""), domain };
}

/** What `hostname` prints inside. Throws when the FQDN asked for is too long for the kernel. */
export function kernelHostname(pod: Pod, { hostname, domain }: PodHostname): string {
  if (pod.spec.setHostnameAsFQDN !== true || domain === "") return hostname;
  const fqdn = `${hostname}.${domain}`;
  if (fqdn.length <= fqdnMax) return fqdn;
  throw new Error(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long ` +
      `(${fqdnMax} characters is the max, ${fqdn.length} characters requested)`,
  );
}
