import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deployments } from "#api/apps/v1/deployment.ts";
import { type Lease, leases } from "#api/coordination/v1/lease.ts";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { namespaces } from "#api/core/v1/namespace.ts";
import { pods } from "#api/core/v1/pod.ts";
import { type Service, services } from "#api/core/v1/service.ts";
import { serviceAccounts } from "#api/core/v1/service-account.ts";
import { type EndpointSlice, endpointSlices } from "#api/discovery/v1/endpoint-slice.ts";
import { roleBindings } from "#api/rbac/v1/role-binding.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { isConflict, isExpired, StatusError } from "#apimachinery/status.ts";
import { systemClock } from "#base/os/clock.ts";
import type { Client, ResourceClient } from "#client/client.ts";
import { openEtcdStore } from "#store/etcd-client.ts";
import { etcdMissing } from "#store/testing/etcd-process.ts";
import { type ControlPlane, type ControlPlaneServer, startControlPlane } from "./etcd-fixture.ts";
import { endProcess } from "../../tools/end-process.ts";

const options = { skip: await etcdMissing(), timeout: 60_000 };
const resources = new AsyncDisposableStack();
let cluster: ControlPlane;
let a: ControlPlaneServer;
let b: ControlPlaneServer;
let shortLived: ControlPlaneServer;

before(async () => {
  if (options.skip !== false) return;
  cluster = resources.use(await startControlPlane({ members: 3, servers: 3 }));
  [a, b, shortLived] = cluster.servers as typeof cluster.servers & [typeof a, typeof b, typeof shortLived];
});

after(() => resources.disposeAsync());

/** The objects that a watch shows. */
class Seen<T extends KubeObject> implements Disposable {
  readonly objects: T[] = [];
  closed: { readonly error: Error | undefined } | undefined;
  readonly #watch: Disposable;
  #changed = Promise.withResolvers<void>();

  constructor(resource: ResourceClient<T>, resourceVersion: string) {
    const query = { namespace: "default", resourceVersion };
    this.#watch = resource.watch(query, {
      onEvent: (event) => {
        if (event.type !== "BOOKMARK") this.objects.push(event.object);
        this.#wake();
      },
      onClosed: (error) => {
        this.closed = { error };
        this.#wake();
      },
    });
  }

  async until(condition: (seen: this) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.closed !== undefined) throw new Error("the watch ended", { cause: this.closed.error });
      await this.#changed.promise;
    }
  }

  async untilClosed(): Promise<Error | undefined> {
    while (this.closed === undefined) await this.#changed.promise;
    return this.closed.error;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

function configMap(name: string, data: Record<string, string>): ConfigMap {
  return { metadata: { namespace: "default", name }, data };
}

/** Resolves with the object once it is as wanted. */
async function untilObject<T extends KubeObject>(
  resource: ResourceClient<T>,
  name: string,
  wanted: (object: T) => boolean,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const [namespace = "", own = ""] = name.split("/");
  using _watch = resource.watch(
    { namespace, fieldSelector: `metadata.name=${own}` },
    {
      onEvent: (event) => {
        if (event.type !== "BOOKMARK" && wanted(event.object)) resolve(event.object);
      },
      onClosed: (error) => reject(error ?? new Error("the watch ended")),
    },
  );
  return await promise;
}

/** Tries again while the API server cannot reach etcd. */
async function surely<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const { code = 0 } = error instanceof StatusError ? error.status : {};
      if (code < 500) throw error;
    }
  }
}

function addressesOf(client: Client): ResourceClient<EndpointSlice> {
  return client.resource(endpointSlices);
}

function listed({ endpoints }: EndpointSlice): readonly string[] {
  return (endpoints ?? []).flatMap(({ addresses }) => addresses);
}

test("the kubernetes Service leads to every API server; one that ends leaves at once", options, async () => {
  const wanted = cluster.servers.map(({ address }) => address);
  await untilObject(addressesOf(b.client), "default/kubernetes", (slice) => listed(slice).join() === wanted.join());
  await shortLived.stop();
  await untilObject(addressesOf(b.client), "default/kubernetes", (slice) => listed(slice).join() === wanted.slice(0, 2).join());
});

test("what one server wrote, the other reads at once and its watches see", options, async () => {
  const ofB = b.client.resource(configMaps);
  const { resourceVersion: start } = await ofB.list({ namespace: "default" });
  using watch = new Seen(ofB, start);
  for (let i = 0; i < 20; i++) {
    const made = await a.client.resource(configMaps).create(configMap(`seen-${i}`, { i: String(i) }));
    const read = await ofB.get(`default/seen-${i}`);
    assert.deepEqual(read, made);
    const { resourceVersion = "" } = made.metadata ?? {};
    const any = await ofB.list({ namespace: "default", resourceVersion, resourceVersionMatch: "NotOlderThan" });
    assert.ok(any.items.some((item) => item.metadata?.name === `seen-${i}`));
  }
  await watch.until(({ objects }) => objects.length >= 20);
  assert.deepEqual(
    watch.objects.map(({ metadata }) => metadata?.name),
    Array.from({ length: 20 }, (_, i) => `seen-${i}`),
  );
});

