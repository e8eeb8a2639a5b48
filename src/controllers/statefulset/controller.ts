import { errorMessage } from "#base/error-message.ts";
import { type ControllerRevision, controllerRevisions } from "#api/apps/v1/controller-revision.ts";
import { type StatefulSet, statefulSets } from "#api/apps/v1/stateful-set.ts";
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
} from "#api/core/v1/persistent-volume-claim.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isEverything, labelSelectorOf } from "#apimachinery/selectors.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/status.ts";
import {
  type Context,
  defineController,
  done,
  indexOf,
  type Outcome,
} from "../framework/controller.ts";
import { claim, orphans, owned } from "../framework/owners.ts";
import { isNamespaceTerminating, nextAvailableMs } from "../framework/pods.ts";
import { RevisionCollision, syncRevisions, trimRevisions } from "../framework/revisions.ts";
import {
  claimName,
  claimsOfSet,
  hasIdentity,
  ordinalOf,
  podOfSet,
  replicasOf,
  retentionOwners,
  startOrdinal,
  withIdentity,
} from "./identity.ts";
import { planSet, revisionNameOf, type SetInput, setStatus, type Step } from "./plan.ts";

const hashLabel = "controller.kubernetes.io/hash";
const selectorOf = ({ spec }: StatefulSet) => labelSelectorOf(spec.selector);

type SetContext = Context<StatefulSet, undefined>;

/** Runs Pods that keep their names and volumes. Source: pkg/controller/statefulset. */
export const statefulSetController = defineController<StatefulSet>({
  name: "statefulset-controller",
  for: statefulSets,
  workers: 5,
  indexes: [indexOf(pods, orphans), indexOf(controllerRevisions, orphans)],
  reads: [persistentVolumeClaims],
  watches: [
    owned(statefulSets, pods, { selectorOf }),
    owned(statefulSets, controllerRevisions, { selectorOf }),
  ],
  async reconcile(context) {
    const set = context.get();
    if (set === undefined || isEverything(selectorOf(set))) return done;
    const claimed = await claim(context, {
      owners: statefulSets,
      owner: set,
      children: pods,
      selector: selectorOf(set),
      adoptable: (pod) => ordinalOf(set, pod) >= 0,
    });
    return sync(context, set, claimed);
  },
});

async function sync(
  context: SetContext,
  set: StatefulSet,
  claimed: readonly Pod[],
): Promise<Outcome> {
  const { update, current, old } = await revisionsOf(context, set);
  const input: SetInput = { set, pods: claimed, current, update, nowMs: context.clock.nowMs() };
  let failure: unknown;
  if (set.metadata.deletionTimestamp === undefined) {
    await settleClaims(context, set, claimed);
    try {
      for (const step of planSet(input)) await take(context, set, step);
    } catch (error) {
      failure = error;
    }
  }
  const status = setStatus(input);
  if (!deepEqual(filled(status), filled(set.status)))
    await context.resource(statefulSets).updateStatus({ ...set, status });
  const live = new Set([
    ...claimed.map(revisionNameOf),
    current.metadata.name,
    update.metadata.name,
  ]);
  await trimRevisions(context, old, {
    limit: set.spec.revisionHistoryLimit ?? 10,
    isLive: ({ metadata }) => live.has(metadata.name),
  });
  if (failure !== undefined) throw failure;
  const waitMs = nextAvailableMs(claimed, set.spec.minReadySeconds ?? 0, input.nowMs);
  return waitMs === undefined ? done : { requeueAfterMs: waitMs };
}

interface SetRevisions {
  readonly update: ControllerRevision;
  readonly current: ControllerRevision;
  readonly old: readonly ControllerRevision[];
}

async function revisionsOf(context: SetContext, set: StatefulSet): Promise<SetRevisions> {
  const known = await claim(context, {
    owners: statefulSets,
    owner: set,
    children: controllerRevisions,
    selector: selectorOf(set),
  });
  const { collisionCount, currentRevision } = set.status ?? {};
  const labels = set.spec.selector?.matchLabels ?? {};
  try {
    const { current: update, old } = await syncRevisions(
      context,
      {
        owners: statefulSets,
        owner: set,
        template: set.spec.template,
        labels,
        hashLabel,
        collisionCount,
      },
      known,
    );
    return {
      update,
      old,
      current: old.find(({ metadata }) => metadata.name === currentRevision) ?? update,
    };
  } catch (error) {
    if (error instanceof RevisionCollision) {
      const status = {
        replicas: 0,
        availableReplicas: 0,
        ...set.status,
        collisionCount: (collisionCount ?? 0) + 1,
      };
      await context.resource(statefulSets).updateStatus({ ...set, status });
    }
    throw error;
  }
}

