import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { encodeSwagger } from "#apimachinery/openapi/gnostic-v2.ts";
import { encodeOpenApi } from "#apimachinery/openapi/gnostic-v3.ts";
import { get, startTestServer, type TestServer } from "./server-fixture.ts";

async function addressOf(server: TestServer, name: string): Promise<string> {
  const { body } = await get(server, "/openapi/v3");
  const { paths } = JSON.parse(body.toString()) as { paths: Record<string, { serverRelativeURL: string }> };
  return paths[name]?.serverRelativeURL ?? assert.fail(`${name} is not in the index`);
}

const v3Type = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";

/** What the client takes -> what it gets. */
const negotiations = [
  ["/openapi/v3/apis/apps/v1", undefined, "application/json"],
  ["/openapi/v3/apis/apps/v1", "application/json", "application/json"],
  ["/openapi/v3/apis/apps/v1", "*/*", "application/json"],
  ["/openapi/v3/apis/apps/v1", "application/*", "application/json"],
  ["/openapi/v3/apis/apps/v1", v3Type, v3Type],
  ["/openapi/v3/apis/apps/v1", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf", v3Type],
  ["/openapi/v3/apis/apps/v1", `application/json;q=0.5,${v3Type};q=0.9`, v3Type],
  ["/openapi/v3/apis/apps/v1", `*/*,${v3Type}`, v3Type],
  ["/openapi/v3/apis/apps/v1", "application/yaml, application/json", "application/json"],
  ["/openapi/v3/apis/apps/v1", "application/yaml", undefined],
  ["/openapi/v3/apis/apps/v1", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", undefined],
  ["/openapi/v2", undefined, "application/json"],
  [
    "/openapi/v2",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
  ],
  ["/openapi/v2", "text/html", undefined],
] as const;

test("documents come in the form that the client likes best, or not at all", async () => {
  await using server = await startTestServer();
  for (const [path, accept, wanted] of negotiations) {
    const { status, headers, body } = await get(server, path, accept === undefined ? {} : { accept });
    assert.equal(status, wanted === undefined ? 406 : 200, `${path} ${accept}`);
    assert.equal(headers["vary"], "Accept");
    if (wanted === undefined) assert.equal(body.length, 0);
    else assert.equal(headers["content-type"], wanted);
  }
  assert.equal((await get(server, "/openapi/v3/apis/no.such.group/v1")).status, 404);
});

test("the protobuf of a document is that of its JSON, and has its ETag", async () => {
  await using server = await startTestServer();
  for (const [path, version, encode] of [
    ["/openapi/v3/api/v1", "v3", encodeOpenApi],
    ["/openapi/v3/version", "v3", encodeOpenApi],
    ["/openapi/v2", "v2", encodeSwagger],
  ] as const) {
    const proto = await get(server, path, { accept: `application/com.github.proto-openapi.spec.${version}.v1.0+protobuf` });
    const json = await get(server, path);
    assert.deepEqual(proto.body, Buffer.from(encode(JSON.parse(json.body.toString()) as object)), path);
    assert.equal(proto.headers["etag"], json.headers["etag"]);
  }
});

test("who has a document is told so; one at the address of its hash may be kept", async () => {
  await using server = await startTestServer();
  const address = await addressOf(server, "apis/apps/v1");
  const { status, headers } = await get(server, address);
  const { etag = "", "cache-control": caching, expires } = headers;
  assert.equal(status, 200);
  assert.equal(address, `/openapi/v3/apis/apps/v1?hash=${etag.slice(1, -1)}`);
  assert.equal(caching, "public, immutable");
  assert.match(expires ?? "", /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  const plain = await get(server, "/openapi/v3/apis/apps/v1");
  assert.deepEqual([plain.headers["etag"], plain.headers["cache-control"], plain.headers["expires"]], [etag, undefined, undefined]);
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const again = await get(server, address, { "if-none-match": known });
    assert.deepEqual([again.status, again.body.length, again.headers["etag"]], [304, 0, etag], known);
  }
  assert.equal((await get(server, address, { "if-none-match": '"other"' })).status, 200);
  const moved = await get(server, "/openapi/v3/apis/apps/v1?hash=OLD");
  assert.deepEqual([moved.status, moved.headers["location"], moved.body.length], [301, address, 0]);
});

test("v2 is compressed for who takes that", async () => {
  await using server = await startTestServer();
  const plain = await get(server, "/openapi/v2");
  const zipped = await get(server, "/openapi/v2", { "accept-encoding": "gzip" });
  assert.deepEqual([plain.headers["content-encoding"], zipped.headers["content-encoding"]], [undefined, "gzip"]);
  assert.ok(zipped.body.length * 5 < plain.body.length);
  assert.deepEqual(gunzipSync(zipped.body), plain.body);
});
