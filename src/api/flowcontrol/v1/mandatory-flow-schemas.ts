import type { FlowSchemaSpec } from "./flow-schema.ts";

/** Schemas that no one may change. Source: apiserver/pkg/apis/flowcontrol/bootstrap. */
const lastPrecedence = 10_000;

const everything = {
  resourceRules: [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] },
  ],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
};

export const mandatoryFlowSchemas: ReadonlyMap<string, FlowSchemaSpec> = new Map([
  [
    "exempt",
    {
      priorityLevelConfiguration: { name: "exempt" },
      matchingPrecedence: 1,
      rules: [{ subjects: [{ kind: "Group", group: { name: "system:masters" } }], ...everything }],
    },
  ],
  [
    "catch-all",
    {
      priorityLevelConfiguration: { name: "catch-all" },
      matchingPrecedence: lastPrecedence,
      distinguisherMethod: { type: "ByUser" },
      rules: [
        {
          subjects: [
            { kind: "Group", group: { name: "system:unauthenticated" } },
            { kind: "Group", group: { name: "system:authenticated" } },
          ],
          ...everything,
        },
      ],
    },
  ],
]);
