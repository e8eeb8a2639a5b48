import assert from "node:assert/strict";
import { test } from "node:test";
import { createHttpClient } from "#base/os/http-client.ts";
import { startTestServer } from "./server-fixture.ts";

test("a server that stops is not ready first, then ends watches, answers what was asked, and takes nobody new", { timeout: 30_000 }, async () => {
  await using server = await startTestServer({ flags: { shutdownDelayMs: 1_500 } });
  const open = (): ReturnType<typeof createHttpClient> =>
    createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
  await using http = open();
  const get = async (path: string): Promise<number> => {
    const response = await http.request({ method: "GET", path });
    await response.readAll();
    return response.status;
  };
  assert.equal(await get("/readyz"), 200);
  const watch = await http.request({ method: "GET", path: "/api/v1/namespaces?watch=1&allowWatchBookmarks=true" });
  const stopped = server.stop();
  // It says so at once, and serves on.
  assert.equal(await get("/readyz"), 500);
  assert.equal(await get("/livez"), 200);
  assert.equal(await get("/api/v1/namespaces"), 200);
  // A body that comes late is waited for, though the delay is over.
  const late = http.request({ method: "POST", path: "/api/v1/namespaces", headers: { "content-type": "application/json" }, body: lateBody() });
  // A clean end: no broken stream.
  const text = (await watch.readAll()).toString();
  assert.equal(text.split("\n").at(-1), "");
  release.resolve();
  const created = await late;
  assert.equal(created.status, 201);
  await created.readAll();
  await stopped;
  await using again = open();
  await assert.rejects(again.request({ method: "GET", path: "/readyz" }));
});

const release = Promise.withResolvers<void>();

async function* lateBody(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{"metadata":');
  await release.promise;
  yield Buffer.from('{"name":"late"}}');
}
