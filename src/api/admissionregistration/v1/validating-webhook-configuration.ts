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

export const ValidatingWebhook = struct("io.k8s.api.admissionregistration.v1.ValidatingWebhook", {
  name: req(1, string),
  clientConfig: req(2, WebhookClientConfig),
  rules: opt(3, listOf(RuleWithOperations), { listType: "atomic" }),
  failurePolicy: ptr(4, named("v1.FailurePolicyType", string)),
  matchPolicy: ptr(9, named("v1.MatchPolicyType", string)),
  namespaceSelector: ptr(5, LabelSelector),
  objectSelector: ptr(10, LabelSelector),
  sideEffects: ptr(6, named("v1.SideEffectClass", string), { nullable: true, required: true }),
  timeoutSeconds: ptr(7, int32),
  admissionReviewVersions: req(8, listOf(string), { listType: "atomic" }),
  matchConditions: opt(11, listOf(MatchCondition), {
    listType: "map",
    mapKeys: ["name"],
    patch: "merge",
    mergeKey: "name",
  }),
});
export interface ValidatingWebhook extends Infer<typeof ValidatingWebhook> {}

export const ValidatingWebhookConfiguration = kind(
  "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
  {
    metadata,
    webhooks: opt(2, listOf(ValidatingWebhook), {
      listType: "map",
      mapKeys: ["name"],
      patch: "merge",
      mergeKey: "name",
    }),
  },
);
export interface ValidatingWebhookConfiguration extends Infer<
  typeof ValidatingWebhookConfiguration
> {}

export const validatingWebhookConfigurations = defineResource<ValidatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: ValidatingWebhookConfiguration,
  strategy: {
    generation: true,
    default({ webhooks }) {
      for (const webhook of webhooks ?? []) defaultWebhook(webhook);
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
