import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { openContainerRuntime } from "#kubelet/cri/containerd.ts";
import { nodeObstacle, startTestNode, testImage, type TestNode } from "./node-fixture.ts";

const obstacle = await nodeObstacle();
const skip = obstacle ?? false;
const options = { skip, timeout: 60_000 };
let node: TestNode;

before(async () => {
  if (obstacle === undefined) node = await startTestNode(1);
});

after(async () => {
  if (obstacle === undefined) await node[Symbol.asyncDispose]();
});

function run(
  name: string,
  script: string,
  spec: Partial<Pod["spec"]> = {},
  container: object = {},
): Pod {
  return node.api.seed<Pod>(pods, {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name, namespace: "default", uid: node.world.random.uuid(), generation: 1 },
    spec: {
      nodeName: "t1",
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 5,
      ...spec,
      containers: [
        {
          name: "main",
          image: testImage,
          command: ["sh", "-c", script],
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
          ...container,
        },
      ],
    },
    status: { phase: "Pending" },
  });
}

async function ended(name: string): Promise<Pod> {
  const over = (pod: Pod | undefined): boolean =>
    pod?.status?.phase === "Succeeded" || pod?.status?.phase === "Failed";
  const pod = await node.until<Pod>(pods, `default/${name}`, over);
  assert.ok(pod);
  return pod;
}

/** The text that the container printed. */
async function output(pod: Pod): Promise<string> {
  const directory = `default_${pod.metadata?.name}_${pod.metadata?.uid}`;
  const log = await node.world.files.readText(
    join(node.directory, "pods", directory, "main/0.log"),
  );
  return log.replaceAll(/^\S+ \S+ F /gm, "");
}

async function remove(name: string): Promise<void> {
  await node.client.resource(pods).delete(`default/${name}`);
  await node.until<Pod>(pods, `default/${name}`, (pod) => pod === undefined);
}

test("a Pod runs to its end, and says how", options, async () => {
  run("once", "echo hello; echo last words >/dev/termination-log; exit 3");
  const pod = await ended("once");
  const [status] = pod.status?.containerStatuses ?? [];
  assert.equal(status?.state?.terminated?.exitCode, 3);
  assert.equal(status?.state?.terminated?.message, "last words\n");
  assert.match(pod.status?.podIP ?? "", /^10\.244\.1\./);
  assert.equal(await output(pod), "hello\n");
  await remove("once");
});

test("volumes, environment, hosts and limits reach the container", options, async () => {
  node.api.seed(configMaps, {
    metadata: { name: "settings", namespace: "default" },
    data: { key: "value" },
  });
  const script = `
cat /config/key /hidden/key; echo
echo "$NAME $FROM $SUM"
grep -c "$(hostname)" /etc/hosts
grep nameserver /etc/resolv.conf
cat /sub/key; echo
stat -c %a /scratch /memory
grep -c " /memory tmpfs" /proc/mounts
cat /sys/fs/cgroup/memory/memory.limit_in_bytes
id -u; id -G
cat /pod/labels; echo`;
  const pod = run(
    "full",
    script,
    {
      securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000 },
      hostname: "myhost",
      volumes: [
        { name: "config", configMap: { name: "settings" } },
        { name: "all", projected: { sources: [{ configMap: { name: "settings" } }] } },
        { name: "scratch", emptyDir: {} },
        { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        {
          name: "pod",
          downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.name" } }] },
        },
      ],
    },
    {
      resources: {
        limits: { cpu: "100m", memory: "64Mi" },
        requests: { cpu: "100m", memory: "64Mi" },
      },
      env: [
        { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "FROM", valueFrom: { configMapKeyRef: { name: "settings", key: "key" } } },
        { name: "SUM", value: "$(NAME)+$(FROM)+$(NONE)" },
      ],
      volumeMounts: [
        { name: "config", mountPath: "/config" },
        { name: "all", mountPath: "/hidden" },
        { name: "config", mountPath: "/sub/key", subPath: "key" },
        { name: "scratch", mountPath: "/scratch" },
        { name: "memory", mountPath: "/memory" },
        { name: "pod", mountPath: "/pod" },
      ],
    },
  );
  assert.ok(pod);
  const over = await ended("full");
  assert.equal(
    await output(over),
    `valuevalue
full value full+value+$(NONE)
1
nameserver 10.96.0.10
value
2777
2777
1
67108864
1000
2000 3000
full
`,
  );
  assert.equal(over.status?.qosClass, "Guaranteed");
  await remove("full");
});

