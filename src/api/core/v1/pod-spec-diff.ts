import { unifiedDiff } from "#apimachinery/text-diff.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { PodSpec } from "./pod-spec.ts";

/** What changed, as upstream shows it: its internal types' JSON, compared line by line. */
export function podSpecDiff(old: PodSpec, now: PodSpec): string {
  return unifiedDiff(indented(old), indented(now));
}

function indented(spec: PodSpec): string[] {
  return JSON.stringify(internalPodSpec(spec), undefined, 1).split("\n");
}

/** Host namespaces are part of the internal security context. */
function internalPodSpec(spec: PodSpec): Record<string, unknown> {
  return internalValue(PodSpec, spec) as Record<string, unknown>;
}
