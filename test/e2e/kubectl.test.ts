import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { clusterObstacle, httpGet, startCluster, type TestCluster, tryRun } from "./cluster-fixture.ts";

const obstacle = await clusterObstacle();
const options = { skip: obstacle ?? false, timeout: 120_000 };
let cluster: TestCluster;
const k = (...args: string[]): Promise<string> => cluster.kubectl(...args);
const image = "kubets.local/hello:1";

before(async () => {
  if (obstacle !== undefined) return;
  cluster = await startCluster();
  await k("create", "deployment", "web", `--image=${image}`, "--replicas=2", "--port=8080");
  await k("expose", "deployment", "web", "--port=80", "--target-port=8080");
  await k("rollout", "status", "deployment/web", "--timeout=60s");
});

after(async () => {
  if (obstacle === undefined) await cluster[Symbol.asyncDispose]();
});

async function podName(): Promise<string> {
  return k("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}");
}

test("get: wide, yaml, jsonpath, names, watch", options, async () => {
  assert.match(await k("get", "pods", "-o", "wide"), /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nweb-/);
  assert.match(await k("get", "deployment", "web", "-o", "yaml"), /^apiVersion: apps\/v1\nkind: Deployment/);
  assert.equal(await k("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"), "2");
  assert.equal(await k("get", "service", "web", "-o", "name"), "service/web\n");
  assert.match(await cluster.kubectlUntil(/web.*\n.*web/, "get", "pods", "-w"), /Running/);
  assert.match(await k("get", "all"), /replicaset.apps\/web-/);
});

test("describe shows events and conditions", options, async () => {
  const text = await k("describe", "pod", await podName());
  assert.match(text, /Ready +True/);
  for (const reason of ["Scheduled", "Pulled", "Created", "Started"]) assert.match(text, new RegExp(`Normal +${reason}`));
  assert.match(await k("describe", "node", "kubets"), /Allocated resources/);
  assert.match(await k("describe", "deployment", "web"), /ScalingReplicaSet/);
});

test("logs, logs -f, exec, exec -it, attach to a shell", options, async () => {
  await k("run", "talk", "--image=docker.io/library/busybox:latest", "--image-pull-policy=IfNotPresent", "--restart=Never",
    "--", "sh", "-c", "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.2; done");
  await k("wait", "--for=condition=Ready", "pod/talk", "--timeout=60s");
  assert.match(await cluster.kubectlUntil(/line 3/, "logs", "-f", "talk"), /line 0\nline 1/);
  assert.match(await k("logs", "talk", "--tail=1"), /^line \d+\n$/);
  assert.equal(await k("exec", "talk", "--", "sh", "-c", "echo out; exit 0"), "out\n");
  const failed = await cluster.tryKubectl("exec", "talk", "--", "sh", "-c", "exit 3");
  assert.match(failed.stderr, /command terminated with exit code 3/);
  const shell = await tryRun("script", ["-qec", `./kubets kubectl --data-dir ${cluster.directory} exec -it talk -- sh -c 'tty; stty size'`, "/dev/null"]);
  assert.match(shell.stdout, /\/dev\/pts\/\d/);
  const piped = await cluster.kubectlWith({ input: "through the pipe" }, "exec", "-i", "talk", "--", "cat");
  assert.equal(piped, "through the pipe");
});

test("cp brings a file there and back", options, async () => {
  const from = join(cluster.directory, "from.txt");
  const back = join(cluster.directory, "back.txt");
  writeFileSync(from, "content".repeat(10_000));
  await k("cp", from, "talk:/tmp/file.txt");
  await k("cp", "talk:/tmp/file.txt", back);
  assert.equal(readFileSync(back, "utf8"), readFileSync(from, "utf8"));
});

test("port-forward to a Pod and to a Service", options, async () => {
  for (const target of [await podName(), "service/web"]) {
    const remote = target.startsWith("service") ? "80" : "8080";
    using _forward = await cluster.startKubectl(/Forwarding from/, "port-forward", target, `18888:${remote}`);
    assert.match(await httpGet("http://127.0.0.1:18888/"), /^hello from web-/);
  }
});

test("scale, rollout status, restart, history, undo, pause", options, async () => {
  await k("scale", "deployment/web", "--replicas=3");
  await k("rollout", "status", "deployment/web", "--timeout=60s");
  assert.equal(await k("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"), "3");
  await k("set", "env", "deployment/web", "COLOR=blue");
  await k("rollout", "status", "deployment/web", "--timeout=60s");
  assert.match(await k("rollout", "history", "deployment/web"), /\n2 /);
  await k("rollout", "undo", "deployment/web");
  await k("rollout", "status", "deployment/web", "--timeout=60s");
  assert.equal(await k("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].env}"), "");
  await k("rollout", "restart", "deployment/web");
  await k("rollout", "status", "deployment/web", "--timeout=60s");
});

