/** Lists of any size are the same bytes, plain and compressed, over both versions of HTTP. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { get } from "node:https";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { configMaps } from "#api/core/v1/config-map.ts";
import { startTestServer, type TestServer } from "./server-fixture.ts";

const path = "/api/v1/namespaces/default/configmaps";

interface Answer {
  readonly encoding: string | undefined;
  readonly length: string | undefined;
  readonly body: Buffer;
}

async function overHttp2({ port, token }: TestServer, encoding: string): Promise<Answer> {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  const headers = { ":path": path, authorization: `Bearer ${token}`, "accept-encoding": encoding };
  const stream = session.request(headers);
  const [answer] = await once(stream, "response");
  const body = await buffer(stream);
  session.close();
  return { encoding: answer["content-encoding"], length: answer["content-length"], body };
}

async function overHttp1({ port, token }: TestServer, encoding: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, "accept-encoding": encoding };
  const url = `https://127.0.0.1:${port}${path}`;
  const [response] = await once(get(url, { headers, rejectUnauthorized: false, agent: false }), "response");
  const length = response.headers["content-length"];
  return { encoding: response.headers["content-encoding"], length, body: await buffer(response) };
}

test("lists of some bytes, above the limit of gzip, and of several slices", async () => {
  await using server = await startTestServer();
  const client = server.running.api.server.loopback.resource(configMaps);
  let made = 0;
  const counts: readonly [count: number, isGzipped: boolean, isWhole: boolean][] = [
    [1, false, true],
    [8, true, true],
    [80, true, false],
  ];
  for (const [count, isGzipped, isWhole] of counts) {
    while (made < count) {
      const name = `large-${made++}`;
      await client.create({ metadata: { name, namespace: "default" }, data: { text: `${name}\u00e9`.repeat(4000) } });
    }
    const plain = await overHttp2(server, "identity");
    assert.equal((JSON.parse(plain.body.toString()) as { items: unknown[] }).items.length, count);
    assert.equal(plain.length !== undefined, isWhole);
    assert.ok(plain.body.equals((await overHttp1(server, "identity")).body));
    for (const zipped of [await overHttp2(server, "gzip"), await overHttp1(server, "gzip")]) {
      assert.equal(zipped.encoding, isGzipped ? "gzip" : undefined);
      assert.equal(zipped.length !== undefined, isWhole);
      assert.ok(plain.body.equals(isGzipped ? gunzipSync(zipped.body) : zipped.body));
    }
  }
});
