import { customResourceDefinitions } from "#api/apiextensions/v1/custom-resource-definition.ts";
import { apiServices } from "#api/apiregistration/v1/api-service.ts";
import { parseApiVersion } from "#apimachinery/object.ts";
import { isConflict } from "#apimachinery/status.ts";
import type { Timer } from "#base/clock.ts";
import type { ResourceTarget } from "#client/client.ts";
import { type DiscoveredResource, discover } from "#client/discovery.ts";
import { createWorkqueue, type Workqueue } from "#client/workqueue.ts";
import type { Controller, ControllerEnvironment } from "../framework/controller.ts";
import { queueObserver } from "../framework/queue-metrics.ts";
import { Collector } from "./collector.ts";
import { Graph } from "./graph.ts";

const workersCount = 20;

/** After a change of CRDs or API services, discovery is asked again this much later. */
const rediscoverMs = 500;
/** Safety net, should discovery change without either. */
const rediscoverSlowMs = 300_000;

/** Never owned, never collected. */
const ignored = new Set(["/events", "events.k8s.io/events"]);

/**
 * Deletes objects whose owners are gone, and carries out foreground and orphaning deletion.
 * Follows every resource that can be listed, watched and deleted, custom ones too.
 */
export const garbageCollector: Controller = {
  name: "garbage-collector-controller",
  account: "generic-garbage-collector",
  start: startGarbageCollector,
};

function startGarbageCollector(environment: ControllerEnvironment): void {
  const { client, events, clock, lifetime, metrics } = environment;
  const graph = new Graph();
  const served = new Map<string, DiscoveredResource>();
  const queue = (name: string): Workqueue => {
    const created = createWorkqueue({ name, clock, observer: queueObserver(name, metrics) });
    lifetime.defer(() => created.shutDown());
    return created;
  };
  const deletes = queue("garbage_collector_attempt_to_delete");
  const orphanings = queue("garbage_collector_attempt_to_orphan");
  const collector = new Collector({
    graph,
    client,
    events,
    enqueue: (uid) => deletes.add(uid),
    resourceOf: (apiVersion, kind) => served.get(`${parseApiVersion(apiVersion).group}/${kind}`),
  });
  const feed = createFeed({ graph, collector, deletes, orphanings });
  followResources(environment, served, feed);
  void Promise.resolve().then(async () => {
    await feed.ready;
    for (let i = 0; i < workersCount; i++) {
      void work(environment, deletes, (uid) => collector.attemptToDelete(uid));
      void work(environment, orphanings, (uid) => collector.attemptToOrphan(uid));
    }
  });
}

async function work(
  { log, lifetime }: ControllerEnvironment,
  queue: Workqueue,
  attempt: (uid: string) => Promise<void>,
): Promise<void> {
  for (let uid = await queue.get(); uid !== undefined; uid = await queue.get()) {
    try {
      await attempt(uid);
      queue.forget(uid);
    } catch (error) {
      if (!lifetime.ended) {
        if (!isConflict(error)) log.debug("garbage collection failed, will retry", { uid, error });
        queue.addRateLimited(uid);
      }
    }
    queue.done(uid);
  }
}

interface Feed {
  follow(environment: ControllerEnvironment, target: ResourceTarget): Disposable;
  /** Resolves when the first set of resources is in the graph. */
  readonly ready: Promise<void>;
  readonly markReady: () => void;
}

interface FeedOptions {
  readonly graph: Graph;
  readonly collector: Collector;
  readonly deletes: Workqueue;
  readonly orphanings: Workqueue;
}