test("apply, apply --server-side, diff, edit", options, async () => {
  const file = join(cluster.directory, "config.yaml");
  const manifest = (color: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: paint\ndata:\n  color: ${color}\n`;
  writeFileSync(file, manifest("red"));
  assert.match(await k("apply", "-f", file), /created/);
  assert.match(await k("apply", "-f", file), /unchanged/);
  writeFileSync(file, manifest("green"));
  const diff = await cluster.tryKubectl("diff", "-f", file);
  assert.equal(diff.code, 1);
  assert.match(diff.stdout, /\+ +color: green/);
  assert.match(await k("apply", "--server-side", "--force-conflicts", "-f", file), /serverside-applied/);
  const other = await cluster.kubectlWith({ input: manifest("blue") }, "apply", "--server-side", "--field-manager=other",
    "--force-conflicts", "-f", "-");
  assert.match(other, /serverside-applied/);
  const conflict = await cluster.tryKubectl("apply", "--server-side", "-f", file);
  assert.match(conflict.stderr, /conflict with "other": \.data\.color/);
  const editor = "sed -i s/blue/violet/";
  assert.match(await cluster.kubectlWith({ env: { KUBE_EDITOR: editor } }, "edit", "configmap", "paint"), /edited/);
  assert.equal(await k("get", "configmap", "paint", "-o", "jsonpath={.data.color}"), "violet");
});

test("patch of each type, label, annotate", options, async () => {
  const replicas = ["get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"];
  await k("patch", "deployment", "web", "-p", '{"spec":{"replicas":2}}');
  assert.equal(await k(...replicas), "2");
  await k("patch", "deployment", "web", "--type=merge", "-p", '{"spec":{"replicas":4}}');
  assert.equal(await k(...replicas), "4");
  await k("patch", "deployment", "web", "--type=json", "-p", '[{"op":"replace","path":"/spec/replicas","value":1}]');
  assert.equal(await k(...replicas), "1");
  await k("label", "deployment", "web", "tier=front");
  assert.match(await k("get", "deployment", "-l", "tier=front"), /web/);
  await k("annotate", "deployment", "web", "note=hi");
  assert.equal(await k("get", "deployment", "web", "-o", "jsonpath={.metadata.annotations.note}"), "hi");
});

test("wait, delete", options, async () => {
  await k("wait", "--for=condition=Available", "deployment/web", "--timeout=60s");
  await k("delete", "pod", "talk", "--grace-period=1");
  assert.match((await cluster.tryKubectl("get", "pod", "talk")).stderr, /pods "talk" not found/);
  await k("create", "namespace", "gone");
  await k("create", "configmap", "in-it", "-n", "gone");
  await k("delete", "namespace", "gone", "--timeout=60s");
  assert.match((await cluster.tryKubectl("get", "namespace", "gone")).stderr, /NotFound/);
});

test("explain, api-resources, api-versions, auth can-i, top", options, async () => {
  assert.match(await k("explain", "deployment.spec.strategy"), /rollingUpdate.*\n +Settings of RollingUpdate\./);
  const resources = await k("api-resources");
  for (const line of [/^pods +po +v1 +true +Pod$/m, /^deployments +deploy +apps\/v1 +true +Deployment$/m]) assert.match(resources, line);
  assert.match(await k("api-versions"), /^rbac.authorization.k8s.io\/v1$/m);
  assert.equal(await k("auth", "can-i", "create", "pods"), "yes\n");
  const denied = await cluster.tryKubectl("auth", "can-i", "list", "secrets", "--as=system:serviceaccount:default:default");
  assert.equal(denied.stdout, "no\n");
  assert.match(await k("auth", "whoami"), /kubernetes-admin/);
  assert.match((await cluster.tryKubectl("top", "nodes")).stderr, /Metrics API not available/);
});

test("create job, secret, role, rolebinding", options, async () => {
  await k("create", "job", "once", `--image=${image}`, "--", "echo", "done");
  await k("wait", "--for=condition=Complete", "job/once", "--timeout=60s");
  assert.equal(await k("logs", "job/once"), "done\n");
  await k("create", "secret", "generic", "hidden", "--from-literal=a=b");
  assert.equal(await k("get", "secret", "hidden", "-o", "jsonpath={.data.a}"), "Yg==");
  await k("create", "role", "reader", "--verb=get,list", "--resource=pods");
  await k("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:default");
  assert.equal(await k("auth", "can-i", "list", "pods", "--as=system:serviceaccount:default:default"), "yes\n");
});
