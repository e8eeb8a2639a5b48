import type { MatchCondition } from "#api/admissionregistration/v1/policy-matching.ts";
import type { RuleWithOperations } from "#api/admissionregistration/v1/rule.ts";
import type { Namespace } from "#api/core/v1/namespace.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { LabelSelectorSource } from "#apimachinery/selectors.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { WebhookCall } from "../../metrics/admission-meters.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { WebhookClients, WebhookTarget } from "../../webhooks/webhook-client.ts";
import { matchConditions } from "../cel/match-conditions.ts";
import { matchRules } from "../matching/rules.ts";
import { matchesNamespace, matchesObject } from "../matching/selectors.ts";
import { type AdmissionRequest, forbid } from "../request.ts";

/** What webhooks of both kinds declare. */
export interface Webhook {
  readonly name: string;
  readonly clientConfig: WebhookTarget;
  readonly rules?: readonly RuleWithOperations[] | undefined;
  readonly failurePolicy?: string | undefined;
  readonly matchPolicy?: string | undefined;
  readonly namespaceSelector?: LabelSelectorSource | undefined;
  readonly objectSelector?: LabelSelectorSource | undefined;
  readonly sideEffects?: string | null | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly admissionReviewVersions: readonly string[];
  readonly matchConditions?: readonly MatchCondition[] | undefined;
  readonly reinvocationPolicy?: string | undefined;
}

export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly Webhook[] | undefined;
}

/** A webhook with the place where it was configured. */
export interface Hook {
  readonly webhook: Webhook;
  readonly configuration: string;
  /** Unique among all hooks, stable while its configuration is. */
  readonly id: string;
}

export interface WebhookContext {
  readonly configurations: LiveSet<WebhookConfiguration>;
  readonly namespaces: LiveSet<Namespace>;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly clients: WebhookClients;
  readonly random: Random;
  /** Told of each call. */
  readonly observe: (call: WebhookCall) => void;
}

/** All hooks of a kind, configurations by name, each in its own order; listed anew on changes. */
export function hooksOf(configurations: LiveSet<WebhookConfiguration>): () => readonly Hook[] {
  let seen = -1;
  let hooks: readonly Hook[] = [];
  return () => {
    if (seen === configurations.generation) return hooks;
    seen = configurations.generation;
    const nameOf = ({ metadata }: WebhookConfiguration): string => metadata?.name ?? "";
    const sorted = [...configurations.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    hooks = sorted.flatMap((one) => {
      const seenNames = new Map<string, number>();
      return (one.webhooks ?? []).map((webhook): Hook => {
        const index = seenNames.get(webhook.name) ?? 0;
        seenNames.set(webhook.name, index + 1);
        return {
          webhook,
          configuration: nameOf(one),
          id: `${nameOf(one)}/${webhook.name}/${index}`,
        };
      });
    });
    return hooks;
  };
}

/**
 * The version in which a webhook wants to see the request; undefined when it does not want to.
 * Errors: NotFound of the namespace, Forbidden by match conditions that fail.
 * Source: webhook/generic/webhook.go ShouldCallHook.
 */
export async function wantedVersion(
  { webhook }: Hook,
  request: AdmissionRequest,
  context: WebhookContext,
): Promise<ResourceDefinition | undefined> {
  const definition = matchRules(webhook.rules ?? [], request, webhook.matchPolicy);
  if (definition === undefined) return undefined;
  if (!matchesNamespace(webhook.namespaceSelector, request, context.namespaces)) return undefined;
  if (!matchesObject(webhook.objectSelector, request)) return undefined;
  const { authorizer, clock } = context;
  const { failurePolicy } = webhook;
  const result = await matchConditions(webhook.matchConditions, {
    request,
    definition,
    authorizer,
    clock,
    failurePolicy,
  });
  if (result.error !== undefined) throw forbid(request, result.error);
  return result.matches ? definition : undefined;
}
