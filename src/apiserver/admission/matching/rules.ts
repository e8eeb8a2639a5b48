import type { Rule } from "#api/admissionregistration/v1/rule.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { type AdmissionRequest, isNamespaceKind, namespaceOf, requestKind } from "../request.ts";

/** A rule as webhooks and policies have it. */
export interface MatchRule extends Rule {
  readonly operations?: readonly string[] | undefined;
  /** Policies can narrow a rule to names. */
  readonly resourceNames?: readonly string[] | undefined;
}

/**
 * Whether a rule speaks of the request, taken as one for `definition`. Source:
 * webhook/predicates/rules.
 */
export function matchesRule(
  rule: MatchRule,
  request: AdmissionRequest,
  definition: ResourceDefinition,
): boolean {
  return (
    inScope(rule.scope, request) &&
    includes(rule.operations, request.operation) &&
    includes(rule.apiGroups, definition.group) &&
    includes(rule.apiVersions, definition.version) &&
    (rule.resources ?? []).some((text) =>
      isResource(text, definition.plural, request.call.subresource),
    ) &&
    hasName(rule.resourceNames, request)
  );
}

function inScope(scope: string | undefined, request: AdmissionRequest): boolean {
  if (scope === undefined || scope === "*") return true;
  const inside = !isNamespaceKind(request.definition) && namespaceOf(request) !== "";
  return scope === "Namespaced" ? inside : scope === "Cluster" && !inside;
}

function includes(items: readonly string[] | undefined, wanted: string): boolean {
  return items !== undefined && (items.includes("*") || items.includes(wanted));
}

function isResource(text: string, plural: string, subresource: string): boolean {
  const slash = text.indexOf("/");
  const resource = slash < 0 ? text : text.slice(0, slash);
  const sub = slash < 0 ? "" : text.slice(slash + 1);
  return (resource === "*" || resource === plural) && (sub === "*" || sub === subresource);
}

/** Objects whose name is to be generated match by what they are asked to be called. */
function hasName(names: readonly string[] | undefined, request: AdmissionRequest): boolean {
  if (names === undefined || names.length === 0) return true;
  return names.includes(request.name || request.object?.metadata?.name || "");
}

const exemptKinds = new Set([
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
  "MutatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
]);

/** What configures admission is not itself subject to it, so that a mistake can be undone. */
export function isExempt(request: AdmissionRequest): boolean {
  const { group, kind } = requestKind(request);
  return group === "admissionregistration.k8s.io" && exemptKinds.has(kind);
}

/**
 * The version of the resource in which the first fitting rule wants to see it; with `Equivalent`
 * also one that the client did not name. Undefined: no rule fits.
 */
export function matchRules(
  rules: readonly MatchRule[],
  request: AdmissionRequest,
  matchPolicy: string | undefined,
): ResourceDefinition | undefined {
  const asked = request.call.definition;
  if (rules.some((rule) => matchesRule(rule, request, asked))) return asked;
  if (matchPolicy !== undefined && matchPolicy !== "Equivalent") return undefined;
  const { subresource } = request.call;
  for (const rule of rules) {
    for (const definition of request.endpoint.versions().values()) {
      if (definition === asked) continue;
      if (subresource !== "" && definition.subresources[subresource] === undefined) continue;
      if (matchesRule(rule, request, definition)) return definition;
    }
  }
  return undefined;
}
