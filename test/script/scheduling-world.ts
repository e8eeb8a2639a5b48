import { after, before, describe, test } from "node:test";
import { namespaces } from "#api/core/v1/namespace.ts";
import { nodes } from "#api/core/v1/node.ts";
import type { PodSpec } from "#api/core/v1/pod-spec.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { serviceAccounts } from "#api/core/v1/service-account.ts";
import { type Event, events } from "#api/events/v1/event.ts";
import { type KubeObject, keyOfObject } from "#apimachinery/object.ts";
import { canonicalQuantity } from "#apimachinery/quantity.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Client } from "#client/client.ts";
import { startCluster, type TestCluster } from "#cmd/start-cluster.ts";

/** What a scenario of scheduling works with: a cluster with simulated nodes, and a namespace of its own. */
export interface SchedulingWorld {
  readonly cluster: TestCluster;
  readonly client: Client;
  readonly namespace: string;
  /** A word that no other scenario has. */
  readonly unique: string;
  readonly nodeNames: readonly string[];
  createPod(name: string, sketch?: PodSketch): Promise<Pod>;
  /** The newest state; undefined: gone. */
  podOf(name: string, namespace?: string): Promise<Pod | undefined>;
  /** Resolves with the first state that passes, of those to come too. */
  until<T extends KubeObject>(definition: ResourceDefinition<T>, key: string, test: (object: T) => boolean): Promise<T>;
  untilGone<T extends KubeObject>(definition: ResourceDefinition<T>, key: string): Promise<void>;
  running(name: string, namespace?: string): Promise<Pod>;
  /** The scheduler gave up on it for now: its event, once that is written. */
  failed(name: string): Promise<Event>;
  /** Writes an extended resource into a node's capacity; "" takes it out. */
  offer(nodeName: string, resource: string, quantity: string): Promise<void>;
  label(nodeName: string, key: string, value: string | null): Promise<void>;
}

export type PodSketch = Partial<Omit<PodSpec, "containers">> & {
  readonly requests?: Readonly<Record<string, string>>;
  readonly ports?: PodSpec["containers"][number]["ports"];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly namespace?: string;
};

const scenarioMsMax = 30_000;

let cluster: TestCluster;
let count = 0;

/** Scenarios of one area, on one cluster; names are the conformance tests', but for ` [Conformance]`. */
export function area(name: string, scenarios: () => void): void {
  void describe(name, () => {
    before(async () => {
      cluster = await startCluster({ nodes: 3 });
    });
    after(() => cluster[Symbol.asyncDispose]());
    scenarios();
  });
}

export function scenario(title: string, script: (world: SchedulingWorld) => Promise<void>): void {
  void test(title, { timeout: scenarioMsMax }, async () => {
    const unique = `scheduling-${++count}`;
    await cluster.client.resource(namespaces).create({ metadata: { name: unique }, spec: {} });
    const world = worldOf(cluster, unique);
    await world.until(serviceAccounts, `${unique}/default`, () => true);
    try {
      await script(world);
    } finally {
      // The next scenario finds the nodes empty.
      const own = cluster.informers.of(pods).lister.list();
      await Promise.all(own.map((pod) => remove(cluster, pod)));
    }
  });
}

async function remove({ client, informers }: TestCluster, pod: Pod): Promise<void> {
  const resource = client.resource(pods);
  const key = keyOfObject(pod);
  await resource.patch(key, { type: "merge", body: { metadata: { finalizers: null } } }).catch(() => undefined);
  await resource.delete(key, { gracePeriodSeconds: 0 }).catch(() => undefined);
  await untilGone({ informers }, pods, key);
}

type WithInformers = Pick<TestCluster, "informers">;

function untilGone<T extends KubeObject>(
  { informers }: WithInformers,
  definition: ResourceDefinition<T>,
  key: string,
): Promise<void> {
  const informer = informers.of(definition);
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (informer.lister.get(key) === undefined) resolve();
  };
  const subscription = informer.subscribe({ onDelete: look });
  look();
  return promise.finally(() => subscription[Symbol.dispose]());
}

function untilSome<T extends KubeObject>(
  { informers }: WithInformers,
  definition: ResourceDefinition<T>,
  passes: (object: T) => boolean,
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const look = (object: T): void => {
    if (passes(object)) resolve(object);
  };
  const subscription = informers.of(definition).subscribe({ onAdd: look, onUpdate: look });
  return promise.finally(() => subscription[Symbol.dispose]());
}

function worldOf(within: TestCluster, namespace: string): SchedulingWorld {
  const { client, nodes: hollow } = within;
  const patchNode = async (name: string, body: object, subresource?: string): Promise<void> => {
    await client.resource(nodes).patch(name, { type: "merge", body, ...(subresource && { subresource }) });
  };
  const until: SchedulingWorld["until"] = (definition, key, passes) =>
    untilSome(within, definition, (object) => keyOfObject(object) === key && passes(object));
  return {
    cluster: within,
    client,
    namespace,
    unique: namespace,
    nodeNames: hollow.names,
    createPod: (name, sketch) => client.resource(pods).create(podOfSketch(name, namespace, sketch)),
    podOf: (name, inNamespace = namespace) =>
      client
        .resource(pods)
        .get(`${inNamespace}/${name}`)
        .catch(() => undefined),
    until,
    untilGone: (definition, key) => untilGone(within, definition, key),
    running: (name, inNamespace = namespace) =>
      until(pods, `${inNamespace}/${name}`, ({ status }) => status?.phase === "Running"),
    failed: (name) =>
      untilSome(
        within,
        events,
        ({ reason, regarding, metadata }) =>
          metadata?.namespace === namespace && reason === "FailedScheduling" && regarding?.name === name,
      ),
    async offer(nodeName, resource, quantity) {
      const offered = quantity === "" ? undefined : canonicalQuantity(quantity);
      await patchNode(nodeName, { status: { capacity: { [resource]: offered ?? null } } }, "status");
      await until(nodes, nodeName, ({ status }) => status?.allocatable?.[resource] === offered);
    },
    label: (nodeName, key, value) => patchNode(nodeName, { metadata: { labels: { [key]: value } } }),
  };
}

function podOfSketch(name: string, own: string, sketch: PodSketch = {}): Pod {
  const { requests, ports, labels, annotations, finalizers, namespace = own, ...spec } = sketch;
  const container = {
    name: "pause",
    image: "pause",
    ...(requests && { resources: { requests, limits: requests } }),
    ...(ports && { ports }),
  };
  return {
    metadata: {
      name,
      namespace,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers: [...finalizers] }),
    },
    spec: { terminationGracePeriodSeconds: 0, ...spec, containers: [container] },
  } as Pod;
}
