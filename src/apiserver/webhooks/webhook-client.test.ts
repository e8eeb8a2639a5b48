import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#api/core/v1/service.ts";
import type { EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import type { HttpClient, HttpRequestOptions, HttpResponse } from "#base/http.ts";
import { createVirtualClock } from "#base/virtual/clock.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { createWebhookClients, type OpenWebhook, type WebhookTarget } from "./webhook-client.ts";

const service = { spec: { ports: [{ name: "https", port: 443 }] } } as unknown as Service;
const slice = {
  metadata: { labels: { "kubernetes.io/service-name": "hook" } },
  ports: [{ name: "https", port: 8443 }],
  endpoints: [
    { addresses: ["10.0.0.1"], conditions: { ready: false } },
    { addresses: ["10.0.0.2"], conditions: { ready: true } },
  ],
} as unknown as EndpointSlice;

/** Only what resolving reads of a live set. */
function setOf<T extends object>(objects: Record<string, T>): LiveSet<T> {
  return {
    get: (namespace: string, name: string) => objects[`${namespace}/${name}`],
    inNamespace: () => Object.values(objects),
  } as unknown as LiveSet<T>;
}

function world(
  respond: (request: HttpRequestOptions) => Promise<Pick<HttpResponse, "status" | "readAll">>,
) {
  const opened: OpenWebhook[] = [];
  const requests: HttpRequestOptions[] = [];
  const clock = createVirtualClock();
  const clients = createWebhookClients({
    clock,
    services: setOf({ "default/hook": service }),
    slices: setOf({ "default/hook-1": slice }),
    random: {
      float: () => 0,
      below: () => 0,
      uuid: () => "",
      bytes: (count) => new Uint8Array(count),
    },
    open(target) {
      opened.push(target);
      const client: Partial<HttpClient> = {
        request(options) {
          requests.push(options);
          return respond(options) as Promise<HttpResponse>;
        },
      };
      return client as HttpClient;
    },
  });
  const post = (target: WebhookTarget) =>
    clients.post(target, { body: "{}", timeoutMs: 10_000, signal: new AbortController().signal });
  return { opened, requests, clock, post };
}

function answered(status: number, text: string) {
  return () => Promise.resolve({ status, readAll: () => Promise.resolve(Buffer.from(text)) });
}

const hook = {
  service: { namespace: "default", name: "hook", path: "/x" },
  caBundle: Buffer.from("PEM").toString("base64"),
};

test("a service is called at a ready endpoint, under its own name", async () => {
  const { opened, requests, post } = world(answered(200, '{"a":1}'));
  assert.deepEqual(await post(hook), { a: 1 });
  assert.deepEqual(opened, [
    { baseUrl: "https://10.0.0.2:8443", serverName: "hook.default.svc", ca: "PEM" },
  ]);
  assert.equal(requests[0]?.path, "/x?timeout=10s");
  assert.equal(requests[0]?.headers?.["host"], "hook.default.svc:443");
});

test("clients are kept for the next call", async () => {
  const { opened, post } = world(answered(200, "{}"));
  await post(hook);
  await post(hook);
  assert.equal(opened.length, 1);
});

const failures: readonly (readonly [target: WebhookTarget, status: number, message: string])[] = [
  [
    { service: { namespace: "default", name: "none" } },
    200,
    'Post "https://none.default.svc:443/?timeout=10s": service "none" not found',
  ],
  [
    { service: { namespace: "default", name: "hook", port: 8080 } },
    200,
    'Post "https://hook.default.svc:8080/?timeout=10s": no service port 8080 found for service "hook"',
  ],
  [{}, 200, "webhook configuration must have either service or URL"],
  [hook, 404, "the server could not find the requested resource"],
  [hook, 500, 'an error on the server ("{}") has prevented the request from succeeding'],
];

for (const [target, status, message] of failures) {
  test(`post fails: ${message}`, async () => {
    await assert.rejects(world(answered(status, "{}")).post(target), { message });
  });
}

test("post gives up after its timeout", async () => {
  const { clock, post } = world(
    ({ signal }) =>
      new Promise((_, reject) =>
        signal?.addEventListener("abort", () => reject(new Error("aborted"))),
      ),
  );
  const rejected = assert.rejects(post(hook), {
    message: 'Post "https://hook.default.svc:443/x?timeout=10s": context deadline exceeded',
  });
  await clock.advance(10_000);
  await rejected;
});
