import assert from "node:assert/strict";
import { test } from "node:test";
import { createHttpClient } from "#base/os/http-client.ts";
import type { HttpClient } from "#base/http.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

function clientOf({ port, token }: TestServer): HttpClient {
  return createHttpClient({ baseUrl: `https://127.0.0.1:${port}`, tls: { insecure: true }, token });
}

test("every answer names its request by Audit-Id: the client's, or one that is made", async () => {
  await using server = await startTestServer();
  await using http = clientOf(server);
  const idOf = async (path: string, headers: Record<string, string>): Promise<string | undefined> => {
    const response = await http.request({ method: "GET", path, headers });
    response.discard();
    return response.headers["audit-id"];
  };
  const namespaces = "/api/v1/namespaces";
  assert.equal(await idOf(namespaces, { "audit-id": "mine" }), "mine");
  assert.equal(await idOf("/none", { "audit-id": "mine" }), "mine");
  assert.equal(await idOf(namespaces, { "audit-id": "refused", authorization: "Bearer wrong" }), "refused");
  const [one, other] = [await idOf(namespaces, {}), await idOf("/readyz", {})];
  assert.match(one ?? "", /^[0-9a-f-]{36}$/);
  assert.notEqual(one, other);
});
