import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpResponse } from "#base/http.ts";
import { ensureFlowControl } from "#apiserver/bootstrap/flow-control.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

const group = "/apis/flowcontrol.apiserver.k8s.io/v1";

/** Asks as `user`, by impersonation. */
function asker(server: TestServer): AsyncDisposable & {
  ask(method: string, path: string, spec?: { user?: string; body?: object }): Promise<HttpResponse>;
  text(path: string, user?: string): Promise<string>;
  patch(path: string, body: object): Promise<number>;
} {
  const http = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
  const ask: ReturnType<typeof asker>["ask"] = (method, path, { user, body } = {}) =>
    http.request({
      method,
      path,
      headers: {
        "content-type": "application/json",
        ...(user !== undefined && { "impersonate-user": user, "impersonate-group": "system:authenticated" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  return {
    ask,
    text: async (path, user) => Buffer.from(await (await ask("GET", path, user === undefined ? {} : { user })).readAll()).toString(),
    async patch(path, body) {
      const headers = { "content-type": "application/merge-patch+json" };
      const response = await http.request({ method: "PATCH", path, headers, body: JSON.stringify(body) });
      response.discard();
      return response.status;
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

async function created(response: HttpResponse): Promise<{ metadata: { uid: string } }> {
  const text = Buffer.from(await response.readAll()).toString();
  assert.equal(response.status, 201, text);
  return JSON.parse(text) as { metadata: { uid: string } };
}

function levelOf(name: string, limitResponse: object = { type: "Reject" }): object {
  return {
    apiVersion: "flowcontrol.apiserver.k8s.io/v1",
    kind: "PriorityLevelConfiguration",
    metadata: { name },
    spec: { type: "Limited", limited: { nominalConcurrencyShares: 1, limitResponse } },
  };
}

function schemaOf(name: string, level: string, users: readonly string[]): object {
  return {
    apiVersion: "flowcontrol.apiserver.k8s.io/v1",
    kind: "FlowSchema",
    metadata: { name },
    spec: {
      matchingPrecedence: 1000,
      priorityLevelConfiguration: { name: level },
      distinguisherMethod: { type: "ByUser" },
      rules: [
        {
          subjects: users.map((user) => ({ kind: "User", user: { name: user } })),
          nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
        },
      ],
    },
  };
}

function uidsOf({ headers }: HttpResponse): (string | undefined)[] {
  return [headers["x-kubernetes-pf-prioritylevel-uid"], headers["x-kubernetes-pf-flowschema-uid"]];
}

async function danglingOf(server: Awaited<ReturnType<typeof asker>>, name: string): Promise<unknown[]> {
  const schema = JSON.parse(await server.text(`${group}/flowschemas/${name}`)) as { status?: { conditions?: Record<string, string>[] } };
  return (schema.status?.conditions ?? []).map(({ type, status, reason, message }) => [type, status, reason, message]);
}

// test/e2e/apimachinery/flowcontrol.go: should ensure that requests can be classified by adding FlowSchema and PriorityLevelConfiguration
test("requests are classified by a schema and a level that were added", async () => {
  await using server = await startTestServer();
  await using client = asker(server);
  const level = await created(await client.ask("POST", `${group}/prioritylevelconfigurations`, { body: levelOf("testing-level") }));
  const schema = await created(
    await client.ask("POST", `${group}/flowschemas`, { body: schemaOf("testing-schema", "testing-level", ["noxu"]) }),
  );
  await server.running.api.server.settled();
  assert.deepEqual(await danglingOf(client, "testing-schema"), [
    ["Dangling", "False", "Found", 'This FlowSchema references the PriorityLevelConfiguration object named "testing-level" and it exists'],
  ]);
  const metrics = await client.text("/metrics");
  assert.match(metrics, /^apiserver_flowcontrol_nominal_limit_seats\{priority_level="testing-level"\} [1-9]/m);

  const matching = await client.ask("GET", "/version", { user: "noxu" });
  assert.deepEqual(uidsOf(matching), [level.metadata.uid, schema.metadata.uid]);
  const other = await client.ask("GET", "/version", { user: "foo" });
  const [levelUid, schemaUid] = uidsOf(other);
  assert.ok(levelUid && schemaUid && levelUid !== level.metadata.uid && schemaUid !== schema.metadata.uid);

  await client.ask("DELETE", `${group}/prioritylevelconfigurations/testing-level`);
  await server.running.api.server.settled();
  assert.deepEqual(await danglingOf(client, "testing-schema"), [
    ["Dangling", "True", "NotFound", 'This FlowSchema references the PriorityLevelConfiguration object named "testing-level" but there is no such object'],
  ]);
  assert.deepEqual(uidsOf(await client.ask("GET", "/version", { user: "noxu" })), [levelUid, schemaUid]);
});

test("dumps and metrics tell what the levels did", async () => {
  await using server = await startTestServer();
  await using client = asker(server);
  await client.text("/version", "somebody");
  const root = "/debug/api_priority_and_fairness";
  const levels = await client.text(`${root}/dump_priority_levels`);
  const rows = levels.trimEnd().split("\n").map((line) => line.split(/, +/));
  assert.deepEqual(rows[0]?.slice(0, 3), ["PriorityLevelName", "ActiveQueues", "IsIdle"]);
  assert.deepEqual(rows.slice(1).map(([name]) => name), [
    "catch-all", "exempt", "global-default", "leader-election", "node-high", "system", "workload-high", "workload-low",
  ]);
  assert.match(await client.text(`${root}/dump_queues`), /^workload-low, +127, +0, +0, +0, +0\.00000000ss, +0, +0, +0\.00000000ss$/m);
  const requests = await client.text(`${root}/dump_requests?includeRequestDetails=1`);
  assert.match(requests, /^exempt, +exempt, +-1, +-1, .*, +admin, +get, +\/debug\/api_priority_and_fairness\/dump_requests,/m);
  const metrics = await client.text("/metrics");
  assert.match(metrics, /^apiserver_flowcontrol_dispatched_requests_total\{flow_schema="global-default",priority_level="global-default"\} 1$/m);
  assert.match(metrics, /^apiserver_flowcontrol_current_executing_requests\{flow_schema="exempt",priority_level="exempt"\} 1$/m);
  assert.match(metrics, /^apiserver_flowcontrol_request_wait_duration_seconds_count\{execute="true",flow_schema="global-default",priority_level="global-default"\} 1$/m);
});

test("what was shipped comes back, unless somebody took it over", async () => {
  await using server = await startTestServer();
  await using client = asker(server);
  const levels = `${group}/prioritylevelconfigurations`;
  const sharesOf = async (name: string): Promise<unknown> => {
    const { spec, metadata } = JSON.parse(await client.text(`${levels}/${name}`)) as {
      spec: { limited: { nominalConcurrencyShares: number } };
      metadata: { annotations: Record<string, string> };
    };
    return [spec.limited.nominalConcurrencyShares, metadata.annotations["apf.kubernetes.io/autoupdate-spec"]];
  };
  const patch = async (name: string, body: object): Promise<void> => {
    const response = await client.patch(`${levels}/${name}`, body);
    assert.equal(response, 200);
  };
  const more = { spec: { limited: { nominalConcurrencyShares: 77 } } };
  await patch("workload-low", more);
  await patch("workload-high", { ...more, metadata: { annotations: { "apf.kubernetes.io/autoupdate-spec": "false" } } });
  await patch("system", { ...more, metadata: { annotations: { "apf.kubernetes.io/autoupdate-spec": null } } });
  await client.ask("DELETE", `${levels}/node-high`);
  await client.ask("DELETE", `${group}/flowschemas/catch-all`);
  const old = levelOf("shipped-once") as { metadata: object };
  const annotations = { "apf.kubernetes.io/autoupdate-spec": "true" };
  await created(await client.ask("POST", levels, { body: { ...old, metadata: { ...old.metadata, annotations } } }));
  await created(await client.ask("POST", levels, { body: levelOf("own") }));

  await ensureFlowControl(server.running.api.server.loopback);

  assert.deepEqual(await sharesOf("workload-low"), [100, "true"]);
  assert.deepEqual(await sharesOf("workload-high"), [77, "false"]);
  // Changed, and nobody said whose it is: the administrator's.
  assert.deepEqual(await sharesOf("system"), [77, "false"]);
  assert.deepEqual(await sharesOf("node-high"), [40, "true"]);
  const status = async (path: string): Promise<number> => (await client.ask("GET", path)).status;
  assert.deepEqual(
    [await status(`${group}/flowschemas/catch-all`), await status(`${levels}/shipped-once`), await status(`${levels}/own`)],
    [200, 404, 200],
  );
});
