import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#apimachinery/object.ts";
import { isExpired, isNotFound, reasonOf } from "#apimachinery/status.ts";
import type { HttpClient, HttpRequestOptions, HttpResponse } from "#base/http.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import { createClient, type ResourceTarget } from "./client.ts";
import { createHttpTransport } from "./http-transport.ts";
import { linesOf } from "./http-watch.ts";

const deployments: ResourceTarget = {
  group: "apps",
  version: "v1",
  plural: "deployments",
  kind: "Deployment",
  scope: "Namespaced",
};

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly chunks?: readonly string[];
}

/** An HTTP port that answers from a list. */
function setUp(...replies: Reply[]) {
  const sent: HttpRequestOptions[] = [];
  const clock = createVirtualClock();
  const http: HttpClient = {
    async request(options) {
      sent.push(options);
      return responseOf(replies.shift() ?? {});
    },
    upgrade: () => Promise.reject(new Error("no upgrades here")),
    reconnect() {},
    async [Symbol.asyncDispose]() {},
  };
  const client = createClient({
    transport: createHttpTransport({ http, clock, userAgent: "test/1" }),
  });
  return { sent, clock, client, resource: client.dynamic(deployments) };
}

function responseOf({ status = 200, headers = {}, body = {}, chunks }: Reply): HttpResponse {
  const bytes = (chunks ?? [JSON.stringify(body)]).map((chunk) => new TextEncoder().encode(chunk));
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    headerValues: () => [],
    body: (async function* () {
      yield* bytes;
    })(),
    readAll: async () => Buffer.concat(bytes),
    discard() {},
  };
}

test("requests become methods, paths, queries and headers", async () => {
  const { sent, resource, client } = setUp();
  const object: KubeObject = { metadata: { namespace: "ns", name: "web" } };
  await resource.get("ns/web", { resourceVersion: "5" });
  await resource.list({ labelSelector: "a in (b,c)", limit: 10 });
  await resource.create(object, { dryRun: true, fieldValidation: "Strict" });
  await resource.updateStatus(object);
  await resource.apply(object, { fieldManager: "me", force: true });
  await resource.patch("ns/web", { type: "json", body: [], subresource: "scale" });
  await resource.delete("ns/web", { gracePeriodSeconds: 0, preconditions: { uid: "u" } });
  await resource.deleteCollection({ namespace: "ns", labelSelector: "x=y" });
  await client
    .as({ name: "system:serviceaccount:a:b", groups: ["g1", "g2"] })
    .dynamic(deployments)
    .get("ns/web");
  assert.deepEqual(
    sent.map(({ method, path }) => `${method} ${path}`),
    [
      "GET /apis/apps/v1/namespaces/ns/deployments/web?resourceVersion=5",
      "GET /apis/apps/v1/deployments?labelSelector=a+in+%28b%2Cc%29&limit=10",
      "POST /apis/apps/v1/namespaces/ns/deployments?fieldValidation=Strict&dryRun=All",
      "PUT /apis/apps/v1/namespaces/ns/deployments/web/status",
      "PATCH /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=me&force=true",
      "PATCH /apis/apps/v1/namespaces/ns/deployments/web/scale",
      "DELETE /apis/apps/v1/namespaces/ns/deployments/web",
      "DELETE /apis/apps/v1/namespaces/ns/deployments?labelSelector=x%3Dy",
      "GET /apis/apps/v1/namespaces/ns/deployments/web",
    ],
  );
  assert.equal(sent[4]?.headers?.["content-type"], "application/apply-patch+yaml");
  assert.equal(sent[0]?.headers?.["user-agent"], "test/1");
  assert.deepEqual(JSON.parse(Buffer.from(sent[6]?.body as Uint8Array).toString()), {
    kind: "DeleteOptions",
    apiVersion: "v1",
    gracePeriodSeconds: 0,
    preconditions: { uid: "u" },
  });
  assert.deepEqual(sent[8]?.headers?.["impersonate-group"], ["g1", "g2"]);
});

test("list items carry their kind", async () => {
  const metadata = { resourceVersion: "7", continue: "next", remainingItemCount: 3 };
  const { resource } = setUp({
    body: {
      kind: "DeploymentList",
      apiVersion: "apps/v1",
      metadata,
      items: [{ metadata: { name: "a" } }],
    },
  });
  assert.deepEqual(await resource.list(), {
    items: [{ kind: "Deployment", apiVersion: "apps/v1", metadata: { name: "a" } }],
    resourceVersion: "7",
    continue: "next",
    remainingItemCount: 3,
  });
});

test("failures are the server's Status, or one made of the answer", async () => {
  const status = {
    kind: "Status",
    status: "Failure",
    reason: "NotFound",
    message: "gone",
    code: 404,
  };
  const { resource } = setUp(
    { status: 404, body: status },
    { status: 403, headers: { "content-type": "text/plain" }, chunks: ["no way"] },
  );
  await assert.rejects(resource.get("ns/a"), (error) => isNotFound(error));
  await assert.rejects(
    resource.get("ns/a"),
    (error) => reasonOf(error) === "Forbidden" && /no way/.test(String(error)),
  );
});

test("a request that was put off is sent again after the time asked for", async () => {
  const { resource, sent, clock } = setUp(
    { status: 429, headers: { "retry-after": "2" } },
    { body: { metadata: { name: "a" } } },
  );
  const got = resource.get("ns/a");
  await clock.advance(1999);
  assert.equal(sent.length, 1);
  await clock.advance(1);
  assert.equal((await got).metadata?.name, "a");
});

test("a watch hands over events split anywhere, and its end", async () => {
  const event = (type: string, name: string): string =>
    `${JSON.stringify({ type, object: { metadata: { name } } })}\n`;
  const text = event("ADDED", "a") + event("MODIFIED", "b") + event("DELETED", "c");
  const chunks = [text.slice(0, 10), text.slice(10, 60), text.slice(60)];
  const { resource, clock } = setUp(
    { chunks },
    { chunks: [`{"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410}}\n`] },
  );
  const heard: string[] = [];
  const follow = () =>
    resource.watch(
      {},
      {
        onEvent: ({ type, object }) => heard.push(`${type} ${object.metadata?.name}`),
        onClosed: (error) =>
          heard.push(error === undefined ? "end" : isExpired(error) ? "expired" : String(error)),
      },
    );
  follow();
  await clock.settle();
  follow();
  await clock.settle();
  assert.deepEqual(heard, ["ADDED a", "MODIFIED b", "DELETED c", "end", "expired"]);
});

test("a watch that was disposed says nothing more", async () => {
  const { resource, clock } = setUp({ chunks: ['{"type":"ADDED","object":{}}\n'] });
  const watch = resource.watch(
    {},
    { onEvent: () => assert.fail("event"), onClosed: () => assert.fail("end") },
  );
  watch[Symbol.dispose]();
  await clock.settle();
});

test("linesOf splits at newlines only", async () => {
  const lines: string[] = [];
  const chunks = ["ab", "c\n\nd", "\n", "e"].map((text) => Buffer.from(text));
  for await (const line of linesOf(
    (async function* () {
      yield* chunks;
    })(),
  ))
    lines.push(Buffer.from(line).toString());
  assert.deepEqual(lines, ["abc", "d", "e"]);
});
