import type { Container } from "#api/core/v1/container.ts";
import type { ObjectFieldSelector, ResourceFieldSelector } from "#api/core/v1/env.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import { goQuote } from "#apimachinery/field-error.ts";
import { quantityMilliValue, quantityValue } from "#apimachinery/quantity.ts";
import { findContainer } from "./container-list.ts";

/** What fields need that is not in the spec. */
export interface FieldContext {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  /** Stands in for limits that a container does not have; `cpu` and others to quantities. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** Throws with upstream's text on a path that it does not know. Source: kubelet_pods.go, fieldpath. */
export function fieldValue(
  { fieldPath }: Pick<ObjectFieldSelector, "fieldPath">,
  pod: Pod,
  context: FieldContext,
): string {
  const { metadata = {}, spec } = pod;
  const [, map, key = ""] = /^metadata\.(annotations|labels)\['(.*)'\]$/.exec(fieldPath) ?? [];
  if (map === "annotations" || map === "labels") return metadata[map]?.[key] ?? "";
  switch (fieldPath) {
    case "metadata.annotations":
      return formatMap(metadata.annotations ?? {});
    case "metadata.labels":
      return formatMap(metadata.labels ?? {});
    case "metadata.name":
      return metadata.name ?? "";
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid ?? "";
    case "spec.nodeName":
      return spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return spec.serviceAccountName ?? "";
    case "status.hostIP":
      return context.hostIps[0] ?? "";
    case "status.hostIPs":
      return context.hostIps.join(",");
    case "status.podIP":
      return context.podIps[0] ?? "";
    case "status.podIPs":
      return context.podIps.join(",");
    default:
      throw new Error(`unsupported fieldPath: ${fieldPath}`);
  }
}

/** `key="value"` lines, sorted. */
function formatMap(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .toSorted(compareBytes)
    .map((key) => `${key}=${goQuote(map[key] ?? "")}`)
    .join("\n");
}

/** In units of the divisor, rounded up. Source: pkg/api/v1/resource/helpers.go. */
export function resourceFieldValue(
  selector: ResourceFieldSelector,
  pod: Pod,
  of: { readonly container?: Container | undefined; readonly context: FieldContext },
): string {
  const named = selector.containerName;
  const container = named ? findContainer(pod, named)?.container : of.container;
  if (container === undefined) throw new Error(`container ${named ?? ""} not found`);
  const [list = "", ...rest] = selector.resource.split(".");
  const resource = rest.join(".");
  const { requests = {}, limits = {} } = container.resources ?? {};
  const quantity =
    list === "limits" ? (limits[resource] ?? of.context.allocatable[resource]) : requests[resource];
  return divided(quantity ?? "0", resource, selector.divisor ?? "0");
}

function divided(quantity: string, resource: string, divisor: string): string {
  const unit = quantityMilliValue(divisor) === 0 ? "1" : divisor;
  const [amount, by] =
    resource === "cpu"
      ? [BigInt(quantityMilliValue(quantity)), BigInt(quantityMilliValue(unit))]
      : [BigInt(quantityValue(quantity)), BigInt(quantityValue(unit))];
  if (by === 0n) return "0";
  return String((amount + by - 1n) / by);
}
