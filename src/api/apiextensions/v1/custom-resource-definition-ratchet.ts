import { semanticEqual } from "#apimachinery/deep-equal.ts";
import type { FieldError } from "#apimachinery/field-error.ts";
import type { CustomResourceDefinition } from "./custom-resource-definition.ts";

/** A check that came later than definitions which are stored. */
type LateCheck = (finding: FieldError) => boolean;

const lateDetails: readonly RegExp[] = [
  // Items of sets are atomic.
  /^must be atomic as item of a list with x-kubernetes-list-type=set$/,
  // Keys of maps and items of sets are there, and not null.
  /^cannot be nullable when x-kubernetes-list-type is |^this property is in x-kubernetes-list-map-keys, so it /,
  // Defaults hold no unknown fields.
  /^must not have unknown fields$/,
  // Reviews are of a version that this server speaks.
  /^must include at least one of v1, v1beta1$/,
  // Roots of a webhook can be read.
  /^unable to load root certificates: /,
];

const lateChecks: readonly LateCheck[] = [
  ...lateDetails.map((detail) => (finding: FieldError) => detail.test(finding.detail)),
  ({ type, field }) => type === "FieldValueRequired" && field.endsWith(".schema.openAPIV3Schema"),
  ({ type, field }) => type === "FieldValueNotSupported" && field.includes(".openAPIV3Schema") && field.endsWith(".type"),
];

const ruleCost = /^estimated (?:rule|messageExpression) cost exceeds budget/;

/**
 * What an update has to answer for: checks that the stored definition fails itself are not asked of
 * the new one, nor what rules cost of a schema that stays, nor how many fields stay selectable.
 * Source: ValidateCustomResourceDefinitionUpdate, validationOptions.
 */
export function ratchetFindings(
  found: readonly FieldError[],
  { definition, old, oldFindings }: Ratchet,
): FieldError[] {
  if (found.length === 0) return [];
  const before = oldFindings();
  const excused = lateChecks.filter((fails) => before.some(fails));
  return found.filter((finding) => {
    if (excused.some((fails) => fails(finding))) return false;
    if (ruleCost.test(finding.detail)) return !isKept(definition, old, { at: finding.field, part: "schema" });
    const isCount = finding.type === "FieldValueTooMany" && finding.field.endsWith("selectableFields");
    return !isCount || !isKept(definition, old, { at: finding.field, part: "selectableFields" });
  });
}

interface Ratchet {
  readonly definition: CustomResourceDefinition;
  readonly old: CustomResourceDefinition;
  /** What is wrong with the stored definition. */
  readonly oldFindings: () => readonly FieldError[];
}

/** Whether the part that a finding is about is as it was. A field of the spec stands for all versions. */
function isKept(
  { spec }: CustomResourceDefinition,
  old: CustomResourceDefinition,
  { at, part }: { readonly at: string; readonly part: "schema" | "selectableFields" },
): boolean {
  const index = /^spec\.versions\[(\d+)\]/.exec(at)?.[1];
  const version = spec.versions[Number(index ?? 0)];
  const before = old.spec.versions.find(({ name }) => name === version?.name);
  return version !== undefined && before !== undefined && semanticEqual(version[part], before[part]);
}
