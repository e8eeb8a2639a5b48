import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ConfigMap, configMaps } from "#api/core/v1/config-map.ts";
import type { HttpClient } from "#base/http.ts";
import { silentLogger } from "#base/log.ts";
import { serveHttp } from "#base/os/http.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import type { AuditFlags } from "#cmd/audit.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

interface Event {
  readonly level: string;
  readonly stage: string;
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username?: string; readonly groups?: readonly string[] };
  readonly impersonatedUser?: { readonly username: string };
  readonly objectRef?: Readonly<Record<string, string>>;
  readonly responseStatus?: { readonly code: number; readonly reason?: string; readonly message?: string };
  readonly requestObject?: { readonly kind: string; readonly metadata?: { readonly managedFields?: unknown }; readonly data?: unknown };
  readonly responseObject?: Event["requestObject"] & { readonly items?: readonly Event["requestObject"][] };
  readonly annotations?: Readonly<Record<string, string>>;
}

const maps = "/api/v1/namespaces/default/configmaps";

interface Audited extends AsyncDisposable {
  readonly server: TestServer;
  readonly http: HttpClient;
  ask(method: string, path: string, spec?: { body?: string; headers?: Record<string, string> }): Promise<number>;
  /** Ends the server; all that was written, by request. */
  events(): Promise<Map<string, Event[]>>;
}

async function startAudited(policy: string, flags: AuditFlags = {}): Promise<Audited> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-audit-"));
  const policyFile = join(directory, "policy.yaml");
  const logPath = join(directory, "logs", "audit.log");
  await writeFile(policyFile, `apiVersion: audit.k8s.io/v1\nkind: Policy\n${policy}`);
  const server = await startTestServer({ flags: { audit: { policyFile, logPath, ...flags } } });
  const http = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
  return {
    server,
    http,
    async ask(method, path, { body, headers = {} } = {}) {
      const response = await http.request({
        method,
        path,
        headers: { "content-type": "application/json", ...headers },
        ...(body !== undefined && { body }),
      });
      await response.readAll();
      return response.status;
    },
    async events() {
      await http[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      const lines = (await readFile(logPath, "utf8")).trimEnd().split("\n");
      return Map.groupBy(lines.map((line) => JSON.parse(line) as Event), ({ auditID }) => auditID);
    },
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

function mapOf(name: string): string {
  return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { secret: "<value>" } });
}

