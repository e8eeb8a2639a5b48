import { flowSchemas } from "#api/flowcontrol/v1/flow-schema.ts";
import {
  priorityLevelConfigurations,
  type PriorityLevelConfigurationSpec,
} from "#api/flowcontrol/v1/priority-level-configuration.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { ignoreAlreadyExists, isNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";

const producer = "api-priority-and-fairness-config-producer-v1";
const autoupdate = "apf.kubernetes.io/autoupdate-spec";

/** The priority levels and flow schemas of every cluster. Source: apis/flowcontrol/bootstrap. */
export async function ensureFlowControl(client: Client): Promise<void> {
  for (const [name, spec] of Object.entries(levels)) {
    await ensure(client, priorityLevelConfigurations as ResourceDefinition, { name, spec });
  }
  for (const [name, spec] of Object.entries(schemas)) {
    await ensure(client, flowSchemas as ResourceDefinition, { name, spec });
  }
}

async function ensure(
  client: Client,
  definition: ResourceDefinition,
  { name, spec }: { readonly name: string; readonly spec: object },
): Promise<void> {
  const resource = client.resource(definition);
  try {
    await resource.get(name);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const object = { metadata: { name, annotations: { [autoupdate]: "true" } }, spec };
    await ignoreAlreadyExists(resource.create(object as KubeObject, { fieldManager: producer }));
  }
}

interface Queuing {
  readonly shares: number;
  readonly lendable: number;
  readonly queues: number;
  readonly hand: number;
}

function queued({ shares, lendable, queues, hand }: Queuing): object {
  const queuing = { queues, handSize: hand, queueLengthLimit: 50 };
  return {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: shares,
      limitResponse: { type: "Queue", queuing },
      lendablePercent: lendable,
    },
  };
}

const levels: Readonly<Record<string, object>> = {
  "catch-all": {
    type: "Limited",
    limited: { nominalConcurrencyShares: 5, limitResponse: { type: "Reject" }, lendablePercent: 0 },
  },
  exempt: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  "global-default": queued({ shares: 20, lendable: 50, queues: 128, hand: 6 }),
  "leader-election": queued({ shares: 10, lendable: 0, queues: 16, hand: 4 }),
  "node-high": queued({ shares: 40, lendable: 25, queues: 64, hand: 6 }),
  system: queued({ shares: 30, lendable: 33, queues: 64, hand: 6 }),
  "workload-high": queued({ shares: 40, lendable: 50, queues: 128, hand: 6 }),
  "workload-low": queued({ shares: 100, lendable: 90, queues: 128, hand: 6 }),
};

/** Levels without which there is no flow control. */
export const mandatoryLevelSpecs = new Map(
  ["exempt", "catch-all"].map((name) => [name, levels[name] as PriorityLevelConfigurationSpec]),
);

const all = ["*"];
const anyResource = { verbs: all, apiGroups: all, resources: all, clusterScope: true, namespaces: all };
const anyPath = { verbs: all, nonResourceURLs: all };
const leases = { apiGroups: ["coordination.k8s.io"], resources: ["leases"], namespaces: all };
const leaseWrites = { verbs: ["get", "create", "update"], ...leases };
const nodeWrites = { verbs: all, apiGroups: [""], resources: ["nodes", "nodes/status"], clusterScope: true, namespaces: all };

function group(name: string): object {
  return { kind: "Group", group: { name } };
}

function user(name: string): object {
  return { kind: "User", user: { name } };
}

const everybody = [group("system:unauthenticated"), group("system:authenticated")];
const systemAccounts = { kind: "ServiceAccount", serviceAccount: { namespace: "kube-system", name: "*" } };
const controllerManager = user("system:kube-controller-manager");
const scheduler = user("system:kube-scheduler");

interface SchemaOf {
  readonly level: string;
  readonly precedence: number;
  readonly by?: "ByUser" | "ByNamespace";
  readonly subjects: readonly object[];
  readonly resources?: readonly object[];
  readonly paths?: readonly object[];
}

function schema({ level, precedence, by, subjects, resources = [anyResource], paths = [anyPath] }: SchemaOf): {
  priorityLevelConfiguration: { name: string };
} {
  const rule = {
    subjects,
    ...(resources.length > 0 && { resourceRules: resources }),
    ...(paths.length > 0 && { nonResourceRules: paths }),
  };
  return {
    priorityLevelConfiguration: { name: level },
    ...{ matchingPrecedence: precedence, ...(by && { distinguisherMethod: { type: by } }), rules: [rule] },
  };
}

const probePaths = [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }];

const schemas: Readonly<Record<string, ReturnType<typeof schema>>> = {
  exempt: schema({ level: "exempt", precedence: 1, subjects: [group("system:masters")] }),
  probes: schema({ level: "exempt", precedence: 2, subjects: everybody, resources: [], paths: probePaths }),
  "system-leader-election": schema({
    level: "leader-election",
    precedence: 100,
    by: "ByUser",
    subjects: [controllerManager, scheduler, systemAccounts],
    resources: [leaseWrites],
    paths: [],
  }),
  "system-node-high": schema({
    level: "node-high",
    precedence: 400,
    by: "ByUser",
    subjects: [group("system:nodes")],
    resources: [nodeWrites, { verbs: all, ...leases }],
    paths: [],
  }),
  "system-nodes": schema({ level: "system", precedence: 500, by: "ByUser", subjects: [group("system:nodes")] }),
  "kube-controller-manager": schema({
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    subjects: [controllerManager],
  }),
  "kube-scheduler": schema({ level: "workload-high", precedence: 800, by: "ByNamespace", subjects: [scheduler] }),
  "kube-system-service-accounts": schema({
    level: "workload-high",
    precedence: 900,
    by: "ByNamespace",
    subjects: [systemAccounts],
  }),
  "service-accounts": schema({
    level: "workload-low",
    precedence: 9000,
    by: "ByUser",
    subjects: [group("system:serviceaccounts")],
  }),
  "global-default": schema({ level: "global-default", precedence: 9900, by: "ByUser", subjects: everybody }),
  "catch-all": schema({ level: "catch-all", precedence: 10_000, by: "ByUser", subjects: everybody }),
};
