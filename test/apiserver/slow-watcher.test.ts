import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { test } from "node:test";
import { configMaps } from "#api/core/v1/config-map.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import type { Client } from "#client/client.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

const path = "/api/v1/namespaces/default/configmaps?watch=true";

async function openWatch(server: TestServer): Promise<IncomingMessage> {
  const request = get(`https://127.0.0.1:${server.port}${path}`, {
    rejectUnauthorized: false,
    headers: { authorization: `Bearer ${server.token}` },
  });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

/** More than a server may keep for one watcher, and than can be on the way. */
const writesMax = 100;
const big = "x".repeat(900_000);

async function write(client: Client, round: number): Promise<void> {
  const patch = { type: "merge" as const, body: { data: { big, round: String(round) } } };
  await client.resource(configMaps).patch("default/big", patch);
}

async function terminatedOf(server: TestServer): Promise<number> {
  await using http = createHttpClient({ baseUrl: `https://127.0.0.1:${server.port}`, tls: { insecure: true }, token: server.token });
  const { body } = await http.request({ method: "GET", path: "/metrics", headers: {} });
  const text = Buffer.concat(await Array.fromAsync(body)).toString();
  const line = /^apiserver_terminated_watchers_total\{group="",resource="configmaps"\} (\d+)$/m.exec(text);
  return Number(line?.[1] ?? 0);
}

test("a watcher that does not read is ended at a bound; one that reads gets all", { timeout: 60_000 }, async () => {
  await using server = await startTestServer();
  const client = server.running.api.server.loopback;
  await client.resource(configMaps).create({ metadata: { namespace: "default", name: "big" } });
  const [slow, fast] = await Promise.all([openWatch(server), openWatch(server)]);
  slow.pause();
  const rounds: number[] = [];
  let text = "";
  fast.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      rounds.push(Number((JSON.parse(text.slice(0, end)) as { object: { data?: { round?: string } } }).object.data?.round ?? -1));
      text = text.slice(end + 1);
      fast.emit("round");
    }
  });
  let written = 0;
  while ((await terminatedOf(server)) === 0) {
    assert.ok(written < writesMax, "the slow watcher is still there");
    await write(client, written++);
  }
  await write(client, written++);
  while (rounds.at(-1) !== written - 1) await once(fast, "round");
  const expected = Array.from({ length: written }, (_, i) => i);
  assert.deepEqual(rounds.filter((round) => round >= 0), expected);
  // What was under way comes, then the end: whole events only.
  let received = "";
  for await (const chunk of slow) received += String(chunk);
  const events = received.trimEnd().split("\n").map((line) => JSON.parse(line) as { type: string });
  const all = rounds.length;
  assert.ok(events.length < all && events.every(({ type }) => type !== "ERROR"), `${events.length} of ${all}`);
  fast.destroy();
});
