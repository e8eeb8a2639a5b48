import { controllerRevisions } from "#api/apps/v1/controller-revision.ts";
import { type DaemonSet, daemonSets } from "#api/apps/v1/daemon-set.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isEverything, labelSelectorOf } from "#apimachinery/selectors.ts";
import { createKeyedBackoff, type KeyedBackoff } from "#base/backoff.ts";
import {
  type Context,
  defineController,
  done,
  indexOf,
  type Outcome,
  watchOf,
} from "../framework/controller.ts";
import { claim, orphans, owned } from "../framework/owners.ts";
import {
  all,
  createPod,
  deletePod,
  isNamespaceTerminating,
  nextAvailableMs,
  slowStart,
} from "../framework/pods.ts";
import {
  RevisionCollision,
  type Revisions,
  syncRevisions,
  trimRevisions,
} from "../framework/revisions.ts";
import { daemonPod, hashLabel, nodeNameOf } from "./daemon-pods.ts";
import {
  type DaemonInput,
  type DaemonPlan,
  daemonStatus,
  planPlacement,
  planUpdate,
} from "./plan.ts";

const selectorOf = ({ spec }: DaemonSet) => labelSelectorOf(spec.selector);

interface DaemonState {
  /** Failed Pods are replaced ever more slowly, by set and node. */
  readonly failed: KeyedBackoff;
}

type DaemonContext = Context<DaemonSet, DaemonState>;

/** Runs one Pod on each node that fits. Source: pkg/controller/daemon. */
export const daemonSetController = defineController<DaemonSet, DaemonState>({
  name: "daemonset-controller",
  account: "daemon-set-controller",
  for: daemonSets,
  workers: 2,
  indexes: [indexOf(pods, orphans), indexOf(controllerRevisions, orphans)],
  state: ({ clock }) => ({
    failed: createKeyedBackoff({ initialMs: 1000, maxMs: 900_000 }, clock),
  }),
  watches: [
    owned(daemonSets, pods, { selectorOf }),
    owned(daemonSets, controllerRevisions, { selectorOf }),
    watchOf(nodes, {
      changed: (node, old) => !deepEqual(placementParts(node), placementParts(old)),
      keys: (_node, context) => context.lister(daemonSets).list().map(keyOfObject),
    }),
  ],
  async reconcile(context) {
    const set = context.get();
    if (set === undefined) return done;
    if (isEverything(selectorOf(set))) {
      context.events.warning(
        set,
        "SelectingAll",
        "This daemon set is selecting all pods. A non-empty selector is required.",
      );
      return done;
    }
    if (set.metadata.deletionTimestamp !== undefined) return done;
    const revisions = await revisionsOf(context, set);
    return sync(context, set, revisions);
  },
});

function placementParts({ metadata, spec }: Node): unknown[] {
  return [metadata.labels ?? {}, spec.taints ?? []];
}

async function revisionsOf(context: DaemonContext, set: DaemonSet): Promise<Revisions> {
  const known = await claim(context, {
    owners: daemonSets,
    owner: set,
    children: controllerRevisions,
    selector: selectorOf(set),
  });
  const { collisionCount } = set.status ?? {};
  const { template } = set.spec;
  const labels = template.metadata.labels ?? {};
  try {
    return await syncRevisions(
      context,
      { owners: daemonSets, owner: set, template, labels, hashLabel, collisionCount },
      known,
    );
  } catch (error) {
    if (error instanceof RevisionCollision) {
      const status = {
        ...daemonStatus(emptyInput(set)),
        ...set.status,
        collisionCount: (collisionCount ?? 0) + 1,
      };
      await context.resource(daemonSets).updateStatus({ ...set, status });
    }
    throw error;
  }
}

function emptyInput(set: DaemonSet): DaemonInput {
  return { set, nodes: [], podsOf: () => [], hash: "", nowMs: 0 };
}