test("optimistic concurrency holds across servers", options, async () => {
  await a.client.resource(configMaps).create(configMap("counter", { n: "0" }));
  const increments = 25;
  const increment = async (client: Client): Promise<void> => {
    const resource = client.resource(configMaps);
    for (let i = 0; i < increments;) {
      const found = await resource.get("default/counter");
      const n = String(Number(found.data?.["n"]) + 1);
      const conflicted = await resource.update({ ...found, data: { n } }).then(
        () => false,
        (error: unknown) => {
          if (!isConflict(error)) throw error;
          return true;
        },
      );
      if (!conflicted) i++;
    }
  };
  await Promise.all([a, a, b, b].map(({ client }) => increment(client)));
  const { data } = await a.client.resource(configMaps).get("default/counter");
  assert.equal(data?.["n"], String(4 * increments));
});

test("a namespace, a token and a role of one server hold on the other at once", options, async () => {
  for (let i = 0; i < 10; i++) {
    const name = `fresh-${i}`;
    await a.client.resource(namespaces).create({ metadata: { name }, spec: {} });
    const own = { metadata: { namespace: name, name: "inside" } };
    await b.client.resource(configMaps).create({ ...own, data: {} });
    await a.client.resource(serviceAccounts).create(own);
    const { status } = await b.client.resource(serviceAccounts).createSubresource<{ status?: { token?: string } }>({
      key: `${name}/inside`,
      name: "token",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: [] } },
    });
    const review = (await a.client.raw({
      method: "POST",
      path: "/apis/authentication.k8s.io/v1/tokenreviews",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token: status?.token } },
    })) as { status?: { authenticated?: boolean; user?: { username?: string } } };
    assert.equal(review.status?.user?.username, `system:serviceaccount:${name}:inside`);
    const group = "rbac.authorization.k8s.io";
    await a.client.resource(roleBindings).create({
      metadata: { namespace: name, name: "view" },
      roleRef: { apiGroup: group, kind: "ClusterRole", name: "view" },
      subjects: [{ apiGroup: group, kind: "User", name: "jane" }],
    });
    const jane = b.client.as({ name: "jane" });
    assert.ok((await jane.resource(configMaps).list({ namespace: name })).items.length > 0);
  }
});

test("no address and no node port is given out twice", options, async () => {
  const service = (name: string, asked: { clusterIP?: string; nodePort?: number }): Service => ({
    metadata: { namespace: "default", name },
    spec: {
      type: "NodePort",
      ...(asked.clusterIP !== undefined && { clusterIP: asked.clusterIP }),
      ports: [{ port: 80, ...(asked.nodePort !== undefined && { nodePort: asked.nodePort }) }],
    } as Service["spec"],
  });
  const create = async (client: Client, object: Service): Promise<Service | undefined> => {
    try {
      return await client.resource(services).create(object);
    } catch (error) {
      assert.match(String(error), /provided (IP|port) is already allocated/);
      return undefined;
    }
  };
  const asked = Array.from({ length: 12 }, (_, i) => ({ nodePort: 30_000 + i, clusterIP: `10.96.0.${20 + i}` }));
  const samePort = asked.flatMap(({ nodePort }, i) =>
    [a, b].map(({ client, address }) => create(client, service(`port-${i}-${address.at(-1)}`, { nodePort }))),
  );
  const sameAddress = asked.flatMap(({ clusterIP }, i) =>
    [a, b].map(({ client, address }) => create(client, service(`address-${i}-${address.at(-1)}`, { clusterIP }))),
  );
  const any = Array.from({ length: 40 }, (_, i) => create((i % 2 === 0 ? a : b).client, service(`any-${i}`, {})));
  const made = (await Promise.all([...samePort, ...sameAddress, ...any])).filter((each) => each !== undefined);
  const unique = (values: readonly unknown[]): number => new Set(values).size;
  assert.equal(made.length, 12 + 12 + 40);
  assert.equal(unique(made.map(({ spec }) => spec.clusterIP)), made.length);
  assert.equal(unique(made.map(({ spec }) => spec.ports?.[0]?.nodePort)), made.length);
});

const leaseFlags = [
  ...["--leader-elect-lease-duration", "3s"],
  ...["--leader-elect-renew-deadline", "2s"],
  ...["--leader-elect-retry-period", "200ms"],
];

test("one of two controller managers and schedulers leads; the other takes over", options, async () => {
  const holder = (lease: Lease): string => lease.spec?.holderIdentity ?? "";
  const failOver = async (name: "controller-manager" | "scheduler"): Promise<void> => {
    const lease = `kube-system/kube-${name}`;
    const first = a.startComponent(name, ...leaseFlags);
    const led = await untilObject(a.client.resource(leases), lease, (each) => holder(each) !== "");
    b.startComponent(name, ...leaseFlags);
    await endProcess(first, "SIGKILL");
    const taken = await untilObject(b.client.resource(leases), lease, (each) => holder(each) !== holder(led));
    assert.equal(taken.spec?.leaseTransitions, 1);
  };
  await Promise.all([failOver("controller-manager"), failOver("scheduler")]);
  const labels = { app: "web" };
  await a.client.resource(deployments).create({
    metadata: { namespace: "default", name: "web" },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "none" }] } },
    },
  } as never);
  await untilObject(a.client.resource(deployments), "default/web", ({ status }) => status?.updatedReplicas === 3);
  const { items } = await b.client.resource(pods).list({ namespace: "default" });
  assert.equal(items.length, 3);
  const [pod] = items;
  const condition = ({ status }: (typeof items)[number]): boolean =>
    status?.conditions?.some(({ reason }) => reason === "Unschedulable") === true;
  await untilObject(b.client.resource(pods), `default/${pod?.metadata?.name}`, condition);
});