test("a changed ConfigMap reaches a running container", options, async () => {
  node.api.seed(configMaps, {
    metadata: { name: "live", namespace: "default" },
    data: { key: "old" },
  });
  const volumes = [{ name: "config", configMap: { name: "live" } }];
  const script = "until grep -q new /config/key; do sleep 0.1; done";
  const mounts = { volumeMounts: [{ name: "config", mountPath: "/config" }] };
  run("live", script, { volumes }, mounts);
  await node.until<Pod>(pods, "default/live", (pod) => pod?.status?.phase === "Running");
  node.api.seed(configMaps, {
    metadata: { name: "live", namespace: "default" },
    data: { key: "new" },
  });
  assert.equal((await ended("live")).status?.phase, "Succeeded");
  await remove("live");
});

test("deletion runs the preStop hook, sends SIGTERM, and leaves nothing", options, async () => {
  const script = "trap 'echo term; exit 0' TERM; while :; do sleep 0.1; done";
  const lifecycle = { preStop: { exec: { command: ["sh", "-c", "echo hook >/proc/1/fd/1"] } } };
  const pod = run("ending", script, { restartPolicy: "Always" }, { lifecycle });
  await node.until<Pod>(pods, "default/ending", (each) => each?.status?.phase === "Running");
  const terminated = node.until<Pod>(
    pods,
    "default/ending",
    (each) =>
      each === undefined || each.status?.containerStatuses?.[0]?.state?.terminated !== undefined,
  );
  await node.client.resource(pods).delete("default/ending");
  assert.equal((await terminated)?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 0);
  await node.until<Pod>(pods, "default/ending", (each) => each === undefined);
  await node.kubelet.pods.byUid(pod.metadata?.uid ?? "")?.remove(pod);
  assert.deepEqual(await node.containerd.runtime.runtime.listContainers(), []);
  const { stdout } = await node.world.processes.run("sh", [
    "-c",
    "find /sys/fs/cgroup -path '*kubets-e2e-t1*' -name 'pod*'",
  ]);
  assert.equal(stdout, "");
});

test("containers outlive the kubelet, which takes them over", options, async () => {
  run("stays", "sleep 1000", { restartPolicy: "Always" });
  const running = await node.until<Pod>(
    pods,
    "default/stays",
    (pod) => pod?.status?.phase === "Running",
  );
  const id = running?.status?.containerStatuses?.[0]?.containerID ?? "";
  await node.restartKubelet();
  const labels = { "io.kubernetes.pod.name": "stays" };
  const [container] = await node.containerd.runtime.runtime.listContainers(labels);
  assert.equal(`containerd://${container?.id}`, id);
  await node.containerd.runtime.runtime.stopContainer(container?.id ?? "", 0);
  const restarted = await node.until<Pod>(
    pods,
    "default/stays",
    (pod) =>
      (pod?.status?.containerStatuses?.[0]?.restartCount ?? 0) === 1 &&
      pod?.status?.containerStatuses?.[0]?.state?.running !== undefined,
  );
  assert.notEqual(restarted?.status?.containerStatuses?.[0]?.containerID, id);
  await remove("stays");
});

test(
  "a resize changes the cgroups of the container and the Pod, and restarts nothing",
  options,
  async () => {
    const of = (cpu: string, memory: string) => ({
      requests: { cpu, memory },
      limits: { cpu, memory },
    });
    const pod = run(
      "sized",
      "sleep 1000",
      { terminationGracePeriodSeconds: 0 },
      { resources: of("100m", "64Mi") },
    );
    await node.until<Pod>(pods, "default/sized", (each) => each?.status?.phase === "Running");
    const current = node.api.get(pods, "default/sized") as Pod;
    const [container] = current.spec.containers;
    node.api.seed<Pod>(pods, {
      ...current,
      metadata: { ...current.metadata, generation: 2 },
      spec: {
        ...current.spec,
        containers: [{ ...container, name: "main", resources: of("300m", "128Mi") }],
      },
    });
    const resized = await node.until<Pod>(
      pods,
      "default/sized",
      (each) => each?.status?.containerStatuses?.[0]?.resources?.limits?.["memory"] === "128Mi",
    );
    assert.equal(resized?.status?.containerStatuses?.[0]?.restartCount, 0);
    const id = resized?.status?.containerStatuses?.[0]?.containerID?.split("//")[1] ?? "";
    const script =
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us";
    const { stdout } = await node.containerd.runtime.runtime.execSync(id, ["sh", "-c", script], 5);
    assert.equal(Buffer.from(stdout).toString(), "134217728\n30000\n");
    const cgroup = `/sys/fs/cgroup/memory/kubets-e2e-t1/pod${pod.metadata?.uid}/memory.limit_in_bytes`;
    assert.equal(await node.world.files.readText(cgroup), "134217728\n");
    await remove("sized");
  },
);