async function sync(
  context: DaemonContext,
  set: DaemonSet,
  revisions: Revisions,
): Promise<Outcome> {
  const hash = revisions.current.metadata.labels?.[hashLabel] ?? "";
  const claimed = await claim(context, {
    owners: daemonSets,
    owner: set,
    children: pods,
    selector: selectorOf(set),
  });
  const input = inputOf(context, { set, claimed, hash });
  const lost = claimed.filter(
    (pod) =>
      !pod.spec.nodeName &&
      pod.metadata.deletionTimestamp === undefined &&
      !context.lister(nodes).get(nodeNameOf(pod)),
  );
  const placement = planPlacement(input);
  const plan = { ...placement, remove: [...placement.remove, ...lost] };
  let failure = await carryOut(context, set, { plan, hash });
  const settled = plan.create.length === 0 && plan.remove.length === 0;
  if (settled && set.spec.updateStrategy?.type !== "OnDelete") {
    failure = await carryOut(context, set, { plan: planUpdate(input), hash });
  }
  const live = new Set(claimed.map(({ metadata }) => metadata.labels?.[hashLabel]));
  await trimRevisions(context, revisions.old, {
    limit: set.spec.revisionHistoryLimit ?? 10,
    isLive: ({ metadata }) => live.has(metadata.labels?.[hashLabel]),
  });
  const status = daemonStatus(input);
  if (!deepEqual(filled(status), filled(set.status)))
    await context.resource(daemonSets).updateStatus({ ...set, status });
  if (failure !== undefined) throw failure;
  const waitMs = nextAvailableMs(claimed, set.spec.minReadySeconds ?? 0, context.clock.nowMs());
  return waitMs === undefined ? done : { requeueAfterMs: waitMs };
}

function inputOf(
  context: DaemonContext,
  of: { set: DaemonSet; claimed: readonly Pod[]; hash: string },
): DaemonInput {
  const byNode = Map.groupBy(of.claimed, nodeNameOf);
  const { set, hash } = of;
  return {
    set,
    hash,
    nodes: context.lister(nodes).list(),
    podsOf: (node) => byNode.get(node) ?? [],
    nowMs: context.clock.nowMs(),
  };
}

async function carryOut(
  context: DaemonContext,
  set: DaemonSet,
  of: { plan: DaemonPlan; hash: string },
): Promise<unknown> {
  const { plan, hash } = of;
  try {
    await all(
      plan.remove.map((pod) => removePod(context, set, { pod, ended: plan.ended.includes(pod) })),
    );
    await slowStart(plan.create.length, async (i) => {
      const node = plan.create[i];
      if (node !== undefined) await createPod(context, set, daemonPod(set, node, hash));
    });
  } catch (error) {
    return isNamespaceTerminating(error) ? undefined : error;
  }
  return undefined;
}

async function removePod(
  context: DaemonContext,
  set: DaemonSet,
  { pod, ended }: { pod: Pod; ended: boolean },
): Promise<void> {
  const node = nodeNameOf(pod);
  const place = `${pod.metadata.namespace}/${pod.metadata.name} on node ${node}`;
  if (ended && pod.status?.phase === "Failed") {
    const key = `${context.key}/${node}`;
    const leftMs = context.state.failed.remainingMs(key);
    if (leftMs > 0) return context.enqueueAfter(context.key, leftMs);
    context.state.failed.next(key);
    context.events.warning(
      set,
      "FailedDaemonPod",
      `Found failed daemon pod ${place}, will try to kill it`,
    );
  } else if (ended) {
    context.events.normal(
      set,
      "SucceededDaemonPod",
      `Found succeeded daemon pod ${place}, will try to delete it`,
    );
  }
  await deletePod(context, set, pod);
}

function filled(status: DaemonSet["status"]): object {
  return Object.fromEntries(
    Object.entries(status ?? {}).filter(([, value]) => value !== 0 && value !== undefined),
  );
}
