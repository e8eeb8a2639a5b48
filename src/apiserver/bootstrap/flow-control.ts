import { flowSchemas } from "#api/flowcontrol/v1/flow-schema.ts";
import {
  priorityLevelConfigurations,
  type PriorityLevelConfigurationSpec,
} from "#api/flowcontrol/v1/priority-level-configuration.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { ignoreAlreadyExists, ignoreNotFound } from "#apimachinery/status.ts";
import type { Client, ResourceClient } from "#client/client.ts";

const producer = "api-priority-and-fairness-config-producer-v1";
const autoupdate = "apf.kubernetes.io/autoupdate-spec";
/** Levels and schemas that nobody may do without. */
const mandatory: ReadonlySet<string> = new Set(["exempt", "catch-all"]);

interface Configured extends KubeObject {
  readonly spec: object;
}

/**
 * Makes the priority levels and flow schemas of every cluster and keeps them as they were shipped:
 * the mandatory ones always, others until an administrator changes them or says that they are his.
 * Source: apis/flowcontrol/bootstrap, pkg/registry/flowcontrol/ensurer.
 */
export async function ensureFlowControl(client: Client): Promise<void> {
  const levelKind = priorityLevelConfigurations as unknown as ResourceDefinition<Configured>;
  const schemaKind = flowSchemas as unknown as ResourceDefinition<Configured>;
  for (const [definition, wanted] of [[levelKind, levels], [schemaKind, schemas]] as const) {
    for (const [name, spec] of Object.entries(wanted)) await ensure(client.resource(definition), definition, { name, spec });
    await removeOthers(client.resource(definition), wanted);
  }
}

async function ensure(
  resource: ResourceClient<Configured>,
  definition: ResourceDefinition<Configured>,
  { name, spec }: { readonly name: string; readonly spec: object },
): Promise<void> {
  const annotations = { [autoupdate]: "true" };
  const wanted: Configured = { metadata: { name, annotations }, spec: structuredClone(spec) };
  const found = await ignoreNotFound(resource.get(name));
  if (found === undefined) {
    await ignoreAlreadyExists(resource.create(wanted, { fieldManager: producer }));
    return;
  }
  definition.strategy.default?.(wanted);
  const updated = shippedAgain(found, wanted);
  if (updated !== undefined) await ignoreNotFound(resource.update(updated, { fieldManager: producer }));
}

/** The object with its shipped spec and an annotation that says whose it is; undefined when it is so. */
function shippedAgain(found: Configured, wanted: Configured): Configured | undefined {
  const { metadata = {} } = found;
  const said = metadata.annotations?.[autoupdate];
  const isOurs = mandatory.has(metadata.name ?? "") || (isBoolean(said) ? said === "true" : metadata.generation === 1);
  const spec = isOurs && !isSameSpec(found, wanted) ? wanted.spec : found.spec;
  if (spec === found.spec && said === String(isOurs)) return undefined;
  return { ...found, metadata: { ...metadata, annotations: { ...metadata.annotations, [autoupdate]: String(isOurs) } }, spec };
}

function isBoolean(text: string | undefined): text is "true" | "false" {
  return text === "true" || text === "false";
}

/** How much the exempt level lends is the administrator's. */
function isSameSpec(found: Configured, wanted: Configured): boolean {
  if (found.metadata?.name === "exempt" && "exempt" in found.spec) return true;
  return deepEqual(found.spec, wanted.spec);
}

/** What an older version shipped, and nobody took over. */
async function removeOthers(resource: ResourceClient<Configured>, wanted: Readonly<Record<string, object>>): Promise<void> {
  const { items } = await resource.list();
  for (const { metadata } of items) {
    const name = metadata?.name ?? "";
    if (metadata?.annotations?.[autoupdate] !== "true" || Object.hasOwn(wanted, name)) continue;
    await ignoreNotFound(resource.delete(name));
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
  [...mandatory].map((name) => [name, levels[name] as PriorityLevelConfigurationSpec]),
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
