import type { KubeObject } from "#apimachinery/object.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isConflict, isNotFound } from "#apimachinery/status.ts";
import type { Client, ResourceClient, ResourceTarget } from "#client/client.ts";
import { createWorkqueue, type Workqueue } from "#client/workqueue.ts";
import { type Barrier, createBarrier } from "./barrier.ts";
import {
  type Context,
  type ControllerEnvironment,
  type ControllerSpec,
  type MapContext,
  TerminalError,
} from "./controller.ts";
import { isNamespaceTerminating } from "./pods.ts";
import { queueObserver } from "./queue-metrics.ts";

/** Feeds a queue from the informers and lets workers reconcile its keys, once all caches are full. */
export function runController<T extends KubeObject, S>(
  spec: ControllerSpec<T, S>,
  environment: ControllerEnvironment,
): void {
  const { informers, lifetime, clock } = environment;
  const observer = queueObserver(spec.name, environment.metrics);
  const queue = createWorkqueue({ name: spec.name, clock, observer });
  lifetime.defer(() => queue.shutDown());
  const context: MapContext = {
    informers,
    lister: (definition) => informers.of(definition).lister,
    enqueueAfter: queue.addAfter,
  };
  const enqueue = (keys: Iterable<string>): void => {
    for (const key of keys) queue.add(key);
  };

  const main = informers.of(spec.for, spec.selection);
  for (const addIndex of spec.indexes ?? []) addIndex(informers);
  for (const target of spec.reads ?? []) informers.dynamic(target);
  const state = spec.state?.(environment) as S;
  main.subscribe({
    onAdd: (object) => queue.add(keyOfObject(object)),
    onUpdate(object, old) {
      if (spec.changed === undefined || spec.changed(object, old)) queue.add(keyOfObject(object));
    },
    onDelete: (object) => queue.add(keyOfObject(object)),
  });
  for (const watch of spec.watches ?? []) watch.subscribe(informers, enqueue, context);

  const barrier = createBarrier(informers, clock);
  const work = createWork({ spec, environment, queue, barrier, state });
  void informers.synced().then(() => {
    for (let i = 0; i < (spec.workers ?? 1); i++) void workLoop(queue, work);
  });
}

async function workLoop(queue: Workqueue, work: (key: string) => Promise<void>): Promise<void> {
  for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
    await work(key);
    queue.done(key);
  }
}

interface WorkOptions<T extends KubeObject, S> {
  readonly spec: ControllerSpec<T, S>;
  readonly environment: ControllerEnvironment;
  readonly queue: Workqueue;
  readonly barrier: Barrier;
  readonly state: S;
}

/** One attempt at a key; settles the key's future in the queue, never rejects. */
function createWork<T extends KubeObject, S>(
  options: WorkOptions<T, S>,
): (key: string) => Promise<void> {
  const { spec, environment, queue, barrier } = options;
  const { log, lifetime } = environment;

  return async (key) => {
    if (!barrier.passes(key, () => queue.add(key))) return;
    try {
      const { requeueAfterMs } = await spec.reconcile(contextOf(options, key));
      queue.forget(key);
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
    } catch (error) {
      if (lifetime.ended) return;
      if (isNamespaceTerminating(error)) {
        queue.forget(key);
        return log.debug("reconcile gave up in a namespace that goes", { key });
      }
      if (error instanceof TerminalError) {
        queue.forget(key);
        return log.error("reconcile failed for good", error, { key });
      }
      const failures = queue.requeues(key);
      if (isNewerState(error, failures)) log.debug("reconcile met a newer state", { key, error });
      else log.error("reconcile failed", error, { key, failures });
      queue.addRateLimited(key);
    }
  };
}

/** The caches were behind: another wrote first, or what was to be written has gone. */
function isNewerState(error: unknown, failures: number): boolean {
  return isConflict(error) || (failures === 0 && isNotFound(error));
}

function contextOf<T extends KubeObject, S>(
  options: WorkOptions<T, S>,
  key: string,
): Context<T, S> {
  const { spec, environment, queue, barrier } = options;
  const { informers, clock, random, log, events, settings, metrics, lifetime } = environment;
  const client = trackedClient(environment.client, barrier, key);
  return {
    key,
    client,
    clock,
    random,
    log,
    events,
    settings,
    metrics,
    state: options.state,
    signal: lifetime.signal,
    failures: queue.requeues(key),
    get: () => informers.of(spec.for, spec.selection).lister.get(key),
    lister: (definition, selection) => informers.of(definition, selection).lister,
    resource: (definition) => client.resource(definition),
    enqueueAfter: queue.addAfter,
  };
}

/** Notes every write, so that the key waits for the caches to show it. */
function trackedClient(client: Client, barrier: Barrier, key: string): Client {
  return {
    ...client,
    resource: (definition) => tracked(client.resource(definition), barrier, key),
    dynamic: (target) => tracked(client.dynamic(target), barrier, key),
  };
}

function tracked<U extends KubeObject>(
  client: ResourceClient<U>,
  barrier: Barrier,
  key: string,
): ResourceClient<U> {
  const target: ResourceTarget = client.target;
  async function noted(write: Promise<U>): Promise<U> {
    const object = await write;
    barrier.wrote(key, target, object);
    return object;
  }
  return {
    ...client,
    create: (object, options) => noted(client.create(object, options)),
    update: (object, options) => noted(client.update(object, options)),
    updateStatus: (object, options) => noted(client.updateStatus(object, options)),
    patch: (of, patch, options) => noted(client.patch(of, patch, options)),
    apply: (object, options) => noted(client.apply(object, options)),
    async delete(of, options) {
      const answer = await client.delete(of, options);
      const uid = options?.preconditions?.uid;
      if (uid !== undefined) barrier.deleted(key, target, { key: of, uid });
      return answer;
    },
  };
}
