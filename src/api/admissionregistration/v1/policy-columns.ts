import type { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { sortedEntries } from "#apimachinery/validation/checks.ts";
import type { ParamKind, ParamRef } from "./policy-matching.ts";

/** Cells of policies and their bindings. Source: pkg/printers/internalversion. */
const unset = "<unset>";

export function paramKindText(param: ParamKind | undefined): string {
  return param === undefined ? unset : `${param.apiVersion ?? ""}/${param.kind ?? ""}`;
}

export function paramRefText(reference: ParamRef | undefined): string {
  if (reference === undefined) return unset;
  const { name, namespace, selector } = reference;
  if (name) return `${namespace || "*"}/${name}`;
  return selector === undefined ? unset : goSelectorText(selector);
}

/** Upstream prints the Go value. */
function goSelectorText({ matchLabels, matchExpressions = [] }: LabelSelector): string {
  const labels = sortedEntries(matchLabels).map(([key, value]) => `${key}: ${value},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  return (
    `&LabelSelector{MatchLabels:map[string]string{${labels.join("")}},` +
    `MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`
  );
}
