import { errorMessage } from "#base/error-message.ts";
import { deployments } from "#api/apps/v1/deployment.ts";
import { replicaSets } from "#api/apps/v1/replica-set.ts";
import { statefulSets } from "#api/apps/v1/stateful-set.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { replicationControllers } from "#api/core/v1/replication-controller.ts";
import {
  type PodDisruptionBudget,
  podDisruptionBudgets,
  type PodDisruptionBudgetStatus,
} from "#api/policy/v1/pod-disruption-budget.ts";
import { semanticEqual } from "#apimachinery/deep-equal.ts";
import {
  type KubeObject,
  keyOfObject,
  objectKey,
  type OwnerReference,
  parseApiVersion,
} from "#apimachinery/object.ts";
import { labelSelectorOf } from "#apimachinery/selectors.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { rfc3339 } from "#base/clock.ts";
import { discover } from "#client/discovery.ts";
import {
  type Context,
  defineController,
  done,
  type MapContext,
  type Outcome,
  watchOf,
} from "../framework/controller.ts";
import { controllerRefOf, refersTo } from "../framework/owners.ts";
import { countHealthy, deletionMs, expectationOf, stillDisrupted } from "./plan.ts";

type BudgetContext = Context<PodDisruptionBudget, undefined>;

const selectorOf = ({ spec }: PodDisruptionBudget) => labelSelectorOf(spec.selector);

/** Says how many Pods of a budget may be evicted. Source: pkg/controller/disruption. */
export const disruptionController = defineController<PodDisruptionBudget>({
  name: "disruption-controller",
  component: "controllermanager",
  for: podDisruptionBudgets,
  reads: [replicationControllers, replicaSets, deployments, statefulSets],
  watches: [
    watchOf(pods, {
      keys: (pod, context) =>
        context
          .lister(podDisruptionBudgets)
          .inNamespace(pod.metadata.namespace ?? "")
          .filter((budget) => selectorOf(budget).matches(pod.metadata.labels))
          .map(keyOfObject),
    }),
    watchOf(replicaSets, { changed: wasResized, keys: budgetsNear }),
    watchOf(deployments, { changed: wasResized, keys: budgetsNear }),
    watchOf(statefulSets, { changed: wasResized, keys: budgetsNear }),
    watchOf(replicationControllers, { changed: wasResized, keys: budgetsNear }),
  ],
  async reconcile(context) {
    const budget = context.get();
    if (budget === undefined) return done;
    try {
      return await sync(context, budget);
    } catch (error) {
      if (isScaleError(error)) return failSafe(context, budget, error);
      throw error;
    }
  },
});

function wasResized(object: Sized, old: Sized): boolean {
  return object.spec.replicas !== old.spec.replicas;
}

/** Budgets in the namespace whose share depends on sizes. */
function budgetsNear({ metadata }: KubeObject, context: MapContext): string[] {
  return context
    .lister(podDisruptionBudgets)
    .inNamespace(metadata?.namespace ?? "")
    .filter(({ spec }) => typeof spec.minAvailable !== "number")
    .map(keyOfObject);
}

/** The sizes of the Pods' controllers are not to be had: nothing may be evicted. */
class ScaleError extends Error {
  override readonly name = "ScaleError";
}

function isScaleError(error: unknown): error is ScaleError {
  return error instanceof ScaleError;
}

async function sync(context: BudgetContext, budget: PodDisruptionBudget): Promise<Outcome> {
  const selector = selectorOf(budget);
  const selected = context
    .lister(pods)
    .inNamespace(budget.metadata.namespace ?? "")
    .filter(({ metadata }) => selector.matches(metadata.labels));
  if (selected.length === 0) context.events.normal(budget, "NoPods", "No matching pods found");
  const scale = await scaleOf(context, budget, selected);
  const { expected, desired } = expectationOf(budget, selected.length, scale);
  const nowMs = context.clock.nowMs();
  const { pending, overdue, nextMs } = stillDisrupted(budget.status, selected, nowMs);
  for (const pod of overdue) {
    context.events.warning(
      pod,
      "NotDeleted",
      `Pod was expected by PDB ${context.key} to be deleted but it wasn't`,
    );
  }
  const healthy = countHealthy(selected, pending);
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
  await write(context, budget, {
    observedGeneration: budget.metadata.generation ?? 0,
    disruptedPods: pending,
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    conditions: conditionsWith(
      budget,
      nowMs,
      allowed > 0
        ? { status: "True", reason: "SufficientPods", message: "" }
        : { status: "False", reason: "InsufficientPods", message: "" },
    ),
  });
  await clearStaleTargets(context, selected);
  return nextMs === undefined ? done : { requeueAfterMs: nextMs };
}

type Status = PodDisruptionBudgetStatus;
type Conditions = NonNullable<Status["conditions"]>;

function conditionsWith(
  { metadata, status }: PodDisruptionBudget,
  nowMs: number,
  verdict: Pick<Conditions[number], "status" | "reason" | "message">,
): Conditions {
  const type = "DisruptionAllowed";
  const old = status?.conditions?.find((condition) => condition.type === type);
  const lastTransitionTime =
    old?.status === verdict.status ? old.lastTransitionTime : rfc3339(nowMs);
  const others = (status?.conditions ?? []).filter((condition) => condition.type !== type);
  return [
    ...others,
    { type, ...verdict, observedGeneration: metadata.generation ?? 0, lastTransitionTime },
  ];
}

