import { countName, addUsage, matchesQuotaScopes, quotaUsageOf } from "#api/core/v1/quota-usage.ts";
import type { ResourceList } from "#api/core/v1/resource-name.ts";
import { type ResourceQuota, resourceQuotas } from "#api/core/v1/resource-quota.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject, type KubeObject } from "#apimachinery/object.ts";
import { compareQuantities } from "#apimachinery/quantity.ts";
import type { ResourceTarget } from "#client/client.ts";
import { discover } from "#client/discovery.ts";
import type { Informers } from "#client/informer-factory.ts";
import type { Informer } from "#client/informer.ts";
import { type Context, defineController, done, type Outcome, sooner, watchOf } from "../framework/controller.ts";

/** Changes close together are recounted at once. */
const settleMs = 50;

/** Admission charges before the object is stored: what was charged so lately may have nothing to count yet. */
const chargeSettlesMs = 500;

/** Used amounts are lowered after this, even when charges keep coming. */
const loweringWaitMaxMs = 5_000;

/** A counted kind that is not served (yet) is looked for again after this. */
const unknownKindMs = 30_000;

/** A version of a quota, and since when it was known. */
interface Seen {
  readonly version: string | undefined;
  readonly sinceMs: number;
  /** When lowering was first put off. */
  readonly waitingSinceMs?: number;
}

interface QuotaState {
  readonly informers: Informers;
  /** By key of quota. */
  readonly seen: Map<string, Seen>;
  /** Resources whose changes wake quotas, by `count/` name. */
  readonly followed: Map<string, Informer<KubeObject>>;
  known: readonly ResourceTarget[];
}

type QuotaContext = Context<ResourceQuota, QuotaState>;

/** Counts what a namespace uses of its quotas. Source: pkg/controller/resourcequota. */
export const resourceQuotaController = defineController<ResourceQuota, QuotaState>({
  name: "resourcequota-controller",
  component: "resource_quota_controller",
  for: resourceQuotas,
  workers: 5,
  changed: (quota, old) =>
    !semanticEqual(quota.spec, old.spec) || !semanticEqual(quota.status?.hard, quota.spec.hard),
  watches: [
    watchOf(resourceQuotas, {
      on: ["update"],
      keys(quota, { enqueueAfter }) {
        enqueueAfter(keyOfObject(quota), chargeSettlesMs);
        return [];
      },
    }),
  ],
  state: ({ informers }) => ({ informers, seen: new Map(), followed: new Map(), known: [] }),
  async reconcile(context) {
    const quota = context.get();
    if (quota === undefined) {
      context.state.seen.delete(context.key);
      return done;
    }
    const names = Object.keys(quota.spec.hard ?? {});
    const { targets, missing } = await targetsOf(context, names);
    const used: Record<string, string> = Object.fromEntries(names.map((name) => [name, "0"]));
    for (const target of targets) await count(context, quota, { target, used });
    const outcome: Outcome = missing ? { requeueAfterMs: unknownKindMs } : done;
    return sooner(outcome, await report(context, quota, used));
  },
});

/** Writes the amounts down; lower ones only when what was charged has had time to be stored. */
async function report(context: QuotaContext, quota: ResourceQuota, used: ResourceList): Promise<Outcome> {
  const { key, state, clock } = context;
  const nowMs = clock.nowMs();
  const before = state.seen.get(key);
  const version = quota.metadata.resourceVersion;
  const sinceMs = before?.version === version ? before?.sinceMs ?? nowMs : nowMs;
  const atLeast = higher(quota.status?.used ?? {}, used);
  const isLower = !semanticEqual(atLeast, used);
  const waitingSinceMs = isLower ? (before?.waitingSinceMs ?? nowMs) : undefined;
  const seen: Seen = { version, sinceMs, ...(waitingSinceMs !== undefined && { waitingSinceMs }) };
  state.seen.set(key, seen);
  const settledInMs = sinceMs + chargeSettlesMs - nowMs;
  const waits = isLower && settledInMs > 0 && nowMs - (waitingSinceMs ?? nowMs) < loweringWaitMaxMs;
  const status = { hard: { ...quota.spec.hard }, used: waits ? atLeast : used };
  if (!semanticEqual(status, quota.status)) {
    const { metadata } = await context.resource(resourceQuotas).updateStatus({ ...quota, status });
    state.seen.set(key, { ...seen, version: metadata.resourceVersion });
  }
  return waits ? { requeueAfterMs: settledInMs } : done;
}

