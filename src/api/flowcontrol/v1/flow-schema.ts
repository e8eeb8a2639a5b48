import { dropStatus, keepStatus, statusSubresource } from "#api/strategies.ts";
import { validateFlowSchema } from "./flow-schema-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import {
  bool,
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
  time,
} from "#apimachinery/schema.ts";

export const PriorityLevelConfigurationReference = struct(
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationReference",
  {
    name: req(1, string),
  },
);
export interface PriorityLevelConfigurationReference extends Infer<
  typeof PriorityLevelConfigurationReference
> {}

export const FlowDistinguisherMethod = struct("io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod", {
  type: req(1, named("v1.FlowDistinguisherMethodType", string)),
});
export interface FlowDistinguisherMethod extends Infer<typeof FlowDistinguisherMethod> {}

export const UserSubject = struct("io.k8s.api.flowcontrol.v1.UserSubject", {
  name: req(1, string),
});
export interface UserSubject extends Infer<typeof UserSubject> {}

export const GroupSubject = struct("io.k8s.api.flowcontrol.v1.GroupSubject", {
  name: req(1, string),
});
export interface GroupSubject extends Infer<typeof GroupSubject> {}

export const ServiceAccountSubject = struct("io.k8s.api.flowcontrol.v1.ServiceAccountSubject", {
  namespace: req(1, string),
  name: req(2, string),
});
export interface ServiceAccountSubject extends Infer<typeof ServiceAccountSubject> {}

export const Subject = struct(
  "io.k8s.api.flowcontrol.v1.Subject",
  {
    kind: req(1, named("v1.SubjectKind", string)),
    user: ptr(2, UserSubject),
    group: ptr(3, GroupSubject),
    serviceAccount: ptr(4, ServiceAccountSubject),
  },
  {
    unions: [
      {
        discriminator: "kind",
        fields: { group: "Group", serviceAccount: "ServiceAccount", user: "User" },
      },
    ],
  },
);
export interface Subject extends Infer<typeof Subject> {}

export const ResourcePolicyRule = struct("io.k8s.api.flowcontrol.v1.ResourcePolicyRule", {
  verbs: req(1, listOf(string), { listType: "set" }),
  apiGroups: req(2, listOf(string), { listType: "set" }),
  resources: req(3, listOf(string), { listType: "set" }),
  clusterScope: opt(4, bool),
  namespaces: req(5, listOf(string), { required: false, listType: "set" }),
});
export interface ResourcePolicyRule extends Infer<typeof ResourcePolicyRule> {}

export const NonResourcePolicyRule = struct("io.k8s.api.flowcontrol.v1.NonResourcePolicyRule", {
  verbs: req(1, listOf(string), { listType: "set" }),
  nonResourceURLs: req(6, listOf(string), { listType: "set" }),
});
export interface NonResourcePolicyRule extends Infer<typeof NonResourcePolicyRule> {}

export const PolicyRulesWithSubjects = struct("io.k8s.api.flowcontrol.v1.PolicyRulesWithSubjects", {
  subjects: req(1, listOf(Subject), { listType: "atomic" }),
  resourceRules: opt(2, listOf(ResourcePolicyRule), { listType: "atomic" }),
  nonResourceRules: opt(3, listOf(NonResourcePolicyRule), { listType: "atomic" }),
});
export interface PolicyRulesWithSubjects extends Infer<typeof PolicyRulesWithSubjects> {}

export const FlowSchemaSpec = struct("io.k8s.api.flowcontrol.v1.FlowSchemaSpec", {
  priorityLevelConfiguration: req(1, PriorityLevelConfigurationReference),
  matchingPrecedence: req(2, int32, { required: false }),
  distinguisherMethod: ptr(3, FlowDistinguisherMethod),
  rules: opt(4, listOf(PolicyRulesWithSubjects), { listType: "atomic" }),
});
export interface FlowSchemaSpec extends Infer<typeof FlowSchemaSpec> {}

export const FlowSchemaCondition = struct("io.k8s.api.flowcontrol.v1.FlowSchemaCondition", {
  type: opt(1, named("v1.FlowSchemaConditionType", string)),
  status: opt(2, named("v1.ConditionStatus", string)),
  lastTransitionTime: opt(3, time),
  reason: opt(4, string),
  message: opt(5, string),
});
export interface FlowSchemaCondition extends Infer<typeof FlowSchemaCondition> {}

export const FlowSchemaStatus = struct("io.k8s.api.flowcontrol.v1.FlowSchemaStatus", {
  conditions: opt(1, listOf(FlowSchemaCondition), {
    listType: "map",
    mapKeys: ["type"],
    patch: "merge",
    mergeKey: "type",
  }),
});
export interface FlowSchemaStatus extends Infer<typeof FlowSchemaStatus> {}

export const FlowSchema = kind("io.k8s.api.flowcontrol.v1.FlowSchema", {
  metadata,
  spec: req(2, FlowSchemaSpec, { required: false }),
  status: opt(3, FlowSchemaStatus),
});
export interface FlowSchema extends Infer<typeof FlowSchema> {}

export const flowSchemas = defineResource<FlowSchema>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "FlowSchema",
  plural: "flowschemas",
  scope: "Cluster",
  schema: FlowSchema,
  strategy: {
    generation: true,
    default({ spec }) {
      spec.matchingPrecedence ||= matchingPrecedenceDefault;
    },
    prepareForCreate: dropStatus,
    prepareForUpdate: keepStatus,
    validate: (schema) => [...validateFlowSchema(schema)],
    validateUpdate: (schema) => [...validateFlowSchema(schema)],
  },
  columns: [
    nameColumn,
    column("PriorityLevel", ({ spec }) => spec.priorityLevelConfiguration.name, { description: "Where its requests queue." }),
    column("MatchingPrecedence", ({ spec }) => spec.matchingPrecedence, { description: "The lowest of those that match decides." }),
    column("DistinguisherMethod", ({ spec }) => spec.distinguisherMethod?.type ?? "<none>", {
      description: "How its requests are told apart.",
    }),
    ageColumn,
    column("MissingPL", danglingText, { description: "Whether that priority level is absent." }),
  ],
  rowOrder: (a, b) => a.spec.matchingPrecedence - b.spec.matchingPrecedence,
  subresources: {
    status: statusSubresource(),
  },
});

const matchingPrecedenceDefault = 1000;

/** Whether the priority level is missing. */
function danglingText({ status }: FlowSchema): string {
  return status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?";
}
