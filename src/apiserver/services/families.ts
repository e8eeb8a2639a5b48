import { isHeadless } from "#api/core/v1/service-defaults.ts";
import type { Service } from "#api/core/v1/service.ts";
import { normalizeClusterIps } from "#api/core/v1/service-strategy.ts";
import { validateClusterIps } from "#api/core/v1/service-validation.ts";
import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import { isIpv6 } from "#apimachinery/validation/ip.ts";

/** The cluster has addresses of one family. */
const clusterFamily = "IPv4";

/**
 * Brings addresses and families of a Service in line and fills in the families it leaves out;
 * returns what it may not have. Source: registry/core/service/storage/alloc.go.
 */
export function initFamilies(service: Service, old: Service | undefined): FieldError[] {
  normalizeClusterIps(service, old);
  const { spec } = service;
  if (spec.type === "ExternalName") return [];
  const faults = [...validateClusterIps(service, old)];
  if (faults.length > 0) return faults;
  if (spec.clusterIP === "None") spec.clusterIPs = ["None"];
  if (isHeadless(service) && Object.keys(spec.selector ?? {}).length === 0) {
    // Its endpoints are not the cluster's to choose, so both families are possible.
    spec.ipFamilyPolicy ??= "RequireDualStack";
    if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = [clusterFamily];
    if (spec.ipFamilyPolicy !== "SingleStack" && spec.ipFamilies?.length === 1) {
      spec.ipFamilies = [...spec.ipFamilies, spec.ipFamilies[0] === "IPv4" ? "IPv6" : "IPv4"];
    }
    return [];
  }
  return checkFamilies(service);
}

function checkFamilies({ spec }: Service): FieldError[] {
  const named = (spec.clusterIPs ?? []).filter((address) => address !== "None");
  const foreign = named.findIndex(isIpv6);
  if (foreign >= 0) {
    const path = `spec.clusterIPs[${foreign}]`;
    return [invalid(path, spec.clusterIPs, "IPv6 is not configured on this cluster")];
  }
  const families = spec.ipFamilies ?? [];
  const wrong = families.findIndex((family) => family !== clusterFamily);
  if (wrong >= 0) {
    const path = `spec.ipFamilies[${wrong}]`;
    return [invalid(path, families[wrong], "not configured on this cluster")];
  }
  if (spec.ipFamilyPolicy === "RequireDualStack") {
    const detail = "this cluster is not configured for dual-stack services";
    return [invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, detail)];
  }
  spec.ipFamilyPolicy ??= "SingleStack";
  spec.ipFamilies = [clusterFamily];
  return [];
}