/** For each name of `used` the higher of both amounts. */
function higher(present: ResourceList, used: ResourceList): ResourceList {
  const amounts = Object.entries(used).map(([name, amount]) => {
    const charged = present[name];
    return [name, charged !== undefined && compareQuantities(charged, amount) > 0 ? charged : amount];
  });
  return Object.fromEntries(amounts) as ResourceList;
}

/** The resources whose objects count under one of `names`. */
async function targetsOf(
  context: QuotaContext,
  names: readonly string[],
): Promise<{ targets: ResourceTarget[]; missing: boolean }> {
  const wanted = new Set(names.map(countNameOf));
  const { state } = context;
  if ([...wanted].some((name) => !state.known.some((target) => countName(target) === name))) {
    const { resources } = await discover(context.client, context.signal);
    state.known = resources.filter(
      ({ scope, verbs }) =>
        scope === "Namespaced" && verbs.includes("list") && verbs.includes("watch"),
    );
  }
  const targets = state.known.filter((target) => wanted.has(countName(target)));
  return { targets, missing: targets.length < wanted.size };
}

/** `requests.cpu` is counted on Pods, `services.nodeports` on Services, `count/x.y` on itself. */
function countNameOf(name: string): string {
  if (name.startsWith("count/")) return name;
  if (name.endsWith("persistentvolumeclaims") || name.endsWith("requests.storage"))
    return "count/persistentvolumeclaims";
  if (name.startsWith("services")) return "count/services";
  return ["configmaps", "replicationcontrollers", "resourcequotas", "secrets"].includes(name)
    ? `count/${name}`
    : "count/pods";
}

async function count(
  context: QuotaContext,
  quota: ResourceQuota,
  { target, used }: { readonly target: ResourceTarget; readonly used: Record<string, string> },
): Promise<void> {
  const informer = follow(context, target);
  await informer.synced();
  const nowMs = context.clock.nowMs();
  for (const object of informer.lister.inNamespace(quota.metadata.namespace ?? "")) {
    if (!matchesQuotaScopes(quota.spec, target, object)) continue;
    const usage = Object.entries(quotaUsageOf(target, object, nowMs)).filter(([name]) =>
      Object.hasOwn(used, name),
    );
    addUsage(used, Object.fromEntries(usage));
  }
}

function follow(context: QuotaContext, target: ResourceTarget): Informer<KubeObject> {
  const { informers, followed } = context.state;
  const known = followed.get(countName(target));
  if (known) return known;
  const informer = informers.dynamic(target);
  followed.set(countName(target), informer);
  const { enqueueAfter } = context;
  const lister = context.lister(resourceQuotas);
  const wake = ({ metadata }: KubeObject): void => {
    for (const quota of lister.inNamespace(metadata?.namespace ?? ""))
      enqueueAfter(keyOfObject(quota), settleMs);
  };
  informer.subscribe({
    onAdd: (object, { initial }) => void (!initial && wake(object)),
    onUpdate: (object, old) =>
      void (changesUsage(target, { object, old, nowMs: context.clock.nowMs() }) && wake(object)),
    onDelete: wake,
  });
  return informer;
}

function changesUsage(
  target: ResourceTarget,
  change: { object: KubeObject; old: KubeObject; nowMs: number },
): boolean {
  const usage = (object: KubeObject): object => quotaUsageOf(target, object, change.nowMs);
  return !semanticEqual(usage(change.object), usage(change.old)) || target.plural === "pods";
}