test("an image can be a volume", options, async () => {
  const volumes = [{ name: "files", image: { reference: testImage, pullPolicy: "IfNotPresent" } }];
  const script =
    "head -1 /files/etc/passwd; touch /files/x 2>/dev/null || echo read-only; ls /part";
  const volumeMounts = [
    { name: "files", mountPath: "/files" },
    { name: "files", mountPath: "/part", subPath: "var" },
  ];
  run("imaged", script, { volumes }, { volumeMounts });
  const text = await output(await ended("imaged"));
  assert.match(text, /^root:x:0:0/);
  assert.match(text, /read-only\nrun\n$/);
  await remove("imaged");
});

test("a container that is killed for memory says so", options, async () => {
  const resources = { limits: { memory: "20Mi" }, requests: { memory: "20Mi" } };
  run("hungry", "dd if=/dev/zero of=/dev/null bs=100M count=1", {}, { resources });
  const told = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0]?.state?.terminated;
  const pod = await node.until<Pod>(
    pods,
    "default/hungry",
    (each) => told(each)?.reason === "OOMKilled",
  );
  assert.equal(told(pod)?.exitCode, 137);
  await remove("hungry");
});

test("a containerd that dies comes back, and finds its containers running", options, async () => {
  run("survivor", "sleep 1000", { restartPolicy: "Always", terminationGracePeriodSeconds: 0 });
  const before = await node.until<Pod>(
    pods,
    "default/survivor",
    (each) => each?.status?.phase === "Running",
  );
  const record = await node.world.files.readText("/run/kubets-e2e-t1/containerd.json");
  const { pid } = JSON.parse(record) as { pid: number };
  const kill = `kill -9 $(pgrep -P $(pgrep -P ${pid}) -x containerd)`;
  assert.equal((await node.world.processes.run("sh", ["-c", kill])).code, 0);
  // The kubelet hears of the end of the stream, and goes on when there is another one.
  await using runtime = await openContainerRuntime(node.containerd.socketPath, node.world);
  const labels = { "io.kubernetes.pod.name": "survivor" };
  const [container] = await runtime.runtime.listContainers(labels);
  assert.equal(
    `containerd://${container?.id}`,
    before?.status?.containerStatuses?.[0]?.containerID,
  );
  await runtime.runtime.stopContainer(container?.id ?? "", 0);
  await node.until<Pod>(
    pods,
    "default/survivor",
    (each) => each?.status?.containerStatuses?.[0]?.restartCount === 1,
  );
  await remove("survivor");
});

test("a container that starts again sees what its subPath leads to now", options, async () => {
  const metadata = { name: "moved", namespace: "default" };
  node.api.seed(configMaps, { metadata, data: { key: "old" } });
  const script =
    "grep -q new /sub/key || { until grep -q new /config/key; do sleep 0.1; done; exit 1; }";
  const spec = {
    volumes: [{ name: "config", configMap: { name: "moved" } }],
    restartPolicy: "OnFailure",
  };
  const volumeMounts = [
    { name: "config", mountPath: "/config" },
    { name: "config", mountPath: "/sub/key", subPath: "key" },
  ];
  run("moved", script, spec, { volumeMounts });
  await node.until<Pod>(pods, "default/moved", (pod) => pod?.status?.phase === "Running");
  node.api.seed(configMaps, { metadata, data: { key: "new" } });
  const over = await ended("moved");
  assert.equal(over.status?.phase, "Succeeded");
  assert.equal(over.status?.containerStatuses?.[0]?.restartCount, 1);
  await remove("moved");
});
