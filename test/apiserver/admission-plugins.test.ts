import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import { type Event, events } from "#api/core/v1/event.ts";
import { type Namespace, namespaces } from "#api/core/v1/namespace.ts";
import { type Node, nodes } from "#api/core/v1/node.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { type ResourceQuota, resourceQuotas } from "#api/core/v1/resource-quota.ts";
import { silentLogger } from "#base/log.ts";
import { serveHttp } from "#base/os/http.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "./server-fixture.ts";

/** Writes files by name and hands their directory to `run`. */
async function withFiles<T>(files: Readonly<Record<string, unknown>>, run: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-admission-"));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), JSON.stringify(content));
    return await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function configuration(...plugins: object[]): object {
  return { apiVersion: "apiserver.config.k8s.io/v1", kind: "AdmissionConfiguration", plugins };
}

function podOf(name: string, image: string, more: object = {}): Pod {
  return { metadata: { name, namespace: "default" }, spec: { containers: [{ name: "c", image }], ...more } } as Pod;
}

const told = (call: Promise<unknown>): Promise<string> => call.then(() => "", (error: Error) => error.message);

function startWith(enable: readonly string[], more: TestServerOptions["flags"] = {}): Promise<TestServer> {
  return startTestServer({ flags: { enableAdmissionPlugins: enable, ...more } });
}

test("NamespaceAutoProvision makes the namespace of an object, not for a trial", async () => {
  await using server = await startWith(["NamespaceAutoProvision"]);
  const client = server.running.api.server.loopback;
  const map = (namespace: string): ConfigMap => ({ metadata: { name: "a", namespace } }) as ConfigMap;
  assert.equal(await told(client.resource(configMaps).create(map("tried"), { dryRun: true })), 'namespaces "tried" not found');
  await client.resource(configMaps).create(map("made"));
  assert.equal((await client.resource(namespaces).get("made")).status?.phase, "Active");
  assert.match(await told(client.resource(configMaps).create(map("Not_A_Name"))), /forbidden: Namespace "Not_A_Name" is invalid/);
});

test("EventRateLimit is told by a file what it lets in", async () => {
  const limits = { apiVersion: "eventratelimit.admission.k8s.io/v1alpha1", kind: "Configuration", limits: [{ type: "Namespace", qps: 1, burst: 1 }] };
  await withFiles({ "all.yaml": configuration({ name: "EventRateLimit", path: "limits.yaml" }), "limits.yaml": limits }, async (directory) => {
    await using server = await startWith(["EventRateLimit"], { admissionConfigFile: join(directory, "all.yaml") });
    const api = server.running.api.server.loopback.resource(events);
    const event = (name: string): Event =>
      ({ metadata: { name, namespace: "default" }, involvedObject: { namespace: "default" }, type: "Normal" }) as Event;
    await api.create(event("a"));
    assert.equal(await told(api.create(event("b"))), "Too many requests: limit reached on type Namespace for key default");
  });
});

test("ImagePolicyWebhook asks about images, remembers verdicts and fails open or closed", async () => {
  const asked: { spec: { containers: { image: string }[]; annotations?: object; namespace: string } }[] = [];
  await using receiver = await serveHttp({
    listen: { host: "127.0.0.1", port: 0 },
    log: silentLogger,
    async onRequest(exchange) {
      const review = JSON.parse(Buffer.from(await exchange.readBody(1 << 20)).toString()) as (typeof asked)[number];
      asked.push(review);
      const [image = ""] = review.spec.containers.map((one) => one.image);
      if (image === "broken:1") return exchange.respond(400, {});
      const status = image === "bad:1" ? { allowed: false, reason: "not signed" } : { allowed: image !== "mute:1" };
      exchange.respond(200, { "content-type": "application/json" }, JSON.stringify({ ...review, status }));
    },
  });
  const kubeconfig = {
    apiVersion: "v1", kind: "Config", "current-context": "x",
    clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${receiver.port}/images` } }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
  };
  for (const defaultAllow of [false, true]) {
    asked.length = 0;
    await withFiles({ "hook.yaml": kubeconfig }, async (directory) => {
      const policy = { kubeConfigFile: join(directory, "hook.yaml"), retryBackoff: 1, defaultAllow };
      const file = join(directory, "all.yaml");
      await writeFile(file, JSON.stringify(configuration({ name: "ImagePolicyWebhook", configuration: { imagePolicy: policy } })));
      await using server = await startWith(["ImagePolicyWebhook"], { admissionConfigFile: file });
      const api = server.running.api.server.loopback.resource(pods);
      const annotations = { "x.image-policy.k8s.io/ticket": "1", other: "2" };
      await api.create({ ...podOf("a", "good:1"), metadata: { name: "a", namespace: "default", annotations } } as Pod);
      await api.create({ ...podOf("b", "good:1"), metadata: { name: "b", namespace: "default", annotations } } as Pod);
      assert.deepEqual(asked.map(({ spec }) => spec), [
        { containers: [{ image: "good:1" }], annotations: { "x.image-policy.k8s.io/ticket": "1" }, namespace: "default" },
      ]);
      const forbidden = (name: string): string => `pods "${name}" is forbidden: `;
      assert.equal(await told(api.create(podOf("c", "bad:1"))), `${forbidden("c")}image policy webhook backend denied one or more images: not signed`);
      assert.equal(await told(api.create(podOf("d", "mute:1"))), `${forbidden("d")}one or more images rejected by webhook backend`);
      const broken = defaultAllow ? "" : `${forbidden("e")}Error contacting webhook: 400`;
      assert.equal(await told(api.create(podOf("e", "broken:1"))), broken);
    });
  }
});

test("PodSecurity has defaults and exemptions by a file", async () => {
  const security = {
    apiVersion: "pod-security.admission.config.k8s.io/v1", kind: "PodSecurityConfiguration",
    defaults: { enforce: "baseline" }, exemptions: { namespaces: ["free"], runtimeClasses: ["sandboxed"] },
  };
  await withFiles({ "all.yaml": configuration({ name: "PodSecurity", configuration: security }) }, async (directory) => {
    await using server = await startTestServer({ flags: { admissionConfigFile: join(directory, "all.yaml"), disableAdmissionPlugins: ["ServiceAccount", "RuntimeClass"] } });
    const client = server.running.api.server.loopback;
    await client.resource(namespaces).create({ metadata: { name: "free" } } as Namespace);
    const host = (namespace: string, more: object = {}): Pod => {
      const { metadata, spec } = podOf("a", "i:1", { hostNetwork: true, ...more });
      return { metadata: { ...metadata, namespace }, spec } as Pod;
    };
    const api = client.resource(pods);
    assert.equal(
      await told(api.create(host("default"))),
      'pods "a" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    );
    await api.create(host("free"));
    await api.create(host("default", { runtimeClassName: "sandboxed" }));
  });
});

test("a plugin without its configuration, and a file that is none, stop the server", async () => {
  await assert.rejects(startWith(["ImagePolicyWebhook"]), { message: 'couldn\'t init admission plugin "ImagePolicyWebhook": no config specified' });
  await assert.rejects(startWith(["EventRateLimit"]), {
    message: 'couldn\'t init admission plugin "EventRateLimit": limits: Invalid value: []: must not be empty',
  });
  await withFiles({ "all.yaml": { ...configuration(), more: 1 } }, async (directory) => {
    await assert.rejects(startWith([], { admissionConfigFile: join(directory, "all.yaml") }), {
      message: 'failed to read plugin config: strict decoding error: unknown field "more"',
    });
  });
});

test("a resize that the node can never carry out is refused", async () => {
  await using server = await startTestServer();
  const client = server.running.api.server.loopback;
  const resources = (cpu: string): object => ({ resources: { requests: { cpu, memory: "1Gi" } } });
  const makeNode = async (name: string, os: string): Promise<void> => {
    const node = await client.resource(nodes).create({ metadata: { name, labels: { "kubernetes.io/os": os } }, spec: {} } as Node);
    await client.resource(nodes).updateStatus({ ...node, status: { ...node.status, allocatable: { cpu: "2", memory: "2Gi" } } } as Node);
  };
  const resize = async (name: string, nodeName: string, cpu: string): Promise<string> => {
    const pod = podOf(name, "i:1", { nodeName });
    const container = { name: "c", image: "i:1" };
    await client.resource(pods).create({ ...pod, spec: { ...pod.spec, containers: [{ ...container, ...resources("1") }] } } as Pod);
    const body = { spec: { containers: [{ name: "c", ...resources(cpu) }] } };
    return told(client.resource(pods).patch(`default/${name}`, { type: "strategic", body, subresource: "resize" }));
  };
  await makeNode("linux", "linux");
  await makeNode("windows", "windows");
  assert.equal(await resize("a", "linux", "1500m"), "");
  assert.equal(
    await resize("b", "linux", "2500m"),
    'pods "b" is forbidden: Node didn\'t have enough allocatable resources: cpu, requested: 2500, allocatable: 2000',
  );
  assert.equal(await resize("c", "windows", "1500m"), 'pods "c" is forbidden: pod resize is only supported on linux nodes, node "windows" is "windows"');
});

test("PodNodeSelector has a default and limits by a file that is its own", async () => {
  const selectors = { podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: "zone=a", default: "zone=a,disk=ssd" } };
  await withFiles({ "all.yaml": selectors }, async (directory) => {
    await using server = await startWith(["PodNodeSelector"], { admissionConfigFile: join(directory, "all.yaml") });
    const api = server.running.api.server.loopback.resource(pods);
    const made = await api.create(podOf("a", "i:1", { nodeSelector: { disk: "ssd" } }));
    assert.deepEqual(made.spec.nodeSelector, { disk: "ssd", zone: "a" });
    assert.equal(
      await told(api.create(podOf("b", "i:1", { nodeSelector: { disk: "hdd" } }))),
      'pods "b" is forbidden: pod node label selector labels conflict with its namespace whitelist',
    );
    assert.equal(
      await told(api.create(podOf("c", "i:1", { nodeSelector: { zone: "b" } }))),
      'pods "c" is forbidden: pod node label selector conflicts with its namespace node label selector',
    );
  });
});

test("what a file limits needs a quota that covers it", async () => {
  const limits = {
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "ResourceQuotaConfiguration",
    limitedResources: [{ resource: "pods", matchContains: ["cpu"] }],
  };
  await withFiles({ "all.yaml": configuration({ name: "ResourceQuota", configuration: limits }) }, async (directory) => {
    await using server = await startTestServer({ flags: { admissionConfigFile: join(directory, "all.yaml") } });
    const client = server.running.api.server.loopback;
    const pod = (name: string, requests: object): Pod => {
      const { metadata, spec } = podOf(name, "i:1");
      return { metadata, spec: { ...spec, containers: [{ name: "c", image: "i:1", resources: { requests } }] } } as Pod;
    };
    assert.equal(
      await told(client.resource(pods).create(pod("a", { cpu: "1" }))),
      'pods "a" is forbidden: insufficient quota to consume: cpu,requests.cpu',
    );
    await client.resource(pods).create(pod("b", { memory: "1Mi" }));
    const hard = { cpu: "2", "requests.cpu": "2" };
    const quota = await client.resource(resourceQuotas).create({ metadata: { name: "q", namespace: "default" }, spec: { hard } } as ResourceQuota);
    await client.resource(resourceQuotas).updateStatus({ ...quota, status: { hard, used: { cpu: "0", "requests.cpu": "0" } } });
    await client.resource(pods).create(pod("c", { cpu: "1" }));
  });
});

test("PodTolerationRestriction has tolerations of the whole cluster by a file", async () => {
  const toleration = (key: string): object => ({ key, operator: "Exists", effect: "NoSchedule" });
  const restriction = {
    apiVersion: "podtolerationrestriction.admission.k8s.io/v1alpha1",
    kind: "Configuration",
    default: [toleration("given")],
    whitelist: ["given", "allowed"].map(toleration),
  };
  await withFiles({ "all.yaml": configuration({ name: "PodTolerationRestriction", configuration: restriction }) }, async (directory) => {
    const disableAdmissionPlugins = ["ServiceAccount", "DefaultTolerationSeconds"];
    await using server = await startWith(["PodTolerationRestriction"], { admissionConfigFile: join(directory, "all.yaml"), disableAdmissionPlugins });
    const api = server.running.api.server.loopback.resource(pods);
    const made = await api.create(podOf("a", "i:1", { tolerations: [toleration("allowed")] }));
    assert.deepEqual(made.spec.tolerations?.map(({ key }) => key), ["allowed", "given"]);
    assert.match(await told(api.create(podOf("b", "i:1", { tolerations: [toleration("other")] }))), /conflict with its namespace whitelist/);
  });
});
