import assert from "node:assert/strict";
import { connect, type ClientHttp2Stream } from "node:http2";
import { test } from "node:test";
import { annotationsBytesMax } from "#apimachinery/validation/object-meta.ts";
import { jsonPatchOperationsMax } from "#apimachinery/json-patch.ts";
import { requestBodyBytesMax } from "#apiserver/http/frontend.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { jsonDepthMax } from "#wire/json.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Record<string, string>;
}

interface Told {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** Of a Status. */
  readonly message: string;
  readonly reason: string;
}

function opener({ port, token }: TestServer, http1Only = false): AsyncDisposable & { ask(ask: Ask): Promise<Told> } {
  const http = createHttpClient({ baseUrl: `https://127.0.0.1:${port}`, tls: { insecure: true }, token, http1Only });
  return {
    async ask({ method, path, body, contentType = "application/json", headers = {} }) {
      const response = await http.request({ method, path, headers: { "content-type": contentType, ...headers }, ...(body && { body }) });
      const text = Buffer.from(await response.readAll()).toString();
      const status = (text.startsWith("{") ? JSON.parse(text) : {}) as { message?: string; reason?: string };
      return { code: response.status, headers: response.headers, text, message: status.message ?? "", reason: status.reason ?? "" };
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

const maps = "/api/v1/namespaces/default/configmaps";

function mapOf(name: string, metadata: object = {}, data: object = {}): string {
  return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data });
}

test("what is too large is refused with upstream's words", async () => {
  await using server = await startTestServer();
  await using client = opener(server);
  await using client1 = opener(server, true);
  assert.equal((await client.ask({ method: "POST", path: maps, body: mapOf("there") })).code, 201);

  const tooLong = { code: 413, reason: "RequestEntityTooLarge", message: `Request entity too large: limit is ${requestBodyBytesMax}` };
  const padded = mapOf("large", {}, { a: "x".repeat(requestBodyBytesMax) });
  for (const asked of [client, client1]) {
    const told = await asked.ask({ method: "POST", path: maps, body: padded });
    assert.deepEqual({ code: told.code, reason: told.reason, message: told.message }, tooLong);
  }
  const patched = await client.ask({ method: "PATCH", path: `${maps}/there`, body: padded, contentType: "application/merge-patch+json" });
  assert.deepEqual({ code: patched.code, message: patched.message }, { code: 413, message: tooLong.message });

  const operations = Array.from({ length: jsonPatchOperationsMax + 1 }, () => ({ op: "test", path: "/kind", value: "ConfigMap" }));
  const contentType = "application/json-patch+json";
  const many = await client.ask({ method: "PATCH", path: `${maps}/there`, body: JSON.stringify(operations), contentType });
  assert.deepEqual([many.code, many.message], [
    413,
    `Request entity too large: The allowed maximum operations in a JSON patch is ${jsonPatchOperationsMax}, got ${jsonPatchOperationsMax + 1}`,
  ]);
  const most = await client.ask({ method: "PATCH", path: `${maps}/there`, body: JSON.stringify(operations.slice(1)), contentType });
  assert.equal(most.code, 200);

  const deep = `{"a":${"[".repeat(jsonDepthMax + 1)}${"]".repeat(jsonDepthMax + 1)}}`;
  const nested = await client.ask({ method: "POST", path: maps, body: deep });
  assert.equal(nested.code, 400);
  assert.match(nested.message, /exceeded max depth/);

  const value = "x".repeat(annotationsBytesMax);
  const annotated = await client.ask({ method: "POST", path: maps, body: mapOf("annotated", { annotations: { a: value } }) });
  assert.deepEqual([annotated.code, annotated.message], [
    422,
    `ConfigMap "annotated" is invalid: metadata.annotations: Too long: may not be more than ${annotationsBytesMax} bytes`,
  ]);
  const fitting = await client.ask({ method: "POST", path: maps, body: mapOf("fitting", { annotations: { a: value.slice(1) } }) });
  assert.equal(fitting.code, 201);
  const labelled = await client.ask({ method: "POST", path: maps, body: mapOf("labelled", { labels: { a: "x".repeat(64) } }) });
  assert.deepEqual([labelled.code, /must be no more than 63 bytes/.test(labelled.message)], [422, true], labelled.message);
});

test("a request's line and headers have 1 MiB", async () => {
  await using server = await startTestServer();
  await using client1 = opener(server, true);
  const long = await client1.ask({ method: "GET", path: `/version?a=${"x".repeat(1 << 20)}` });
  assert.deepEqual([long.code, long.text], [431, "431 Request Header Fields Too Large"]);
  const fitting = await client1.ask({ method: "GET", path: `/version?a=${"x".repeat(1000 * 1000)}` });
  assert.equal(fitting.code, 200);
});

test("a timeout that is none is refused", async () => {
  await using server = await startTestServer();
  await using client = opener(server);
  const told = await client.ask({ method: "GET", path: `${maps}?timeout=soon` });
  assert.deepEqual([told.code, told.message], [
    400,
    'invalid timeout specified in the request URL - time: invalid duration "soon"',
  ]);
});

interface Held extends Disposable {
  /** Holds one more place: a request whose body does not end. */
  hold(): void;
  /** Ends all bodies, and waits for the answers. */
  letGo(): Promise<void>;
}

function holder({ port, token }: TestServer, user: string): Held {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  const streams: ClientHttp2Stream[] = [];
  const headers = {
    ":method": "POST",
    ":path": maps,
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "impersonate-user": user,
    "impersonate-group": "system:authenticated",
  };
  return {
    hold() {
      const stream = session.request(headers);
      stream.on("error", () => {});
      stream.write(" ");
      streams.push(stream);
    },
    async letGo() {
      // Who was refused has gone already.
      const open = streams.filter(({ closed }) => !closed);
      const ended = open.map((stream) => new Promise<void>((resolve) => void stream.once("close", resolve)));
      for (const stream of open) stream.resume().end("{");
      await Promise.all(ended);
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}

const tooMany = "Too many requests, please try again later.\n";

/** Makes `noisy` hold places until somebody is refused. */
async function heldUntilRefused(held: Held, ask: () => Promise<Told>): Promise<Told> {
  for (let i = 0; i < 60; i++) {
    held.hold();
    const told = await ask();
    if (told.code === 429) return told;
  }
  throw new Error("nobody was refused");
}

test("a priority level without room refuses with 429, and others do not notice", async () => {
  await using server = await startTestServer();
  await using client = opener(server);
  using held = holder(server, "noisy");
  const as = (user: string): Ask => ({ method: "GET", path: maps, headers: { "impersonate-user": user, "impersonate-group": "system:authenticated" } });
  const group = "/apis/flowcontrol.apiserver.k8s.io/v1";
  const limited = { nominalConcurrencyShares: 1, limitResponse: { type: "Reject" }, borrowingLimitPercent: 0 };
  const level = { metadata: { name: "narrow" }, spec: { type: "Limited", limited } };
  const everything = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] };
  const subjects = [{ kind: "User", user: { name: "noisy" } }];
  const spec = { priorityLevelConfiguration: { name: "narrow" }, matchingPrecedence: 10, rules: [{ subjects, resourceRules: [everything] }] };
  await client.ask({ method: "POST", path: `${group}/prioritylevelconfigurations`, body: JSON.stringify(level) });
  await client.ask({ method: "POST", path: `${group}/flowschemas`, body: JSON.stringify({ metadata: { name: "narrow" }, spec }) });
  const bind = { metadata: { name: "noisy" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" } };
  const users = ["noisy", "quiet"].map((name) => ({ kind: "User", apiGroup: "rbac.authorization.k8s.io", name }));
  const path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
  await client.ask({ method: "POST", path, body: JSON.stringify({ ...bind, subjects: users }) });
  await server.running.api.server.settled();

  const told = await heldUntilRefused(held, () => client.ask(as("noisy")));
  assert.deepEqual([told.text, told.headers["retry-after"], told.headers["content-type"]], [tooMany, "1", "text/plain; charset=utf-8"]);
  assert.ok(told.headers["x-kubernetes-pf-flowschema-uid"]);
  assert.equal((await client.ask(as("quiet"))).code, 200);
  const metrics = await client.ask({ method: "GET", path: "/metrics" });
  const refusals = metrics.text.split("\n").filter((line) => line.startsWith("apiserver_flowcontrol_rejected_requests_total{"));
  assert.equal(refusals.length, 1);
  assert.match(refusals[0] ?? "", /\{flow_schema="narrow",priority_level="narrow",reason="concurrency-limit"\} [12]$/);
  await held.letGo();
  assert.equal((await client.ask(as("noisy"))).code, 200);
});

test("without fairness reads and writes have limits of their own; administrators get through", async () => {
  await using server = await startTestServer({ flags: { priorityAndFairness: false, inFlight: { readOnlyMax: 50, mutatingMax: 2 } } });
  await using client = opener(server);
  using held = holder(server, "noisy");
  const bind = { metadata: { name: "noisy" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" } };
  const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "noisy" }];
  const path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
  await client.ask({ method: "POST", path, body: JSON.stringify({ ...bind, subjects }) });
  const headers = { "impersonate-user": "noisy", "impersonate-group": "system:authenticated" };
  let i = 0;
  const told = await heldUntilRefused(held, () => client.ask({ method: "POST", path: maps, body: mapOf(`m${i++}`), headers }));
  assert.deepEqual([told.text, told.headers["retry-after"]], [tooMany, "1"]);
  assert.equal(told.headers["x-kubernetes-pf-flowschema-uid"], undefined);
  assert.equal((await client.ask({ method: "GET", path: maps, headers })).code, 200);
  assert.equal((await client.ask({ method: "POST", path: maps, body: mapOf("of-admin") })).code, 201);
});
