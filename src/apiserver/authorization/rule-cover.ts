import { fitsPath } from "./path-pattern.ts";
import type { PolicyRule } from "./rbac.ts";

/**
 * What of `wanted` no rule of `held` grants, in the smallest pieces, pieces of one resource put
 * together again. Source: component-helpers/auth/rbac/validation/policy_comparator.go, and
 * registry/rbac/validation/policy_compact.go.
 */
export function missingRules(
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] {
  const missing = wanted
    .flatMap((rule) => [...pieces(rule)])
    .filter((piece) => !held.some((rule) => covers(rule, piece)));
  return compact(missing);
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function ruleText(rule: PolicyRule): string {
  const part = (name: string, values: readonly string[] = []): string[] =>
    values.length === 0 ? [] : [`${name}:${goList(values)}`];
  const parts = [
    ...part("APIGroups", rule.apiGroups),
    ...part("Resources", rule.resources),
    ...part("NonResourceURLs", rule.nonResourceURLs),
    ...part("ResourceNames", rule.resourceNames),
    ...part("Verbs", rule.verbs),
  ];
  return `{${parts.join(", ")}}`;
}

/** Go's `%q` of strings. */
export function goList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}

function* pieces(rule: PolicyRule): Generator<PolicyRule> {
  const names = rule.resourceNames ?? [];
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs ?? []) {
        const piece = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (names.length === 0) yield piece;
        for (const name of names) yield { ...piece, resourceNames: [name] };
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) {
    for (const verb of rule.verbs ?? []) yield { nonResourceURLs: [url], verbs: [verb] };
  }
}

function covers(rule: PolicyRule, piece: PolicyRule): boolean {
  if (!has(rule.verbs, piece.verbs?.[0] ?? "")) return false;
  const url = piece.nonResourceURLs?.[0];
  if (url !== undefined) return fitsPath(rule.nonResourceURLs ?? [], url);
  const names = rule.resourceNames ?? [];
  const name = piece.resourceNames?.[0];
  return (
    has(rule.apiGroups, piece.apiGroups?.[0] ?? "") &&
    coversResource(rule.resources ?? [], piece.resources?.[0] ?? "") &&
    (names.length === 0 || (name !== undefined && names.includes(name)))
  );
}

function has(values: readonly string[] | undefined, wanted: string): boolean {
  return values !== undefined && (values.includes("*") || values.includes(wanted));
}

function coversResource(resources: readonly string[], wanted: string): boolean {
  if (has(resources, wanted)) return true;
  const subresource = wanted.split("/")[1];
  return subresource !== undefined && resources.includes(`*/${subresource}`);
}

function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { verbs = [], ...rest } = rule;
    const key = JSON.stringify(rest.nonResourceURLs === undefined ? rest : rule);
    const known = merged.get(key);
    merged.set(
      key,
      known === undefined ? rule : { ...known, verbs: [...(known.verbs ?? []), ...verbs] },
    );
  }
  return [...merged.values()];
}