test("a request is written down at each stage, with as much as its level says", async () => {
  await using audited = await startAudited(`
rules:
- level: None
  users: ["system:apiserver"]
- level: None
  nonResourceURLs: ["/readyz*"]
- level: RequestResponse
  resources: [{group: "", resources: [configmaps]}]
  verbs: [create, list, get]
  omitManagedFields: true
- level: Request
  resources: [{group: "", resources: [configmaps]}]
- level: Metadata
  omitStages: [RequestReceived]
`);
  const as = (auditId: string): Record<string, string> => ({ "audit-id": auditId });
  const { ask } = audited;
  await ask("POST", maps, { body: mapOf("a"), headers: as("create") });
  await ask("GET", `${maps}/a`, { headers: { ...as("get"), accept: "application/vnd.kubernetes.protobuf" } });
  await ask("GET", `${maps}/none`, { headers: as("missing") });
  await ask("GET", maps, { headers: as("list") });
  await ask("PATCH", `${maps}/a`, { body: '{"data":\n{"b":"c"}}', headers: { ...as("patch"), "content-type": "application/merge-patch+json" } });
  await ask("DELETE", `${maps}/a`, { headers: as("delete") });
  await ask("GET", "/readyz", { headers: as("none") });
  await ask("GET", "/api/v1/namespaces", { headers: { ...as("forbidden"), "impersonate-user": "bob" } });
  await ask("GET", "/api/v1/nodes", { headers: { ...as("refused"), authorization: "Bearer wrong" } });
  const events = await audited.events();
  const at = (id: string, stage = "ResponseComplete"): Event => events.get(id)?.find((event) => event.stage === stage) as Event;

  const stages = Object.fromEntries([...events].map(([id, list]) => [id, list.map(({ stage }) => stage).join(" ")]));
  const both = "RequestReceived ResponseComplete";
  assert.deepEqual(stages, {
    create: both, get: both, missing: both, list: both, patch: both, delete: both,
    forbidden: "ResponseComplete", refused: "ResponseStarted",
  });
  const created = at("create");
  assert.deepEqual(created.objectRef, { resource: "configmaps", namespace: "default", apiVersion: "v1", name: "a" });
  assert.deepEqual([created.verb, created.level, created.responseStatus], ["create", "RequestResponse", { metadata: {}, code: 201 }]);
  assert.deepEqual([created.user.username, created.user.groups], ["admin", ["system:masters", "system:authenticated"]]);
  assert.deepEqual([created.requestObject?.kind, created.requestObject?.data], ["ConfigMap", { secret: "<value>" }]);
  assert.deepEqual([created.responseObject?.data, created.responseObject?.metadata?.managedFields], [{ secret: "<value>" }, undefined]);
  assert.deepEqual(created.annotations, { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" });
  assert.equal(at("create", "RequestReceived").requestObject, undefined);
  assert.equal(at("get").responseObject?.kind, "ConfigMap");
  assert.ok(at("list").responseObject?.items?.every((item) => item?.metadata?.managedFields === undefined));
  assert.deepEqual([at("missing").responseStatus?.reason, at("missing").responseObject?.kind], ["NotFound", "Status"]);
  assert.deepEqual([at("patch").requestObject, at("patch").responseObject], [{ data: { b: "c" } }, undefined]);
  assert.equal(at("delete").responseStatus?.code, 200);
  const { user, impersonatedUser, annotations, responseStatus } = at("forbidden");
  assert.deepEqual([user.username, impersonatedUser?.username], ["admin", "bob"]);
  assert.equal(annotations?.["authorization.k8s.io/decision"], "forbid");
  assert.deepEqual([responseStatus?.code, responseStatus?.reason], [403, "Forbidden"]);
  const refused = at("refused", "ResponseStarted");
  assert.deepEqual([refused.user, refused.responseStatus?.code, refused.requestURI], [{}, 401, "/api/v1/nodes"]);
});

test("a watch is written down when it starts and when it is over; admission adds its words", async () => {
  await using audited = await startAudited("rules:\n- level: Metadata\n  namespaces: [default]\n");
  const { ask, http } = audited;
  await ask("PATCH", "/api/v1/namespaces/default", {
    body: '{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}',
    headers: { "content-type": "application/merge-patch+json" },
  });
  const watch = await http.request({ method: "GET", path: `${maps}?watch=1&timeoutSeconds=1`, headers: { "audit-id": "watch" } });
  await watch.readAll();
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i:1" }] } };
  await ask("POST", "/api/v1/namespaces/default/pods", { body: JSON.stringify(pod), headers: { "audit-id": "pod" } });
  const events = await audited.events();
  assert.deepEqual(events.get("watch")?.map(({ stage, responseStatus }) => [stage, responseStatus?.code]), [
    ["RequestReceived", undefined],
    ["ResponseStarted", 200],
    ["ResponseComplete", 200],
  ]);
  const annotations = events.get("pod")?.at(-1)?.annotations;
  assert.equal(annotations?.["pod-security.kubernetes.io/enforce-policy"], "baseline:latest");
});

test("events are posted in batches, and tried again when the server is not well", async () => {
  const lists: { kind: string; items: Event[] }[] = [];
  let failures = 0;
  const enough = Promise.withResolvers<void>();
  const receiver = await serveHttp({
    listen: { host: "127.0.0.1", port: 0 },
    log: silentLogger,
    async onRequest(exchange) {
      const body = JSON.parse(Buffer.from(await exchange.readBody(1 << 20)).toString()) as { kind: string; items: Event[] };
      if (failures++ === 0) return exchange.respond(503, {});
      lists.push(body);
      exchange.respond(200, {});
      if (lists.flatMap(({ items }) => items).length >= 6) enough.resolve();
    },
  });
  await using _receiver = receiver;
  const directory = await mkdtemp(join(tmpdir(), "kubets-audit-webhook-"));
  const webhookConfigFile = join(directory, "webhook.yaml");
  const clusters = [{ name: "c", cluster: { server: `http://127.0.0.1:${receiver.port}/audit` } }];
  const users = [{ name: "u", user: {} }];
  const contexts = [{ name: "x", context: { cluster: "c", user: "u" } }];
  await writeFile(webhookConfigFile, JSON.stringify({ kind: "Config", apiVersion: "v1", clusters, users, contexts, "current-context": "x" }));
  {
    await using audited = await startAudited("omitStages: [RequestReceived]\nrules:\n- level: Metadata\n  users: [admin]\n  resources: [{resources: [configmaps]}]\n", {
      webhookConfigFile,
      webhookInitialBackoffMs: 1,
      webhook: { batching: { bufferMax: 100, batchMax: 3, waitMs: 30_000 } },
    });
    for (let i = 0; i < 6; i++) await audited.ask("GET", `${maps}/a${i}`);
    await enough.promise;
  }
  assert.deepEqual(lists.map(({ kind, items }) => [kind, items.length]), [["EventList", 3], ["EventList", 3]]);
  await rm(directory, { recursive: true });
});

test("calls of components in the server's process are written down too", async () => {
  await using audited = await startAudited(
    "omitStages: [RequestReceived]\nrules:\n- level: RequestResponse\n  namespaces: [default]\n  resources: [{resources: [configmaps]}]\n",
  );
  const loopback = audited.server.running.api.server.loopback;
  const scheduler = loopback.as({ name: "system:kube-scheduler", groups: ["system:authenticated"] }, "kube-scheduler/v1.36.2").resource(configMaps);
  const all = loopback.resource(configMaps);
  await all.create({ metadata: { name: "a", namespace: "default" }, data: { k: "v" } } as ConfigMap);
  await all.patch("default/a", { type: "merge", body: { data: { k: "w" } } });
  await assert.rejects(scheduler.delete("default/a"));
  const seen = Promise.withResolvers<void>();
  using watch = all.watch({ namespace: "default" }, { onEvent: () => seen.resolve(), onClosed: () => undefined });
  await seen.promise;
  watch[Symbol.dispose]();
  await all.delete("default/a");
  const events = [...(await audited.events()).values()].flat();
  const told = events.map(({ verb, stage, user, objectRef, responseStatus, requestObject }) =>
    [verb, stage, user.username, objectRef?.["name"], responseStatus?.code, JSON.stringify(requestObject?.data)].join(" "),
  );
  assert.deepEqual(told.filter((line) => !line.startsWith("watch")), [
    'create ResponseComplete system:apiserver a 201 {"k":"v"}',
    'patch ResponseComplete system:apiserver a 200 {"k":"w"}',
    "delete ResponseComplete system:kube-scheduler a 403 ",
    "delete ResponseComplete system:apiserver a 200 ",
  ]);
  assert.equal(events[0]?.requestURI, "/api/v1/namespaces/default/configmaps");
  assert.deepEqual(events.filter(({ verb }) => verb === "watch").map(({ stage }) => stage), ["ResponseStarted", "ResponseComplete"]);
  assert.equal(events.find(({ verb }) => verb === "patch")?.responseObject?.kind, "ConfigMap");
});

test("where the log is strict, a request whose event is lost is refused; else it goes on", async () => {
  for (const mode of ["blocking", "blocking-strict"] as const) {
    const directory = await mkdtemp(join(tmpdir(), "kubets-audit-strict-"));
    await using audited = await startAudited("rules:\n- level: Metadata\n  namespaces: [default]\n  resources: [{resources: [configmaps]}]\n", {
      // A directory takes no lines.
      logPath: directory,
      log: { mode },
    });
    const { http } = audited;
    const response = await http.request({ method: "GET", path: `${maps}/a` });
    const text = Buffer.from(await response.readAll()).toString();
    if (mode === "blocking") assert.equal(response.status, 404);
    else assert.deepEqual([response.status, text], [500, `Internal Server Error: "${maps}/a": failed to store audit event\n`]);
    const loopback = audited.server.running.api.server.loopback.resource(configMaps);
    const message = mode === "blocking" ? /not found/ : /failed to store audit event/;
    await assert.rejects(loopback.get("default/a"), { message });
    await rm(directory, { recursive: true });
  }
});
