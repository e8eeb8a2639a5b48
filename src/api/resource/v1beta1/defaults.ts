import type { ResourceClaimSpec } from "./resource-claim-spec.ts";

/** One device is asked for, unless all are. Source: pkg/apis/resource/v1beta1/defaults.go. */
export function defaultRequests({ devices }: ResourceClaimSpec): void {
  for (const request of devices.requests) {
    const { firstAvailable = [] } = request;
    for (const part of firstAvailable.length > 0 ? firstAvailable : [request]) {
      part.allocationMode ||= "ExactCount";
      if (part.allocationMode === "ExactCount") part.count ||= 1;
      for (const toleration of part.tolerations ?? []) toleration.operator ||= "Equal";
    }
  }
}
