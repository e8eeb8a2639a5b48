import type {
  MatchResources,
  ParamKind,
  ParamRef,
} from "#api/admissionregistration/v1/policy-matching.ts";
import type { MatchCondition } from "#api/admissionregistration/v1/policy-matching.ts";
import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Clock } from "#base/clock.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { ApiTable } from "../../api-table.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { PolicyCheck } from "../../metrics/admission-meters.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import { matchRules } from "../matching/rules.ts";
import { matchesNamespace, matchesObject } from "../matching/selectors.ts";
import { type AdmissionRequest, isNamespaceKind, namespaceOf } from "../request.ts";

/** What policies of both kinds declare. */
export interface Policy extends KubeObject {
  readonly spec: {
    readonly paramKind?: ParamKind | undefined;
    readonly matchConstraints?: MatchResources | undefined;
    readonly failurePolicy?: string | undefined;
    readonly matchConditions?: readonly MatchCondition[] | undefined;
  };
}

export interface PolicyBinding extends KubeObject {
  readonly spec: {
    readonly policyName?: string | undefined;
    readonly paramRef?: ParamRef | undefined;
    readonly matchResources?: MatchResources | undefined;
  };
}

export interface PolicyContext<P extends Policy, B extends PolicyBinding> {
  readonly policies: LiveSet<P>;
  readonly bindings: LiveSet<B>;
  readonly namespaces: LiveSet<Namespace>;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly table: ApiTable;
  /** Told of each check of a validating policy that did not hold. */
  readonly observe: (check: PolicyCheck) => void;
}

/** A policy with the bindings that put it to use; one without any does nothing. */
export interface BoundPolicy<P extends Policy, B extends PolicyBinding> {
  readonly policy: P;
  readonly bindings: readonly B[];
}

/** All policies in use, by name; listed anew on changes. */
export function boundPolicies<P extends Policy, B extends PolicyBinding>({
  policies,
  bindings,
}: Pick<PolicyContext<P, B>, "policies" | "bindings">): () => readonly BoundPolicy<P, B>[] {
  let seen = "";
  let bound: readonly BoundPolicy<P, B>[] = [];
  return () => {
    const now = `${policies.generation}/${bindings.generation}`;
    if (seen === now) return bound;
    seen = now;
    const all = [...bindings.values()].sort(byName);
    bound = [...policies.values()].sort(byName).flatMap((policy) => {
      const own = all.filter(({ spec }) => spec.policyName === policy.metadata?.name);
      return own.length === 0 ? [] : [{ policy, bindings: own }];
    });
    return bound;
  };
}

function byName(a: KubeObject, b: KubeObject): number {
  return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
}

/**
 * The version in which the request fits `resources`; undefined when it does not.
 * Errors: NotFound of the namespace. Source: policy/matching/matching.go.
 */
export function matchResources(
  resources: MatchResources | undefined,
  request: AdmissionRequest,
  namespaces: LiveSet<Namespace>,
): ResourceDefinition | undefined {
  if (resources === undefined) return request.call.definition;
  const { resourceRules = [], excludeResourceRules = [], matchPolicy = "Exact" } = resources;
  if (matchRules(excludeResourceRules, request, matchPolicy) !== undefined) return undefined;
  const definition =
    resourceRules.length === 0
      ? request.call.definition
      : matchRules(resourceRules, request, matchPolicy);
  if (definition === undefined) return undefined;
  const selected =
    matchesNamespace(resources.namespaceSelector, request, namespaces) &&
    matchesObject(resources.objectSelector, request);
  return selected ? definition : undefined;
}

/** The namespace of what the request is about, for `namespaceObject`. */
export function namespaceObject(
  request: AdmissionRequest,
  namespaces: LiveSet<Namespace>,
): Namespace | undefined {
  if (isNamespaceKind(request.definition)) return undefined;
  return namespaces.get("", namespaceOf(request));
}