/** Takes informers' news into the graph, and says what is to be looked at. */
function createFeed({ graph, collector, deletes, orphanings }: FeedOptions): Feed {
  const { promise, resolve } = Promise.withResolvers<void>();

  function observe(target: ResourceTarget, object: Parameters<Graph["observe"]>[1]): void {
    const seen = graph.observe(target, object);
    const { uid } = seen.node.identity;
    for (const owner of seen.unseenOwners) deletes.add(owner.identity.uid);
    for (const owner of seen.looseOwners)
      if (owner.deletingDependents) deletes.add(owner.identity.uid);
    for (const dependent of seen.misplaced) deletes.add(dependent.identity.uid);
    // An owner that has gone meanwhile left nobody to say so to a dependent that came after it.
    if (seen.isNew && seen.node.owners.some((owner) => graph.get(owner.uid)?.deletingDependents))
      deletes.add(uid);
    if (seen.began === "orphan") orphanings.add(uid);
    if (seen.began === "foreground") {
      for (const dependent of seen.node.dependents) deletes.add(dependent.identity.uid);
      deletes.add(uid);
    }
  }

  return {
    ready: promise,
    markReady: resolve,
    follow: ({ informers }, target) =>
      informers.dynamic(target).subscribe({
        onAdd: (object) => observe(target, object),
        onUpdate: (object) => observe(target, object),
        onDelete: (object) => collector.gone(object.metadata?.uid ?? ""),
      }),
  };
}

/** Keeps the followed resources in step with discovery. */
function followResources(
  environment: ControllerEnvironment,
  served: Map<string, DiscoveredResource>,
  feed: Feed,
): void {
  const { client, informers, clock, lifetime, log } = environment;
  const followed = new Map<
    string,
    { readonly target: ResourceTarget; readonly subscription: Disposable }
  >();
  let timer: Timer | undefined;

  function schedule(delayMs: number): void {
    if (timer && timer.dueMonotonicMs <= clock.monotonicMs() + delayMs) return;
    timer?.[Symbol.dispose]();
    timer = clock.after(delayMs, () => void sync());
  }

  async function sync(): Promise<void> {
    timer = undefined;
    try {
      const { resources, failed } = await discover(client, lifetime.signal);
      if (lifetime.ended) return;
      take(resources, failed);
      schedule(failed.length > 0 ? 30_000 : rediscoverSlowMs);
      await informers.synced();
      feed.markReady();
    } catch (error) {
      if (lifetime.ended) return;
      log.debug("discovery failed", { error });
      schedule(2000);
    }
  }

  /** What a silent aggregated server serves stays followed: it is not gone. */
  function take(resources: readonly DiscoveredResource[], failed: readonly string[]): void {
    const wanted = new Map(resources.filter(isCollectable).map((target) => [idOf(target), target]));
    for (const [id, { target, subscription }] of followed) {
      const silent = failed.some((version) => version.startsWith(`${target.group}/`));
      if (wanted.has(id) || silent) continue;
      subscription[Symbol.dispose]();
      if (
        resources.every(({ group, plural }) => group !== target.group || plural !== target.plural)
      ) {
        informers.drop(target);
      }
      followed.delete(id);
      served.delete(`${target.group}/${target.kind}`);
    }
    for (const target of resources) served.set(`${target.group}/${target.kind}`, target);
    for (const [id, target] of wanted) {
      if (followed.has(id)) continue;
      followed.set(id, { target, subscription: feed.follow(environment, target) });
    }
  }

  const soon = (): void => schedule(rediscoverMs);
  informers
    .of(customResourceDefinitions)
    .subscribe({ onAdd: soon, onUpdate: soon, onDelete: soon });
  informers.of(apiServices).subscribe({ onAdd: soon, onUpdate: soon, onDelete: soon });
  lifetime.defer(() => timer?.[Symbol.dispose]());
  void sync();
}

function isCollectable({ group, plural, verbs }: DiscoveredResource): boolean {
  return (
    ["delete", "list", "watch"].every((verb) => verbs.includes(verb)) &&
    !ignored.has(`${group}/${plural}`)
  );
}

function idOf({ group, version, plural }: ResourceTarget): string {
  return `${group}/${version}/${plural}`;
}
