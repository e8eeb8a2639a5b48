import { dropStatus, keepStatus, statusSubresource } from "#api/strategies.ts";
import { defaultPriorityLevel, validatePriorityLevel } from "./priority-level-validation.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
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
  time,
} from "#apimachinery/schema.ts";

export const QueuingConfiguration = struct("io.k8s.api.flowcontrol.v1.QueuingConfiguration", {
  queues: req(1, int32, { required: false }),
  handSize: req(2, int32, { required: false }),
  queueLengthLimit: req(3, int32, { required: false }),
});
export interface QueuingConfiguration extends Infer<typeof QueuingConfiguration> {}

export const LimitResponse = struct(
  "io.k8s.api.flowcontrol.v1.LimitResponse",
  {
    type: req(1, named("v1.LimitResponseType", string)),
    queuing: ptr(2, QueuingConfiguration),
  },
  { unions: [{ discriminator: "type", fields: { queuing: "Queuing" } }] },
);
export interface LimitResponse extends Infer<typeof LimitResponse> {}

export const LimitedPriorityLevelConfiguration = struct(
  "io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration",
  {
    nominalConcurrencyShares: ptr(1, int32, { nullable: true }),
    limitResponse: opt(2, LimitResponse),
    lendablePercent: ptr(3, int32),
    borrowingLimitPercent: ptr(4, int32),
  },
);
export interface LimitedPriorityLevelConfiguration extends Infer<
  typeof LimitedPriorityLevelConfiguration
> {}

export const ExemptPriorityLevelConfiguration = struct(
  "io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration",
  {
    nominalConcurrencyShares: ptr(1, int32),
    lendablePercent: ptr(2, int32),
  },
);
export interface ExemptPriorityLevelConfiguration extends Infer<
  typeof ExemptPriorityLevelConfiguration
> {}

export const PriorityLevelConfigurationSpec = struct(
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec",
  {
    type: req(1, named("v1.PriorityLevelEnablement", string)),
    limited: ptr(2, LimitedPriorityLevelConfiguration),
    exempt: ptr(3, ExemptPriorityLevelConfiguration),
  },
  { unions: [{ discriminator: "type", fields: { exempt: "Exempt", limited: "Limited" } }] },
);
export interface PriorityLevelConfigurationSpec extends Infer<
  typeof PriorityLevelConfigurationSpec
> {}

export const PriorityLevelConfigurationCondition = struct(
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition",
  {
    type: opt(1, named("v1.PriorityLevelConfigurationConditionType", string)),
    status: opt(2, named("v1.ConditionStatus", string)),
    lastTransitionTime: opt(3, time),
    reason: opt(4, string),
    message: opt(5, string),
  },
);
export interface PriorityLevelConfigurationCondition extends Infer<
  typeof PriorityLevelConfigurationCondition
> {}

export const PriorityLevelConfigurationStatus = struct(
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus",
  {
    conditions: opt(1, listOf(PriorityLevelConfigurationCondition), {
      listType: "map",
      mapKeys: ["type"],
      patch: "merge",
      mergeKey: "type",
    }),
  },
);
export interface PriorityLevelConfigurationStatus extends Infer<
  typeof PriorityLevelConfigurationStatus
> {}

export const PriorityLevelConfiguration = kind(
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration",
  {
    metadata,
    spec: req(2, PriorityLevelConfigurationSpec, { required: false }),
    status: opt(3, PriorityLevelConfigurationStatus),
  },
);
export interface PriorityLevelConfiguration extends Infer<typeof PriorityLevelConfiguration> {}

export const priorityLevelConfigurations = defineResource<PriorityLevelConfiguration>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  plural: "prioritylevelconfigurations",
  scope: "Cluster",
  schema: PriorityLevelConfiguration,
  strategy: {
    generation: true,
    default: defaultPriorityLevel,
    prepareForCreate: dropStatus,
    prepareForUpdate: keepStatus,
    validate: (level) => [...validatePriorityLevel(level)],
    validateUpdate: (level) => [...validatePriorityLevel(level)],
  },
  columns: [
    nameColumn,
    column("Type", ({ spec }) => spec.type, { description: "Limited, or Exempt." }),
    column(
      "NominalConcurrencyShares",
      ({ spec }) => spec.limited?.nominalConcurrencyShares ?? "<none>", { description: "Its part of the server." }),
    column("Queues", ({ spec }) => queuingOf(spec)?.queues ?? "<none>", { description: "How many queues it has." }),
    column("HandSize", ({ spec }) => queuingOf(spec)?.handSize ?? "<none>", { description: "Queues that one flow may use." }),
    column("QueueLengthLimit", ({ spec }) => queuingOf(spec)?.queueLengthLimit ?? "<none>", {
      description: "The most that wait in one queue.",
    }),
    ageColumn,
  ],
  subresources: {
    status: statusSubresource(),
  },
});

function queuingOf({ limited }: PriorityLevelConfigurationSpec): QueuingConfiguration | undefined {
  return limited?.limitResponse?.queuing;
}
