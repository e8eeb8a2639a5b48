import { goQuote } from "#apimachinery/field-error.ts";
import { compareBytes } from "#apimachinery/maps.ts";
import type { ObjectMeta } from "#apimachinery/object.ts";
import { checkQualifiedName } from "#apimachinery/validation/names.ts";

const standard: readonly string[] = ["orphan", "foregroundDeletion", "kubernetes"];
const conflicts = "to avoid accidental conflicts with other finalizer writers";

/** Warnings of finalizers that a write adds. */
export function validateKubeFinalizerNames(meta: ObjectMeta | undefined, old: ObjectMeta | undefined): string[] {
  const before = new Set(old?.finalizers);
  const added = new Set((meta?.finalizers ?? []).filter((name) => !before.has(name)));
  return [...added].sort(compareBytes).flatMap(warningsOf);
}

function warningsOf(finalizer: string): string[] {
  const prefix = `metadata.finalizers: ${goQuote(finalizer)}: `;
  const warnings = checkQualifiedName(finalizer).map((text) => prefix + text);
  if (finalizer.includes("/") || standard.includes(finalizer)) return warnings;
  const advice = finalizer.includes(".")
    ? `prefer a domain-qualified finalizer name including a path (/) ${conflicts}`
    : `prefer a domain-qualified finalizer name ${conflicts}`;
  return [...warnings, prefix + advice];
}
