import { duplicate, invalid, notSupported, required, tooMany } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateQualifiedName,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { validateLabelSelector } from "#apimachinery/validation/label-selector.ts";
import { checkDnsSubdomain } from "#apimachinery/validation/names.ts";
import {
  reviewVersions,
  validateClientConfig,
  validateReviewVersions,
} from "#apimachinery/validation/webhook.ts";
import type { MutatingWebhook } from "./mutating-webhook-configuration.ts";
import type { MatchCondition } from "./policy-matching.ts";
import { compileMatchCondition, validateExpression } from "../expressions.ts";
import { validateRule } from "./rule-validation.ts";

/** Source: pkg/apis/admissionregistration/validation/validation.go and v1/defaults.go. */
const timeoutSecondsDefault = 10;
const timeoutSecondsMax = 30;
const matchConditionsMax = 64;
const portDefault = 443;
const sideEffects = ["None", "NoneOnDryRun"];
export const failurePolicies = ["Fail", "Ignore"];
export const matchPolicies = ["Equivalent", "Exact"];

/** Of either kind: validating webhooks are never asked again. */
export type Webhook = Omit<MutatingWebhook, "reinvocationPolicy"> &
  Partial<Pick<MutatingWebhook, "reinvocationPolicy">>;

export function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= timeoutSecondsDefault;
  if (webhook.clientConfig.service !== undefined) webhook.clientConfig.service.port ??= portDefault;
  for (const rule of webhook.rules ?? []) rule.scope ??= "*";
}

export function* validateWebhooks(webhooks: readonly Webhook[] | undefined): Findings {
  const names = new Set<string>();
  for (const [i, webhook] of (webhooks ?? []).entries()) {
    const path = `webhooks[${i}]`;
    yield* validateWebhook(webhook, path);
    const detail = `must specify one of ${reviewVersions.join(", ")}`;
    const versions = webhook.admissionReviewVersions;
    yield* validateReviewVersions(versions, `${path}.admissionReviewVersions`, detail);
    if (webhook.name !== "" && names.has(webhook.name))
      yield duplicate(`${path}.name`, webhook.name);
    names.add(webhook.name);
  }
}

function* validateWebhook(webhook: Webhook, path: string): Findings {
  yield* validateFullName(webhook.name, `${path}.name`);
  for (const [i, rule] of (webhook.rules ?? []).entries()) {
    yield* validateRule(rule, `${path}.rules[${i}]`);
  }
  yield* validateSupported(webhook.failurePolicy, failurePolicies, `${path}.failurePolicy`);
  yield* validateSupported(webhook.matchPolicy, matchPolicies, `${path}.matchPolicy`);
  const { sideEffects: effects, timeoutSeconds: seconds } = webhook;
  if (effects === undefined) {
    yield required(`${path}.sideEffects`, `must specify one of ${sideEffects.join(", ")}`);
  } else if (!sideEffects.includes(effects)) {
    yield notSupported(`${path}.sideEffects`, effects, sideEffects);
  }
  if (seconds !== undefined && (seconds < 1 || seconds > timeoutSecondsMax)) {
    const detail = `the timeout value must be between 1 and ${timeoutSecondsMax} seconds`;
    yield invalid(`${path}.timeoutSeconds`, seconds, detail);
  }
  yield* validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`);
  yield* validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`);
  yield* validateClientConfig(webhook.clientConfig, `${path}.clientConfig`);
  const reinvocations = ["IfNeeded", "Never"];
  yield* validateSupported(webhook.reinvocationPolicy, reinvocations, `${path}.reinvocationPolicy`);
  yield* validateMatchConditions(webhook.matchConditions, `${path}.matchConditions`);
}

/** A domain of at least three parts. */
function* validateFullName(name: string, path: string): Findings {
  if (name === "") {
    yield required(path, "");
    return;
  }
  const texts = checkDnsSubdomain(name);
  yield* invalidTexts(path, name, texts);
  if (texts.length === 0 && name.split(".").length < 3) {
    yield invalid(path, name, "should be a domain with at least three segments separated by dots");
  }
}

export function* validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  path: string,
  hasParams = false,
): Findings {
  const list = conditions ?? [];
  if (list.length > matchConditionsMax) yield tooMany(path, list.length, matchConditionsMax);
  for (const [i, { name, expression }] of list.entries()) {
    const at = `${path}[${i}]`;
    const trimmed = expression.trim();
    if (trimmed === "") yield required(`${at}.expression`, "");
    else yield* validateExpression(compileMatchCondition(trimmed, hasParams), `${at}.expression`);
    if (name === "") yield required(`${at}.name`, "");
    else yield* validateQualifiedName(name, `${at}.name`);
    const isRepeated = list.slice(0, i).some((other) => other.name === name);
    if (isRepeated) yield duplicate(`${at}.name`, name);
  }
}
