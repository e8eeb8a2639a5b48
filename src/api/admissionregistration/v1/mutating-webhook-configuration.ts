import { defaultWebhook, validateWebhooks } from "./webhook-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { LabelSelector } from "#apimachinery/meta/label-selector.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  type Infer,
  int32,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
} from "#apimachinery/schema.ts";
import { MatchCondition } from "./policy-matching.ts";
import { RuleWithOperations } from "./rule.ts";
import { WebhookClientConfig } from "./webhook-client-config.ts";

export const MutatingWebhook = struct("io.k8s.api.admissionregistration.v1.MutatingWebhook", {
  name: req(1, string),
  clientConfig: req(2, WebhookClientConfig),
  rules: opt(3, listOf(RuleWithOperations), { listType: "atomic" }),
  failurePolicy: ptr(4, named("v1.FailurePolicyType", string)),
  matchPolicy: ptr(9, named("v1.MatchPolicyType", string)),
  namespaceSelector: ptr(5, LabelSelector),
  objectSelector: ptr(11, LabelSelector),
  sideEffects: ptr(6, named("v1.SideEffectClass", string), { nullable: true, required: true }),
  timeoutSeconds: ptr(7, int32),
  admissionReviewVersions: req(8, listOf(string), { listType: "atomic" }),
  reinvocationPolicy: ptr(10, named("v1.ReinvocationPolicyType", string)),
  matchConditions: opt(12, listOf(MatchCondition), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
});
export interface MutatingWebhook extends Infer<typeof MutatingWebhook> {}

export const MutatingWebhookConfiguration = kind(
  "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
  {
    metadata,
    webhooks: opt(2, listOf(MutatingWebhook), {
      listType: "map",
      mapKeys: ["name"],
      patch: "merge",
      mergeKey: "name",
    }),
  },
);
export interface MutatingWebhookConfiguration extends Infer<typeof MutatingWebhookConfiguration> {}

export const mutatingWebhookConfigurations = defineResource<MutatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: MutatingWebhookConfiguration,
  strategy: {
    generation: true,
    default({ webhooks }) {
      for (const webhook of webhooks ?? []) defaultWebhook(webhook);
      for (const webhook of webhooks ?? []) webhook.reinvocationPolicy ??= "Never";
    },
    validate: ({ webhooks }) => [...validateWebhooks(webhooks)],
    validateUpdate: ({ webhooks }) => [...validateWebhooks(webhooks)],
  },
  columns: [
    nameColumn,
    column("Webhooks", ({ webhooks }) => (webhooks ?? []).length, { description: "How many webhooks it has.", type: "integer" }),
    ageColumn,
  ],
});