async function write(
  context: BudgetContext,
  budget: PodDisruptionBudget,
  status: Status,
): Promise<void> {
  if (semanticEqual(status, budget.status)) return;
  await context.resource(podDisruptionBudgets).updateStatus({ ...budget, status });
}

async function failSafe(
  context: BudgetContext,
  budget: PodDisruptionBudget,
  error: ScaleError,
): Promise<Outcome> {
  context.events.warning(
    budget,
    "CalculateExpectedPodCountFailed",
    `Failed to calculate the number of expected pods: ${error.message}`,
  );
  const verdict = { status: "False", reason: "SyncFailed", message: error.message };
  const status: Status = {
    disruptionsAllowed: 0,
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    ...budget.status,
    conditions: conditionsWith(budget, context.clock.nowMs(), verdict),
  };
  await write(context, budget, { ...status, disruptionsAllowed: 0 });
  throw error;
}

/** The sum of the sizes of all controllers of `selected`; each counts once. */
async function scaleOf(
  context: BudgetContext,
  budget: PodDisruptionBudget,
  selected: readonly Pod[],
): Promise<() => number> {
  const needed =
    budget.spec.maxUnavailable !== undefined || typeof budget.spec.minAvailable === "string";
  if (!needed) return () => 0;
  const sizes = new Map<string, number>();
  for (const pod of selected) {
    const reference = controllerRefOf(pod);
    if (reference === undefined)
      throw new ScaleError(`found no controller ref for pod ${JSON.stringify(pod.metadata.name)}`);
    if (sizes.has(reference.uid)) continue;
    const found = await sizeOf(context, pod.metadata.namespace ?? "", reference);
    if (found === undefined)
      throw new ScaleError(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`);
    sizes.set(reference.uid, 0);
    sizes.set(found.uid, found.replicas);
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return () => total;
}

interface Size {
  readonly uid: string;
  readonly replicas: number;
}

type Sized = KubeObject & { readonly spec: { readonly replicas?: number | undefined } };

async function sizeOf(
  context: BudgetContext,
  namespace: string,
  reference: OwnerReference,
): Promise<Size | undefined> {
  const key = objectKey(namespace, reference.name);
  const read = (object: Sized | undefined): Size | undefined =>
    object?.metadata?.uid === reference.uid
      ? { uid: reference.uid, replicas: object.spec.replicas ?? 1 }
      : undefined;
  if (refersTo(reference, replicaSets)) {
    const set = context.lister(replicaSets).get(key);
    const owner = set && controllerRefOf(set);
    if (owner && refersTo(owner, deployments)) return sizeOf(context, namespace, owner);
    return read(set);
  }
  if (refersTo(reference, deployments)) return read(context.lister(deployments).get(key));
  if (refersTo(reference, replicationControllers))
    return read(context.lister(replicationControllers).get(key));
  if (refersTo(reference, statefulSets)) return read(context.lister(statefulSets).get(key));
  return sizeByScale(context, namespace, reference);
}

/** Any other kind, custom ones too, tells its size by its `scale` subresource. */
async function sizeByScale(
  context: BudgetContext,
  namespace: string,
  reference: OwnerReference,
): Promise<Size | undefined> {
  const { group } = parseApiVersion(reference.apiVersion);
  const { resources } = await discover(context.client, context.signal);
  const target = resources.find(
    (resource) => resource.group === group && resource.kind === reference.kind,
  );
  if (target === undefined)
    throw new ScaleError(`error finding the mapping for ${reference.apiVersion} ${reference.kind}`);
  try {
    const call = { key: objectKey(namespace, reference.name), name: "scale" };
    const scale = await context.client.dynamic(target).getSubresource<Sized>(call);
    return scale.metadata?.uid === reference.uid
      ? { uid: reference.uid, replicas: scale.spec.replicas ?? 0 }
      : undefined;
  } catch (error) {
    if (isNotFound(error))
      throw new ScaleError(`${target.plural} does not implement the scale subresource`);
    throw new ScaleError(errorMessage(error));
  }
}

/** A Pod that was to be disrupted and was not says so no longer. */
async function clearStaleTargets(context: BudgetContext, selected: readonly Pod[]): Promise<void> {
  const nowMs = context.clock.nowMs();
  for (const pod of selected) {
    const target = pod.status?.conditions?.find(
      ({ type, status }) => type === "DisruptionTarget" && status === "True",
    );
    if (target === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(target.lastTransitionTime ?? "") + deletionMs - nowMs;
    if (leftMs > 0) context.enqueueAfter(context.key, leftMs);
    else {
      const conditions = (pod.status?.conditions ?? []).map((condition) =>
        condition === target
          ? { type: target.type, status: "False", lastTransitionTime: rfc3339(nowMs) }
          : condition,
      );
      await context.resource(pods).updateStatus({ ...pod, status: { ...pod.status, conditions } });
    }
  }
}
