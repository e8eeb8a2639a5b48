import { statusSubresource } from "#api/strategies.ts";
import { validateDefinitionStatus } from "./custom-resource-definition-validation.ts";
import { customResourceDefinitionStrategy } from "./custom-resource-definition-strategy.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
  type Infer,
  int32,
  int64,
  kind,
  listOf,
  named,
  opt,
  ptr,
  req,
  string,
  struct,
  time,
} from "#apimachinery/schema.ts";
import { JSONSchemaProps } from "./json-schema-props.ts";
import { WebhookClientConfig } from "./webhook-client-config.ts";

export const CustomResourceDefinitionNames = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames",
  {
    plural: req(1, string),
    singular: opt(2, string),
    shortNames: opt(3, listOf(string), { listType: "atomic" }),
    kind: req(4, string),
    listKind: opt(5, string),
    categories: opt(6, listOf(string), { listType: "atomic" }),
  },
);
export interface CustomResourceDefinitionNames extends Infer<typeof CustomResourceDefinitionNames> {}

export const CustomResourceValidation = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation",
  {
    openAPIV3Schema: ptr(1, JSONSchemaProps),
  },
);
export interface CustomResourceValidation extends Infer<typeof CustomResourceValidation> {}

export const CustomResourceSubresourceStatus = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus",
  {},
);
export interface CustomResourceSubresourceStatus extends Infer<typeof CustomResourceSubresourceStatus> {}

export const CustomResourceSubresourceScale = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale",
  {
    specReplicasPath: req(1, string),
    statusReplicasPath: req(2, string),
    labelSelectorPath: ptr(3, string),
  },
);
export interface CustomResourceSubresourceScale extends Infer<typeof CustomResourceSubresourceScale> {}

export const CustomResourceSubresources = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources",
  {
    status: ptr(1, CustomResourceSubresourceStatus),
    scale: ptr(2, CustomResourceSubresourceScale),
  },
);
export interface CustomResourceSubresources extends Infer<typeof CustomResourceSubresources> {}

export const CustomResourceColumnDefinition = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition",
  {
    name: req(1, string),
    type: req(2, string),
    format: opt(3, string),
    description: opt(4, string),
    priority: opt(5, int32),
    jsonPath: req(6, string),
  },
);
export interface CustomResourceColumnDefinition extends Infer<typeof CustomResourceColumnDefinition> {}

export const SelectableField = struct("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField", {
  jsonPath: req(1, string),
});
export interface SelectableField extends Infer<typeof SelectableField> {}

export const CustomResourceDefinitionVersion = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion",
  {
    name: req(1, string),
    served: req(2, bool),
    storage: req(3, bool),
    deprecated: opt(7, bool),
    deprecationWarning: ptr(8, string),
    schema: ptr(4, CustomResourceValidation),
    subresources: ptr(5, CustomResourceSubresources),
    additionalPrinterColumns: opt(6, listOf(CustomResourceColumnDefinition), {
      listType: "atomic",
    }),
    selectableFields: opt(9, listOf(SelectableField), { listType: "atomic" }),
  },
);
export interface CustomResourceDefinitionVersion extends Infer<typeof CustomResourceDefinitionVersion> {}

export const WebhookConversion = struct("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion", {
  clientConfig: ptr(2, WebhookClientConfig),
  conversionReviewVersions: req(3, listOf(string), { listType: "atomic" }),
});
export interface WebhookConversion extends Infer<typeof WebhookConversion> {}

export const CustomResourceConversion = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion",
  {
    strategy: req(1, named("v1.ConversionStrategyType", string)),
    webhook: ptr(2, WebhookConversion),
  },
);
export interface CustomResourceConversion extends Infer<typeof CustomResourceConversion> {}

export const CustomResourceDefinitionSpec = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec",
  {
    group: req(1, string),
    names: req(3, CustomResourceDefinitionNames),
    scope: req(4, named("v1.ResourceScope", string)),
    versions: req(7, listOf(CustomResourceDefinitionVersion), { listType: "atomic" }),
    conversion: ptr(9, CustomResourceConversion),
    preserveUnknownFields: opt(10, bool),
  },
);
export interface CustomResourceDefinitionSpec extends Infer<typeof CustomResourceDefinitionSpec> {}

export const CustomResourceDefinitionCondition = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition",
  {
    type: req(1, named("v1.CustomResourceDefinitionConditionType", string)),
    status: req(2, named("v1.ConditionStatus", string)),
    lastTransitionTime: opt(3, time),
    reason: opt(4, string),
    message: opt(5, string),
    observedGeneration: opt(6, int64),
  },
);
export interface CustomResourceDefinitionCondition extends Infer<typeof CustomResourceDefinitionCondition> {}

export const CustomResourceDefinitionStatus = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus",
  {
    conditions: req(1, listOf(CustomResourceDefinitionCondition), {
      required: false,
      listType: "map",
      mapKeys: ["type"],
    }),
    acceptedNames: req(2, CustomResourceDefinitionNames, { required: false }),
    storedVersions: req(3, listOf(string), { required: false, listType: "atomic" }),
    observedGeneration: opt(4, int64),
  },
);
export interface CustomResourceDefinitionStatus extends Infer<typeof CustomResourceDefinitionStatus> {}

export const CustomResourceDefinition = kind(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  {
    metadata,
    spec: req(2, CustomResourceDefinitionSpec),
    status: opt(3, CustomResourceDefinitionStatus),
  },
);
export interface CustomResourceDefinition extends Infer<typeof CustomResourceDefinition> {}

export const customResourceDefinitions = defineResource<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: CustomResourceDefinition,
  strategy: customResourceDefinitionStrategy,
  storage: { prefix: "apiextensions.k8s.io/customresourcedefinitions" },
  subresources: {
    status: statusSubresource({
      validate: (definition) => [...validateDefinitionStatus(definition)],
    }),
  },
});