async function take(context: SetContext, set: StatefulSet, step: Step): Promise<void> {
  if (step.do === "create") return create(context, set, step);
  if (step.do === "delete") return remove(context, set, step);
  await makeClaims(context, set, { pod: step.pod, ordinal: ordinalOf(set, step.pod) });
  if (!hasIdentity(set, step.pod)) await context.resource(pods).update(withIdentity(set, step.pod));
}

async function create(
  context: SetContext,
  set: StatefulSet,
  { ordinal, revision }: Step & { do: "create" },
): Promise<void> {
  const pod = podOfSet(set, revision, ordinal);
  const { name } = pod.metadata;
  await makeClaims(context, set, { pod, ordinal });
  try {
    await context.resource(pods).create(pod);
    context.events.normal(
      set,
      "SuccessfulCreate",
      `create Pod ${name} in StatefulSet ${set.metadata.name} successful`,
    );
  } catch (error) {
    if (isAlreadyExists(error) || isNamespaceTerminating(error)) throw error;
    context.events.warning(
      set,
      "FailedCreate",
      `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${errorMessage(error)}`,
    );
    throw error;
  }
}

async function makeClaims(
  context: SetContext,
  set: StatefulSet,
  { pod, ordinal }: { pod: Pod; ordinal: number },
): Promise<void> {
  for (const wanted of claimsOfSet(set, ordinal)) {
    const existing = context.lister(persistentVolumeClaims).get(keyOfObject(wanted));
    if (existing?.metadata.deletionTimestamp !== undefined) {
      throw new Error(`pvc ${wanted.metadata.name} is being deleted`);
    }
    if (existing) continue;
    const ownerReferences = retentionOwners(wanted, { set, pod: undefined, condemned: false });
    const told = `create Claim ${wanted.metadata.name} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    try {
      const metadata = {
        ...wanted.metadata,
        ...(ownerReferences.length > 0 && { ownerReferences }),
      };
      await context.resource(persistentVolumeClaims).create({ ...wanted, metadata });
      context.events.normal(set, "SuccessfulCreate", `${told} success`);
    } catch (error) {
      if (isAlreadyExists(error)) continue;
      context.events.warning(set, "FailedCreate", `${told} failed error: ${errorMessage(error)}`);
      throw error;
    }
  }
}

const reasonsOfFailure = {
  Failed: "RecreatingFailedPod",
  Succeeded: "RecreatingTerminatedPod",
} as const;

async function remove(
  context: SetContext,
  set: StatefulSet,
  { pod, why }: Step & { do: "delete" },
): Promise<void> {
  const { name, uid = "" } = pod.metadata;
  const place = `${set.metadata.namespace}/${set.metadata.name}`;
  if (why === "failed") {
    const phase = pod.status?.phase === "Failed" ? "Failed" : "Succeeded";
    const what = phase === "Failed" ? "failed" : "terminated";
    context.events.warning(
      set,
      reasonsOfFailure[phase],
      `StatefulSet ${place} is recreating ${what} Pod ${name}`,
    );
  }
  try {
    await context.resource(pods).delete(keyOfObject(pod), { preconditions: { uid } });
    context.events.normal(
      set,
      "SuccessfulDelete",
      `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`,
    );
  } catch (error) {
    if (isNotFound(error)) return;
    context.events.warning(
      set,
      "FailedDelete",
      `delete Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${errorMessage(error)}`,
    );
    throw error;
  }
}

/** Gives the claims of all Pods the owners that the retention policy says. */
async function settleClaims(
  context: SetContext,
  set: StatefulSet,
  claimed: readonly Pod[],
): Promise<void> {
  const [first, end] = [startOrdinal(set), startOrdinal(set) + replicasOf(set)];
  for (const pod of claimed) {
    const ordinal = ordinalOf(set, pod);
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const key = `${set.metadata.namespace}/${claimName(set, template, ordinal)}`;
      const existing = context.lister(persistentVolumeClaims).get(key);
      if (existing)
        await own(
          context,
          existing,
          retentionOwners(existing, { set, pod, condemned: ordinal < first || ordinal >= end }),
        );
    }
  }
}

async function own(
  context: SetContext,
  existing: PersistentVolumeClaim,
  ownerReferences: ReturnType<typeof retentionOwners>,
): Promise<void> {
  if (deepEqual(existing.metadata.ownerReferences ?? [], ownerReferences)) return;
  await context
    .resource(persistentVolumeClaims)
    .update({ ...existing, metadata: { ...existing.metadata, ownerReferences } });
}

function filled(status: StatefulSet["status"]): object {
  return Object.fromEntries(
    Object.entries(status ?? {}).filter(([, value]) => value !== 0 && value !== undefined),
  );
}
