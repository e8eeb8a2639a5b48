import { invalid, notSupported, required } from "#apimachinery/field-error.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsSubdomain,
} from "#apimachinery/validation/checks.ts";
import { internalValue } from "#apimachinery/validation/go-value.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import { checkPathSegment } from "#apimachinery/validation/names.ts";
import type { AggregationRule } from "./cluster-role.ts";
import type { PolicyRule } from "./policy-rule.ts";
import { rbacGroup, RoleRef, type Subject } from "./role-ref.ts";

/** Source: pkg/apis/rbac/validation/validation.go. */
const subjectKinds = ["ServiceAccount", "User", "Group"];

export function* validateRules(
  rules: readonly PolicyRule[] | undefined,
  { namespaced }: { namespaced: boolean },
): Findings {
  for (const [i, rule] of (rules ?? []).entries())
    yield* validateRule(rule, `rules[${i}]`, namespaced);
}

function* validateRule(rule: PolicyRule, path: string, namespaced: boolean): Findings {
  const { verbs = [], apiGroups = [], resources = [], nonResourceURLs: urls = [] } = rule;
  if (verbs.length === 0) yield required(`${path}.verbs`, "verbs must contain at least one value");
  if (urls.length > 0) {
    const at = `${path}.nonResourceURLs`;
    if (namespaced) yield invalid(at, urls, "namespaced rules cannot apply to non-resource URLs");
    if (apiGroups.length + resources.length + (rule.resourceNames ?? []).length > 0) {
      const detail = "rules cannot apply to both regular resources and non-resource URLs";
      yield invalid(at, urls, detail);
    }
    return;
  }
  if (apiGroups.length === 0) {
    yield required(`${path}.apiGroups`, "resource rules must supply at least one api group");
  }
  if (resources.length === 0) {
    yield required(`${path}.resources`, "resource rules must supply at least one resource");
  }
}

export function* validateAggregation(rule: AggregationRule | undefined): Findings {
  if (rule === undefined) return;
  const path = "aggregationRule.clusterRoleSelectors";
  const { clusterRoleSelectors: selectors = [] } = rule;
  if (selectors.length === 0) {
    const detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
    yield required(path, detail);
  }
  for (const [i, selector] of selectors.entries()) {
    const findings = [...validateLabelSelector(selector, `${path}[${i}]`)];
    yield* findings;
    if (findings.length > 0) yield invalid(`${path}[${i}]`, null, "invalid label selector.");
  }
}

interface Binding {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[] | undefined;
}

interface BindingRules {
  readonly namespaced: boolean;
  readonly old?: Binding;
}

export function* validateBinding(binding: Binding, { namespaced, old }: BindingRules): Findings {
  const { roleRef, subjects = [] } = binding;
  if (roleRef.apiGroup !== rbacGroup) {
    yield notSupported("roleRef.apiGroup", roleRef.apiGroup, [rbacGroup]);
  }
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (!kinds.includes(roleRef.kind)) yield notSupported("roleRef.kind", roleRef.kind, kinds);
  if (roleRef.name === "") yield required("roleRef.name", "");
  else yield* invalidTexts("roleRef.name", roleRef.name, checkPathSegment(roleRef.name));
  for (const [i, subject] of subjects.entries()) {
    yield* validateSubject(subject, `subjects[${i}]`, namespaced);
  }
  if (old !== undefined && !semanticEqual(roleRef, old.roleRef)) {
    yield invalid("roleRef", internalValue(RoleRef, roleRef), "cannot change roleRef");
  }
}

function* validateSubject(subject: Subject, path: string, namespaced: boolean): Findings {
  const { kind, name, apiGroup = "" } = subject;
  if (name === "") yield required(`${path}.name`, "");
  if (kind === "ServiceAccount") {
    if (name !== "") yield* validateDnsSubdomain(name, `${path}.name`);
    if (apiGroup !== "") yield notSupported(`${path}.apiGroup`, apiGroup, [""]);
    if (!namespaced && !subject.namespace) yield required(`${path}.namespace`, "");
  } else if (subjectKinds.includes(kind)) {
    if (apiGroup !== rbacGroup) yield notSupported(`${path}.apiGroup`, apiGroup, [rbacGroup]);
  } else {
    yield notSupported(`${path}.kind`, kind, subjectKinds);
  }
}