test("any etcd member may die: writes, reads and watches go on", options, async () => {
  const resource = b.client.resource(configMaps);
  const { metadata } = await resource.create(configMap("members", { round: "none" }));
  using watch = new Seen(resource, metadata?.resourceVersion ?? "");
  for (const [round, member] of cluster.etcd.members.entries()) {
    await member.kill();
    const client = (round % 2 === 0 ? a : b).client.resource(configMaps);
    await surely(() => client.patch("default/members", { type: "merge", body: { data: { round: String(round) } } }));
    const other = (round % 2 === 0 ? b : a).client.resource(configMaps);
    assert.equal((await surely(() => other.get("default/members"))).data?.["round"], String(round));
    member.start();
    await watch.until(({ objects }) => roundsOf(objects).at(-1) === String(round));
  }
  assert.deepEqual([...new Set(roundsOf(watch.objects))], ["0", "1", "2"]);
});

function roundsOf(objects: readonly ConfigMap[]): (string | undefined)[] {
  return objects.filter(({ metadata }) => metadata?.name === "members").map(({ data }) => data?.["round"]);
}

test("all etcd members restarted: any state is served meanwhile, watches miss nothing", options, async () => {
  const resource = a.client.resource(configMaps);
  const { metadata } = await resource.get("default/members");
  using watch = new Seen(resource, metadata?.resourceVersion ?? "");
  await Promise.all(cluster.etcd.members.map((member) => member.kill()));
  const cached = await resource.list({ namespace: "default", resourceVersion: "0" });
  assert.ok(cached.items.some((item) => item.metadata?.name === "members"));
  for (const member of cluster.etcd.members) member.start();
  await surely(() => resource.patch("default/members", { type: "merge", body: { data: { round: "after" } } }));
  await watch.until(({ objects }) => roundsOf(objects).at(-1) === "after");
});

test("compaction by another server: 410, with a token for the inconsistent rest", options, async () => {
  const resource = a.client.resource(configMaps);
  const first = await resource.list({ namespace: "default", limit: 10 });
  const { resourceVersion, continue: token = "" } = first;
  assert.notEqual(token, "");
  await resource.delete("default/seen-9");
  await resource.create(configMap("zz-new", {}));
  {
    await using store = await openEtcdStore({ endpoints: cluster.etcd.endpoints, clock: systemClock });
    const { revision } = await store.range({ key: "compact_rev_key" });
    const value = Buffer.from(String(revision));
    await store.txn({ compare: [], success: [{ op: "put", key: "compact_rev_key", value }] });
    await store.compact(revision);
  }
  using watch = new Seen(resource, resourceVersion);
  const ended = await watch.untilClosed();
  assert.ok(isExpired(ended), String(ended));
  const refused = await resource.list({ namespace: "default", limit: 10, continue: token }).then(
    () => assert.fail("the token still holds"),
    (error: unknown) => error,
  );
  assert.ok(refused instanceof StatusError);
  assert.equal(refused.status.code, 410);
  assert.equal(refused.status.reason, "Expired");
  const inconsistent = (refused.status.metadata as { continue?: string }).continue ?? "";
  const rest = await resource.list({ namespace: "default", limit: 500, continue: inconsistent });
  const names = [...first.items, ...rest.items].map(({ metadata }) => metadata?.name);
  assert.ok(names.includes("zz-new"));
  assert.equal(new Set(names).size, names.length);
});

test("an API server dies: its clients go on with the other, and it is listed no more", options, async () => {
  const { resourceVersion } = await a.client.resource(configMaps).list({ namespace: "default" });
  await a.client.resource(configMaps).create(configMap("last-words", {}));
  await a.crash();
  const resource = b.client.resource(configMaps);
  using watch = new Seen(resource, resourceVersion);
  await watch.until(({ objects }) => objects.some(({ metadata }) => metadata?.name === "last-words"));
  await untilObject(addressesOf(b.client), "default/kubernetes", (slice) => listed(slice).join() === b.address);
});

test("an etcd that wants certificates gets the API server's", options, async () => {
  await using secured = await startControlPlane({ members: 1, servers: 1, tls: true });
  const [server] = secured.servers;
  assert.ok(server !== undefined && secured.etcd.endpoints.every((endpoint) => endpoint.startsWith("https:")));
  const made = await server.client.resource(configMaps).create(configMap("secured", {}));
  assert.deepEqual(await server.client.resource(configMaps).get("default/secured"), made);
});
