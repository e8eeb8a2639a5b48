import { errorMessage } from "#base/error-message.ts";
import type { ReplicaSetStatus } from "#api/apps/v1/replica-set.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Selector } from "#apimachinery/selectors.ts";
import { rfc3339 } from "#base/clock.ts";
import {
  type Context,
  type Controller,
  defineController,
  done,
  indexOf,
  type Outcome,
} from "../framework/controller.ts";
import { claim, controllerRef, orphans, owned } from "../framework/owners.ts";
import {
  all,
  createPod,
  deletePod,
  isActive,
  isNamespaceTerminating,
  nextAvailableMs,
  podFromTemplate,
  slowStart,
} from "../framework/pods.ts";
import { planReplicas, replicaStatus, type ReplicaView, sameStatus } from "./plan.ts";

/** How a kind that keeps a number of Pods is read and written. */
export interface ReplicaKind<T extends KubeObject> {
  readonly name: string;
  readonly account?: string;
  readonly component: string;
  readonly definition: ResourceDefinition<T>;
  readonly viewOf: (object: T) => ReplicaView;
  readonly selectorOf: (object: T) => Selector;
  readonly withStatus: (object: T, status: ReplicaSetStatus) => T;
  /** Pods whose crowding of a node makes it lose Pods first; the owned ones when absent. */
  readonly relatedPods?: (context: Context<T, undefined>, object: T) => readonly Pod[];
}

/** A controller that keeps a number of Pods. */
export function replicaController<T extends KubeObject>(kind: ReplicaKind<T>): Controller {
  const { definition, selectorOf } = kind;
  return defineController<T>({
    name: kind.name,
    ...(kind.account !== undefined && { account: kind.account }),
    component: kind.component,
    for: definition,
    workers: 5,
    indexes: [indexOf(pods, orphans)],
    watches: [owned(definition, pods, { selectorOf })],
    async reconcile(context) {
      const object = context.get();
      if (object === undefined) return done;
      const claimed = await claim(context, {
        owners: definition,
        owner: object,
        children: pods,
        selector: selectorOf(object),
        adoptable: isActive,
      });
      return sync(context, kind, { object, claimed });
    },
  });
}

async function sync<T extends KubeObject>(
  context: Context<T, undefined>,
  kind: ReplicaKind<T>,
  { object, claimed }: { readonly object: T; readonly claimed: readonly Pod[] },
): Promise<Outcome> {
  const view = kind.viewOf(object);
  const nowMs = context.clock.nowMs();
  let failure: unknown;
  if (object.metadata?.deletionTimestamp === undefined) {
    const related = kind.relatedPods?.(context, object) ?? claimed;
    const plan = planReplicas(view, claimed, { related, nowMs });
    try {
      await carryOut(context, kind, { object, plan });
    } catch (error) {
      failure = error;
    }
  }
  const said =
    failure === undefined ? undefined : { message: errorMessage(failure), now: rfc3339(nowMs) };
  const status = replicaStatus(view, claimed, { nowMs, failure: said });
  if (!sameStatus(status, view.status)) {
    await context.resource(kind.definition).updateStatus(kind.withStatus(object, status));
  }
  if (failure !== undefined) throw failure;
  const waitMs = nextAvailableMs(claimed.filter(isActive), view.minReadySeconds, nowMs);
  return waitMs === undefined ? done : { requeueAfterMs: waitMs };
}

async function carryOut<T extends KubeObject>(
  context: Context<T, undefined>,
  { definition, viewOf }: ReplicaKind<T>,
  { object, plan }: { readonly object: T; readonly plan: ReturnType<typeof planReplicas> },
): Promise<void> {
  const { template } = viewOf(object);
  if (template === undefined) return;
  const reference = controllerRef(definition, object);
  try {
    await slowStart(plan.create, () =>
      createPod(context, object, podFromTemplate(template, object, reference)),
    );
  } catch (error) {
    if (!isNamespaceTerminating(error)) throw error;
  }
  await all(plan.remove.map((pod) => deletePod(context, object, pod)));
}
