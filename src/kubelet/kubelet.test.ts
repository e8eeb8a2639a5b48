import assert from "node:assert/strict";
import { test } from "node:test";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { startKubeletWorld } from "./testing/kubelet-world.ts";

function conditions(pod: Pod | undefined): string {
  return (pod?.status?.conditions ?? [])
    .map(({ type, status, reason }) => `${type}=${status}${reason ? `(${reason})` : ""}`)
    .join(" ");
}

function states(pod: Pod | undefined): string {
  const all = [
    ...(pod?.status?.initContainerStatuses ?? []),
    ...(pod?.status?.containerStatuses ?? []),
  ];
  return all
    .map(({ name, state, ready, restartCount }) => {
      const text = state?.running
        ? "running"
        : state?.terminated
          ? `exit ${state.terminated.exitCode}`
          : `waiting ${state?.waiting?.reason}`;
      return `${name}: ${text}${ready ? " ready" : ""}${restartCount > 0 ? ` x${restartCount}` : ""}`;
    })
    .join(", ");
}

test("a kubelet registers its node and renews its lease", async () => {
  const world = await startKubeletWorld();
  const { node } = world.kubelet;
  assert.equal(node.status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  assert.equal(node.status?.capacity?.["cpu"], "2");
  const leases = {
    group: "coordination.k8s.io",
    version: "v1",
    plural: "leases",
    kind: "Lease",
    scope: "Namespaced",
  } as const;
  const before = world.api.get(leases, "kube-node-lease/node-1") as {
    spec?: { renewTime?: string };
  };
  await world.settle(11_000);
  const after = world.api.get(leases, "kube-node-lease/node-1") as {
    spec?: { renewTime?: string };
  };
  assert.notEqual(before.spec?.renewTime, after.spec?.renewTime);
  await world.lifetime.end();
});

test("a Pod runs, becomes ready, and goes when it is deleted", async () => {
  const world = await startKubeletWorld();
  world.run("web", {});
  await world.settle();
  const pod = world.pod("web");
  assert.equal(pod?.status?.phase, "Running");
  assert.equal(states(pod), "main: running ready");
  assert.equal(
    conditions(pod),
    "PodReadyToStartContainers=True Initialized=True Ready=True ContainersReady=True PodScheduled=True",
  );
  assert.equal(pod?.status?.podIP, "10.0.0.2");
  assert.equal(pod?.status?.hostIP, "192.168.0.1");
  assert.deepEqual(world.events(), [
    'Pulled: Container image "app:1" already present on machine and can be accessed by the pod',
    "Created: Container created",
    "Started: Container started",
  ]);
  await world.delete("web");
  await world.settle();
  assert.equal(world.pod("web"), undefined);
  assert.equal(world.runtime.containers.size, 0);
  assert.equal(world.kubelet.pods.list().length, 0);
  await world.lifetime.end();
});

test("a container that crashes restarts at once, then backs off", async () => {
  const world = await startKubeletWorld({ scripts: { main: { exitAfterMs: 10, exitCode: 7 } } });
  world.run("bad", {});
  await world.settle(2000);
  const pod = world.pod("bad");
  assert.equal(states(pod), "main: waiting CrashLoopBackOff x1");
  const [status] = pod?.status?.containerStatuses ?? [];
  assert.equal(
    status?.state?.waiting?.message,
    "back-off 10s restarting failed container=main pod=bad_default(uid-bad)",
  );
  assert.equal(status?.lastState?.terminated?.exitCode, 7);
  assert.equal(pod?.status?.phase, "Running");
  await world.settle(10_000);
  assert.equal(states(world.pod("bad")), "main: waiting CrashLoopBackOff x2");
  await world.settle(120_000);
  assert.equal(states(world.pod("bad")), "main: waiting CrashLoopBackOff x4");
  await world.lifetime.end();
});

test("a Pod that completes ends Succeeded and frees its sandbox", async () => {
  const world = await startKubeletWorld({ scripts: { main: { exitAfterMs: 500 } } });
  world.run("job", { restartPolicy: "Never" });
  await world.settle(2000);
  const pod = world.pod("job");
  assert.equal(pod?.status?.phase, "Succeeded");
  assert.equal(states(pod), "main: exit 0");
  assert.equal(
    conditions(pod),
    "PodReadyToStartContainers=False Initialized=True(PodCompleted) Ready=False(PodCompleted) " +
      "ContainersReady=False(PodCompleted) PodScheduled=True",
  );
  const sandboxes = await world.runtime.runtime.listPodSandboxes();
  assert.deepEqual(
    sandboxes.map(({ state }) => state),
    [1],
  );
  await world.delete("job");
  await world.settle();
  assert.equal(world.pod("job"), undefined);
  await world.lifetime.end();
});

test("init containers run one after another, sidecars beside the rest and end last", async () => {
  const scripts = { first: { exitAfterMs: 1000 }, main: { stopMs: 1000 } };
  const world = await startKubeletWorld({ scripts });
  const image = "app:1";
  world.run("staged", {
    initContainers: [
      { name: "first", image },
      { name: "side", image, restartPolicy: "Always" },
    ],
    containers: [{ name: "main", image }],
  });
  await world.settle(500);
  assert.equal(
    states(world.pod("staged")),
    "first: running, side: waiting PodInitializing, main: waiting PodInitializing",
  );
  assert.equal(world.pod("staged")?.status?.phase, "Pending");
  await world.settle(2000);
  assert.equal(
    states(world.pod("staged")),
    "first: exit 0 ready, side: running ready, main: running ready",
  );
  await world.delete("staged");
  await world.settle(500);
  const running = [...world.runtime.containers.values()].filter(({ status }) => status.state === 1);
  assert.deepEqual(
    running.map(({ config }) => config.metadata?.name),
    ["side", "main"],
  );
  await world.settle(5000);
  assert.equal(world.pod("staged"), undefined);
  await world.lifetime.end();
});

test("an image that cannot be pulled backs off, and the Pod starts when it can", async () => {
  const world = await startKubeletWorld();
  world.runtime.missing.add("app:1");
  world.runtime.unpullable.add("app:1");
  world.run("lost", {});
  await world.settle(500);
  assert.equal(states(world.pod("lost")), "main: waiting ErrImagePull");
  await world.settle(2000);
  assert.equal(states(world.pod("lost")), "main: waiting ImagePullBackOff");
  world.runtime.unpullable.clear();
  await world.settle(10_000);
  assert.equal(states(world.pod("lost")), "main: running ready");
  await world.lifetime.end();
});

test("a Pod that is deleted before its containers started has failed, for whoever still holds it", async () => {
  const world = await startKubeletWorld();
  world.runtime.missing.add("app:1");
  world.runtime.unpullable.add("app:1");
  world.run("early", {});
  await world.settle(500);
  const held = world.pod("early") as Pod;
  world.api.seed(pods, { ...held, metadata: { ...held.metadata, finalizers: ["batch.kubernetes.io/job-tracking"] } });
  await world.delete("early");
  await world.settle(5000);
  const { status } = world.pod("early") as Pod;
  assert.equal(status?.phase, "Failed");
  assert.equal(status.containerStatuses?.[0]?.state?.terminated?.reason, "ContainerStatusUnknown");
  await world.lifetime.end();
});

test("a Pod waits for the ConfigMap that it needs, without looking for it", async () => {
  const world = await startKubeletWorld();
  const env = [{ name: "X", valueFrom: { configMapKeyRef: { name: "settings", key: "x" } } }];
  world.run("needy", { containers: [{ name: "main", image: "app:1", env }] });
  await world.settle(500);
  const [waiting] = world.pod("needy")?.status?.containerStatuses ?? [];
  assert.deepEqual(waiting?.state?.waiting, {
    reason: "CreateContainerConfigError",
    message: 'configmap "settings" not found',
  });
  const configMaps = {
    group: "",
    version: "v1",
    plural: "configmaps",
    kind: "ConfigMap",
    scope: "Namespaced",
  } as const;
  world.api.seed(configMaps, {
    metadata: { name: "settings", namespace: "default" },
    data: { x: "1" },
  } as object);
  await world.settle(500);
  assert.equal(states(world.pod("needy")), "main: running ready");
  const [container] = world.runtime.containers.values();
  assert.deepEqual(
    container?.config.envs?.find(({ key }) => key === "X"),
    { key: "X", value: "1" },
  );
  await world.lifetime.end();
});

test("a failing liveness probe restarts the container, a failing readiness probe takes it out", async () => {
  let healthy = true;
  const world = await startKubeletWorld({
    network: {
      connect: () => (healthy ? Promise.resolve() : Promise.reject(new Error("refused"))),
    },
  });
  const probe = { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 2 };
  world.run("probed", {
    containers: [
      { name: "a", image: "app:1", livenessProbe: probe },
      { name: "b", image: "app:1", readinessProbe: probe },
    ],
  });
  await world.settle(3000);
  assert.equal(states(world.pod("probed")), "a: running ready, b: running ready");
  healthy = false;
  await world.settle(1500);
  healthy = true;
  await world.settle(400);
  assert.equal(states(world.pod("probed")), "a: running ready x1, b: running");
  await world.settle(2000);
  assert.equal(states(world.pod("probed")), "a: running ready x1, b: running ready");
  assert.ok(
    world.events().includes("Killing: Container a failed liveness probe, will be restarted"),
  );
  await world.lifetime.end();
});

test("a container that its liveness probe ends time and again backs off, until its image changes", async () => {
  const world = await startKubeletWorld();
  const livenessProbe = { tcpSocket: { port: 80 }, initialDelaySeconds: 5, failureThreshold: 1 };
  const main = { name: "main", image: "app:1", livenessProbe };
  world.run("probed", { containers: [main] });
  const counts: (number | undefined)[] = [];
  for (let i = 0; i < 9; i++) {
    await world.settle(10_000);
    counts.push(world.pod("probed")?.status?.containerStatuses?.[0]?.restartCount);
  }
  // Ends 5 s after each start; the delays before the starts are 0, 0, 10, 20 and 40 s.
  assert.deepEqual(counts, [1, 2, 3, 3, 3, 4, 4, 4, 4]);
  assert.equal(states(world.pod("probed")), "main: waiting CrashLoopBackOff x4");
  world.api.seed(pods, {
    ...(world.pod("probed") as Pod),
    spec: { ...(world.pod("probed") as Pod).spec, containers: [{ ...main, image: "app:2" }] },
  });
  await world.settle();
  assert.equal(states(world.pod("probed")), "main: running ready x5");
  await world.lifetime.end();
});

test("a server that starts slowly is ready soon: asked after a second, and whenever its Pod is looked at", async () => {
  let refusals = 1;
  const connect = () => (refusals-- > 0 ? Promise.reject(new Error("refused")) : Promise.resolve());
  const world = await startKubeletWorld({ network: { connect } });
  const readinessProbe = { tcpSocket: { port: 80 }, periodSeconds: 600 };
  const spec = { containers: [{ name: "main", image: "app:1", readinessProbe }] };
  world.run("first", spec);
  await world.settle(2000);
  assert.equal(states(world.pod("first")), "main: running ready");
  refusals = 2;
  const second = world.run("second", spec);
  await world.settle(2000);
  assert.equal(states(world.pod("second")), "main: running");
  world.api.seed(pods, { ...second, status: world.pod("second")?.status, metadata: { ...second.metadata, labels: { a: "b" } } } as Pod);
  await world.settle(500);
  assert.equal(states(world.pod("second")), "main: running ready");
  await world.lifetime.end();
});

test("a Pod that ends slowly is told as unready as soon as its probe says so", async () => {
  let ready = true;
  const connect = () => (ready ? Promise.resolve() : Promise.reject(new Error("refused")));
  const world = await startKubeletWorld({ scripts: { main: { stopMs: 20_000 } }, network: { connect } });
  const readinessProbe = { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 };
  world.run("web", { containers: [{ name: "main", image: "app:1", readinessProbe }] });
  await world.settle(2000);
  await world.delete("web");
  await world.settle(3000);
  assert.equal(states(world.pod("web")), "main: running ready");
  ready = false;
  await world.settle(2000);
  assert.equal(states(world.pod("web")), "main: running");
  await world.lifetime.end();
});

test("a Pod past its deadline fails, once nothing of it runs", async () => {
  const world = await startKubeletWorld({ scripts: { main: { stopMs: 2000 } } });
  world.run("late", { activeDeadlineSeconds: 5 });
  const phase = async (ms: number): Promise<string> => {
    await world.settle(ms);
    const { status } = world.pod("late") ?? {};
    return `${status?.phase} ${status?.reason}`;
  };
  assert.equal(await phase(6000), "Running undefined");
  assert.equal(await phase(3000), "Failed DeadlineExceeded");
  await world.lifetime.end();
});

test("the end of a Pod's containers is told with its phase", async () => {
  const world = await startKubeletWorld({ scripts: { main: { stopMs: 500 } } });
  world.run("web", {});
  await world.settle();
  await world.delete("web");
  await world.settle();
  const told = world.api.requests.flatMap(({ resource, subresource, body }) =>
    `${resource}/${subresource}` === "pods/status" ? [body as Pod] : [],
  );
  assert.deepEqual(
    told.slice(-2).map((pod) => `${pod.status?.phase} ${states(pod)}`),
    ["Running main: running ready", "Succeeded main: exit 0"],
  );
  await world.lifetime.end();
});

test("a Pod that asks for too much is refused", async () => {
  const world = await startKubeletWorld();
  const resources = { requests: { cpu: "3" } };
  world.run("greedy", { containers: [{ name: "main", image: "app:1", resources }] });
  await world.settle();
  const { status } = world.pod("greedy") ?? {};
  assert.equal(status?.phase, "Failed");
  assert.equal(
    `${status?.reason}: ${status?.message}`,
    "OutOfcpu: Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000",
  );
  await world.lifetime.end();
});

test("a label that somebody gave the node a moment ago counts", async () => {
  const world = await startKubeletWorld();
  const { node } = world.kubelet;
  world.api.seed(nodes, { ...node, metadata: { ...node.metadata, labels: { ...node.metadata.labels, fresh: "yes" } } });
  await world.settle();
  world.run("choosy", { nodeSelector: { fresh: "yes" } });
  await world.settle();
  assert.equal(world.pod("choosy")?.status?.phase, "Running");
  await world.lifetime.end();
});

test("what somebody writes into the node's capacity can be had, until it is taken away", async () => {
  const world = await startKubeletWorld();
  const known = (): Node => world.api.get(nodes, "node-1") as Node;
  const { node } = world.kubelet;
  world.api.seed(nodes, { ...node, status: { ...node.status, capacity: { ...node.status?.capacity, "example.com/foo": "5" } } });
  await world.settle();
  assert.equal(known().status?.allocatable?.["example.com/foo"], "5");
  assert.equal(known().status?.capacity?.["example.com/foo"], "5");
  world.api.seed(nodes, { ...known(), status: { ...known().status, capacity: { ...node.status?.capacity } } });
  await world.settle();
  assert.equal(known().status?.allocatable?.["example.com/foo"], undefined);
  await world.lifetime.end();
});

test("a Pod from a file runs, has a mirror, and goes with the file", async () => {
  const config = { staticPodDirectory: "/etc/kubernetes/manifests" };
  const world = await startKubeletWorld({ config });
  const { files } = world.world;
  const path = "/etc/kubernetes/manifests/web.yaml";
  const manifest =
    "kind: Pod\napiVersion: v1\nmetadata: {name: web}\nspec: {containers: [{name: main, image: 'app:1'}]}\n";
  await files.write(path, manifest);
  await world.settle();
  const mirror = world.pod("web-node-1");
  assert.equal(mirror?.status?.phase, "Running");
  assert.equal(mirror?.metadata?.ownerReferences?.[0]?.kind, "Node");
  const [first] = world.runtime.containers.keys();
  world.api.remove(pods, "default/web-node-1");
  await world.settle();
  assert.equal(states(world.pod("web-node-1")), "main: running ready");
  assert.deepEqual([...world.runtime.containers.keys()], [first]);
  await files.write(path, manifest.replace("app:1", "app:2"));
  await world.settle();
  assert.equal(world.pod("web-node-1")?.spec.containers[0]?.image, "app:2");
  assert.notDeepEqual([...world.runtime.containers.keys()], [first]);
  await files.remove(path);
  await world.settle();
  assert.equal(world.pod("web-node-1"), undefined);
  assert.equal(world.runtime.containers.size, 0);
  await world.lifetime.end();
});

test("resources change in place, wait when they do not fit, and follow their restart policy", async () => {
  const world = await startKubeletWorld();
  const of = (cpu: string, memory = "64Mi") => ({
    requests: { cpu, memory },
    limits: { cpu, memory },
  });
  const resizePolicy = [{ resourceName: "memory", restartPolicy: "RestartContainer" }];
  const main = { name: "main", image: "app:1", resizePolicy };
  world.run("other", { containers: [{ name: "main", image: "app:1", resources: of("1") }] });
  world.run("sized", { containers: [{ ...main, resources: of("500m") }] });
  await world.settle();
  const resize = async (cpu: string, memory?: string): Promise<Pod | undefined> => {
    const pod = world.pod("sized");
    const generation = (pod?.metadata?.generation ?? 0) + 1;
    world.api.seed(pods, {
      ...(pod as Pod),
      metadata: { ...pod?.metadata, generation },
      spec: { ...(pod as Pod).spec, containers: [{ ...main, resources: of(cpu, memory) }] },
    });
    await world.settle();
    return world.pod("sized");
  };
  const pending = (pod: Pod | undefined) =>
    pod?.status?.conditions?.find(({ type }) => type === "PodResizePending")?.reason;

  const grown = await resize("800m");
  assert.equal(grown?.status?.containerStatuses?.[0]?.resources?.limits?.["cpu"], "800m");
  assert.equal(states(grown), "main: running ready");
  assert.equal(grown?.status?.observedGeneration, 2);
  const set = [...world.runtime.containers.values()].map(
    ({ status }) => status.resources?.linux?.cpuQuota,
  );
  assert.ok(set.includes(80_000));

  const deferred = await resize("1500m");
  assert.equal(pending(deferred), "Deferred");
  assert.equal(deferred?.status?.containerStatuses?.[0]?.allocatedResources?.["cpu"], "800m");
  assert.equal(pending(await resize("5")), "Infeasible");
  await resize("1500m");
  await world.delete("other");
  await world.settle();
  assert.equal(pending(world.pod("sized")), undefined);
  assert.equal(
    world.pod("sized")?.status?.containerStatuses?.[0]?.allocatedResources?.["cpu"],
    "1500m",
  );

  assert.equal(states(await resize("1500m", "128Mi")), "main: running ready x1");
  // Restarts that were wished for are no crashes: the second one does not wait either.
  assert.equal(states(await resize("1500m", "64Mi")), "main: running ready x2");
  await world.lifetime.end();
});

test("a container keeps the memory that it uses, and a resize that failed can be taken back", async () => {
  const world = await startKubeletWorld({ scripts: { main: { memoryBytes: 50 * 2 ** 20 } } });
  const spec = (memory: string) => ({
    containers: [{ name: "main", image: "app:1", resources: { limits: { memory }, requests: { memory } } }],
  });
  world.run("sized", spec("64Mi"));
  await world.settle();
  const resize = async (memory: string): Promise<string> => {
    const pod = world.pod("sized") as Pod;
    world.api.seed(pods, { ...pod, spec: { ...pod.spec, ...spec(memory) } });
    await world.settle();
    const { status } = world.pod("sized") ?? {};
    const problem = status?.conditions?.find(({ type }) => type === "PodResizeInProgress")?.message;
    return `${status?.containerStatuses?.[0]?.resources?.limits?.["memory"]} ${problem ?? ""}`;
  };
  assert.equal(await resize("56Mi"), "56Mi ");
  assert.equal(
    await resize("32Mi"),
    '56Mi cannot decrease memory limits: attempting to set container "main" memory limit (33554432) below current usage (52428800)',
  );
  assert.equal(await resize("56Mi"), "56Mi ");
  await world.lifetime.end();
});

test("a Pod goes on when a ConfigMap that it mounts is deleted", async () => {
  const configMaps = {
    group: "",
    version: "v1",
    plural: "configmaps",
    kind: "ConfigMap",
    scope: "Namespaced",
  } as const;
  const seed = (text: string) =>
    world.api.seed(configMaps, {
      metadata: { name: "settings", namespace: "default" },
      data: { key: text },
    } as object);
  const world = await startKubeletWorld({ scripts: { main: { exitAfterMs: 60_000 } } });
  seed("old");
  world.run("mounted", { volumes: [{ name: "v", configMap: { name: "settings" } }] });
  await world.settle();
  const path = "/run/kubelet/uid-mounted/kubernetes.io~configmap/v/key";
  assert.equal(await world.world.files.readText(path), "old");
  world.api.remove(configMaps, "default/settings");
  await world.settle(70_000);
  assert.equal(await world.world.files.readText(path), "old");
  assert.equal(states(world.pod("mounted")), "main: running ready x1");
  seed("new");
  await world.settle();
  assert.equal(await world.world.files.readText(path), "new");
  await world.lifetime.end();
});
